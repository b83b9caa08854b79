// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"sync"
	"unsafe"
)

// padded is room for one vector of every operand of a call of few elements.
type padded struct {
	ptrs []unsafe.Pointer
	room [][vectorBytes]byte
}

var paddings = sync.Pool{New: func() any { return new(padded) }}

// few runs a call of less than a vector on copies that are filled up with zeros.
func (f *Func) few(ptrs []unsafe.Pointer, n int, spill unsafe.Pointer) int {
	p := paddings.Get().(*padded)
	defer paddings.Put(p)
	if cap(p.room) < f.args {
		p.room, p.ptrs = make([][vectorBytes]byte, f.args), make([]unsafe.Pointer, f.args)
	}
	p.room, p.ptrs = p.room[:f.args], p.ptrs[:f.args]
	for i, s := range f.size {
		p.ptrs[i] = unsafe.Pointer(&p.room[i])
		if i >= f.outs {
			if s == 0 {
				p.ptrs[i] = ptrs[i]
				continue
			}
			p.room[i] = [vectorBytes]byte{}
			copy(p.room[i][:], unsafe.Slice((*byte)(ptrs[i]), n*s))
		}
	}
	if enter(f.entry, &p.ptrs[0], f.lanes, spill) < f.lanes {
		clear(p.ptrs)
		return 0
	}
	for i, s := range f.size[:f.outs] {
		copy(unsafe.Slice((*byte)(ptrs[i]), n*s), p.room[i][:n*s])
	}
	clear(p.ptrs)
	return n
}

// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"sync"
	"unsafe"
)

// padded is room for one vector of every operand, of pairs two, of a call of few elements.
type padded struct {
	ptrs []unsafe.Pointer
	room [][2 * poolBytes]byte
}

var paddings = sync.Pool{New: func() any { return new(padded) }}

// few runs a call of rows of less than a vector on copies that are filled up with zeros.
func (f *Func) few(ptrs []unsafe.Pointer, n int, spill unsafe.Pointer, rows *Rows) int {
	p := paddings.Get().(*padded)
	defer paddings.Put(p)
	if cap(p.room) < f.args {
		p.room, p.ptrs = make([][2 * poolBytes]byte, f.args), make([]unsafe.Pointer, f.args+1)
	}
	p.room, p.ptrs = p.room[:f.args], p.ptrs[:f.args+1]
	p.ptrs[f.args] = unsafe.Pointer(&oneRow)
	defer clear(p.ptrs)
	for r := range rows.Count {
		at := func(i int) unsafe.Pointer {
			if r == 0 {
				return ptrs[i]
			}
			return unsafe.Add(ptrs[i], r*rows.Step[i])
		}
		for i, s := range f.size {
			p.ptrs[i] = unsafe.Pointer(&p.room[i])
			if i >= f.outs {
				if s == 0 {
					p.ptrs[i] = at(i)
					continue
				}
				p.room[i] = [2 * poolBytes]byte{}
				copy(p.room[i][:], unsafe.Slice((*byte)(at(i)), n*s))
			}
		}
		if enter(f.entry, &p.ptrs[0], f.lanes, spill) < f.lanes {
			return 0
		}
		for i, s := range f.size[:f.outs] {
			copy(unsafe.Slice((*byte)(at(i)), n*s), p.room[i][:n*s])
		}
	}
	return n
}

// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	varint "encoding/binary"
	"hash/fnv"
)

// Key returns bytes that tell programs apart as their texts do, and are made in a fraction of the time.
func (p *Program) Key() string { return string(p.key(make([]byte, 0, 512))) }

// key appends the program in numbers, of which each list says how many it has.
func (p *Program) key(b []byte) []byte {
	put := func(list ...int) {
		for _, n := range list {
			b = varint.AppendVarint(b, int64(n))
		}
	}
	regs := func(list []Reg) {
		put(len(list))
		for _, r := range list {
			put(int(r))
		}
	}
	put(p.Rank, len(p.In), len(p.Consts), len(p.Body), len(p.Folds), len(p.Slow))
	for _, in := range p.In {
		put(int(in.DType), int(in.Access), int(in.Gather))
		if in.Gather >= 0 {
			put(int(in.GatherIDs))
		}
	}
	for _, c := range p.Consts {
		put(int(c.DType))
		b = varint.LittleEndian.AppendUint64(b, c.Bits)
	}
	for _, i := range p.Body {
		put(int(i.Op), int(i.DType), int(i.Args[0]), int(i.Args[1]), int(i.Args[2]))
		if i.Op == OpIndex || i.Op == OpCold || i.Op == OpLookup {
			put(int(i.Aux))
		}
	}
	regs(p.Ret)
	for _, f := range p.Folds {
		put(int(f.Op), int(f.Axes), int(f.Group))
		regs(f.Args)
	}
	for _, q := range p.Slow {
		b = q.key(b)
	}
	return b
}

// Hash returns the FNV-1a hash of Key.
func (p *Program) Hash() uint64 { return hashKey(p.Key()) }

// hashKey hashes the key of a unit.
func hashKey(key string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(key)) // never fails
	return h.Sum64()
}

// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"encoding/binary"

	"github.com/arrayrun/arrayrun/kernels"
)

// lookup reads a table of 16 at the four lowest bits of each lane, without a load by address: from two vectors of 64 bytes at once, or from
// four of 32 bytes at the two lowest bits, of which the others choose.
func (l *lowerer) lookup(in kernels.Inst) (val, int) {
	x, t := l.arg(in, 0), kernels.Table(in.Aux)
	if l.bytes > vectorBytes && l.v == 8 {
		return l.add(node{kind: nodeOp, op: vpermi2pd, l: 2, imm: -1, a: x, b: l.entries(t[:8]), c: l.entries(t[8:])}), 0
	}
	// A lane's number of 64 bits is two of 32 bits: 2x and 2x+1.
	twice := l.bin(vpaddq, 8, x, x)
	pairs := l.bin(vpor, 8, l.unImm(vpshufd, 8, twice, 0xA0), l.splat(8, 1<<32))
	part := func(k int) val { return l.bin(vpermps, 8, pairs, l.entries(t[4*k:4*k+4])) }
	// Of the lanes of a mask, a blend looks at the highest bit.
	two, three := l.shift(vpsllq, 8, x, 61), l.shift(vpsllq, 8, x, 60)
	return l.blend(8, three, l.blend(8, two, part(3), part(2)), l.blend(8, two, part(1), part(0))), 0
}

// entries is a constant of different lanes, repeated to the end.
func (g *graph) entries(t []uint64) val {
	var b [poolBytes]byte
	for i := range len(b) / 8 {
		binary.LittleEndian.PutUint64(b[8*i:], t[i%len(t)])
	}
	return g.vector(b)
}

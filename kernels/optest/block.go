// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
)

// guards hands out blocks that end at an unmapped page, padded as blocks are: a
// kernel may read to the next multiple of mem.Align. One arena serves many blocks in turn.
type guards struct {
	t      *testing.T // outlives all blocks
	arenas [][]byte
	next   int
}

const arenaBytes = 1 << 20

// canary fills the bytes around a block's contents.
const canary = 0xA5

// alloc returns n bytes whose padded end is the end of an arena. At most 32 blocks may be in use.
func (g *guards) alloc(n int64) []byte {
	if n+mem.Align > arenaBytes {
		return make([]byte, n+mem.Align)[:n]
	}
	if len(g.arenas) < 32 {
		g.arenas = append(g.arenas, guarded(g.t, arenaBytes))
	}
	a := g.arenas[g.next%len(g.arenas)]
	g.next++
	from := int64(len(a)) - (n+mem.Align-1)/mem.Align*mem.Align
	lo := max(0, from-mem.Align)
	for i := lo; i < int64(len(a)); i++ {
		a[i] = canary
	}
	return a[from : from+n : len(a)]
}

// intact reports whether the padding behind a block still holds the canary.
func intact(b []byte) bool {
	for _, x := range b[len(b):min(cap(b), (len(b)+mem.Align-1)/mem.Align*mem.Align)] {
		if x != canary {
			return false
		}
	}
	return true
}

// layout is how an operand's elements lie: a stride factor for each axis of the loop.
type layout struct {
	name    string
	repeat  kernels.AxisSet // axes along which the operand does not vary
	step    int64           // elements between neighbours of the last axis
	reverse bool            // the last axis runs backwards
	turned  bool            // axes in the opposite order in memory
	lead    int64           // elements before the first
}

// place returns a chunk of shape whose elements at each index are what at gives for the row-major number of that
// index (with 0 along repeated axes), in the layout.
func (g *guards) place(dt dtype.DType, shape chunk.Shape, l layout, at func(n int64) kernels.Const) *chunk.Chunk {
	rank := len(shape)
	c := &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape.Clone(), Strides: make([]int64, rank)}
	n := max(l.step, 1)
	order := make([]int, rank)
	for i := range order {
		order[i] = rank - 1 - i
		if l.turned {
			order[i] = i
		}
	}
	span := int64(1) // elements from the first to the last, and one
	for _, i := range order {
		if l.repeat.Has(i) {
			continue
		}
		c.Strides[i] = n
		span += n * (shape[i] - 1)
		n *= max(shape[i], 1)
	}
	if shape.Size() == 0 {
		span = 0
	}
	c.Offset = l.lead
	b := g.alloc((l.lead + span) * int64(c.ItemBytes))
	c.Block = mem.Wrap(b)
	if l.reverse && rank > 0 && !l.repeat.Has(rank-1) {
		c.Offset += c.Strides[rank-1] * max(shape[rank-1]-1, 0)
		c.Strides[rank-1] = -c.Strides[rank-1]
	}
	index := make([]int64, rank)
	for k := range shape.Size() {
		place(index, shape, k)
		src, off := int64(0), c.Offset
		for i, d := range shape {
			src *= d
			if !l.repeat.Has(i) {
				src += index[i]
			}
			off += index[i] * c.Strides[i]
		}
		put(b, off, c.ItemBytes, at(src))
	}
	return c
}

// place sets index to the k-th position of shape, row-major.
func place(index []int64, shape chunk.Shape, k int64) {
	for i := len(shape) - 1; i >= 0; i-- {
		index[i] = k % shape[i]
		k /= shape[i]
	}
}

func put(b []byte, i int64, size int32, c kernels.Const) {
	e := b[i*int64(size) : (i+1)*int64(size)]
	for j := range e {
		e[j] = byte(c.Bits >> (8 * j))
	}
}

func get(c *chunk.Chunk, i int64) kernels.Const {
	n := int64(c.ItemBytes)
	k := kernels.Const{DType: c.DType}
	for j, x := range c.Block.Bytes()[i*n : (i+1)*n] {
		k.Bits |= uint64(x) << (8 * j)
	}
	return k
}

// at returns the element of c at an index.
func at(c *chunk.Chunk, index []int64) kernels.Const {
	off := c.Offset
	for i, x := range index {
		off += x * c.Strides[i]
	}
	return get(c, off)
}

// equal reports whether two values of one dtype have the same bits or are both NaN.
func equal(a, b kernels.Const) bool { return a.Bits == b.Bits || a.IsNaN() && b.IsNaN() }

// output returns a contiguous chunk for results, filled with the canary.
func (g *guards) output(dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	b := g.alloc(shape.Size() * int64(dt.Size()))
	for i := range b {
		b[i] = canary
	}
	return &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: mem.Wrap(b)}
}

// someValue returns a random value of a dtype; many are special.
func someValue(rng *rand.Rand, dt dtype.DType) kernels.Const {
	bits := uint(8 * dt.Size())
	mask := ^uint64(0) >> (64 - bits)
	switch dt.Kind() {
	case dtype.KindBool:
		return kernels.Const{DType: dt, Bits: rng.Uint64N(2)}
	case dtype.KindFloat:
		c, err := kernels.ConstOf(dt, floatValue(rng))
		if err == nil && rng.IntN(8) > 0 {
			return c
		}
		return kernels.Const{DType: dt, Bits: rng.Uint64() & mask}
	}
	switch rng.IntN(4) {
	case 0:
		return kernels.Const{DType: dt, Bits: [...]uint64{0, 1, mask, mask >> 1, mask>>1 + 1, 2, mask - 1}[rng.IntN(7)]}
	case 1:
		return kernels.Const{DType: dt, Bits: rng.Uint64() & mask}
	}
	return kernels.Const{DType: dt, Bits: uint64(rng.IntN(200)-100) & mask}
}

// special are values at the edges of floats.
var special = [...]float64{
	0, math.Copysign(0, -1), 1, -1, 0.5, -0.5, 1.5, 2, -2, 3, math.Pi, 1e-3, -1e3, 1e10,
	math.Inf(1), math.Inf(-1), math.NaN(), math.MaxFloat64, math.MaxFloat32, -math.MaxFloat32, 65504, 65520,
	math.SmallestNonzeroFloat64, -math.SmallestNonzeroFloat32, 0x1p-14, 0x1p-24, 0x1p-126, 0x1p-1022, 0x1p-1030, 1 << 24, 1<<53 - 1,
}

func floatValue(rng *rand.Rand) float64 {
	switch rng.IntN(4) {
	case 0:
		return special[rng.IntN(len(special))]
	case 1:
		return math.Ldexp(rng.Float64()*2-1, rng.IntN(40)-20)
	}
	return rng.NormFloat64() * 10
}

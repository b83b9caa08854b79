// SPDX-License-Identifier: BSD-3-Clause

package linalg

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu/lapack"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// tall is a matrix of many rows, in blocks of rows that are decomposed one by one. The triangles R of the blocks, one below the other, are another such
// matrix, or one block: its R is that of the whole, and Q is each block's Q times that block's part of its Q.
type tall struct {
	a      ndarray.Array // float64
	dt     dtype.DType   // of results
	n      int64
	blocks chunk.Axis
}

// tallest is how many times more rows than columns a block has at least: its triangle is no more than a quarter of it then.
const tallest = 4

// tallOf returns the blocks of x: its chunks of rows, joined where they are short. ok is false where there is one, or x is several matrices.
func tallOf(x matrices) (t tall, ok bool) {
	if x.Rank() != 2 || x.n < 1 || x.DType().IsComplex() {
		return t, false
	}
	step := max(x.Grid().Axes[0].Max(), 1)
	if least := tallest * x.n; step < least {
		step *= (least + step - 1) / step
	}
	t = tall{a: x.AsType(dtype.Float64), dt: x.DType(), n: x.n, blocks: chunk.Axis{Len: x.m, Step: cached(step, x.n)}}
	return t, step < x.m
}

// cached returns the rows of blocks that are whole parts of step rows of n columns: as many as a core's own cache holds, since each column's reflection
// passes over all of them. Where step has no such divisor, it is step.
func cached(step, n int64) int64 {
	for rows := min(step, max(cacheBytes/(8*n), tallest*n)); rows >= tallest*n; rows-- {
		if step%rows == 0 {
			return rows
		}
	}
	return step
}

// cacheBytes is about how much a block of rows has.
const cacheBytes = 256 << 10

// rows returns the blocks of rows between lo and hi of an array with each rows for each block.
func (t tall) rows(lo, hi, each int64) (from, to int64) {
	if hi <= lo {
		return lo / each, lo / each
	}
	return lo / each, (hi-1)/each + 1
}

// blockRows returns the region of a's rows that are blocks from to to.
func (t tall) blockRows(from, to int64) chunk.Region {
	r := chunk.Region{Lo: chunk.Shape{from * t.blocks.Step, 0}, Hi: chunk.Shape{min(to*t.blocks.Step, t.blocks.Len), t.n}}
	r.Lo[0] = min(r.Lo[0], r.Hi[0])
	return r
}

// triangles returns the blocks' R, n by n each, one below the other.
func (t tall) triangles() ndarray.Array {
	rows := t.blocks.Count() * t.n
	// Chunks of the triangles are the blocks of the next decomposition.
	per := max(tallest, wholeBytes/(8*t.n*t.n))
	grid := chunk.Regular(chunk.Shape{rows, t.n}, per*t.n, t.n)
	job := blockwise{t: t, each: t.n, routine: func(m int) *lapack.Routine[float64] { return lapack.QR(m, int(t.n), false, false) }}
	arg := graph.OpaqueArg{
		Key:    fmt.Sprintf("linalg triangles of %d", t.blocks.Step),
		Whole:  kernels.Axes(1),
		Blocks: []chunk.Axis{{Len: rows, Step: t.n}, {Len: t.n, Step: t.n}},
		Need: func(_ int, out chunk.Region) chunk.Region {
			return t.blockRows(t.rows(out.Lo[0], out.Hi[0], t.n))
		},
		Scratch: job.scratch,
		Run:     job.run,
	}
	return ndarray.FromNode(graph.At("").Opaque(arg, dtype.Float64, grid, t.a.Node())).Once()
}

// wholeBytes is about how much a block of triangles has.
const wholeBytes = 1 << 20

// orthonormal returns Q times what c has for each block: n rows of n columns.
func (t tall) orthonormal(c ndarray.Array) ndarray.Array {
	job := blockwise{t: t, each: t.blocks.Step, routine: func(m int) *lapack.Routine[float64] { return lapack.Orthonormal(m, int(t.n)) }}
	arg := graph.OpaqueArg{
		Key:    fmt.Sprintf("linalg orthonormal of %d", t.blocks.Step),
		Whole:  kernels.Axes(1),
		Blocks: []chunk.Axis{t.blocks, {Len: t.n, Step: t.n}},
		Need: func(i int, out chunk.Region) chunk.Region {
			from, to := t.rows(out.Lo[0], out.Hi[0], t.blocks.Step)
			if i == 1 {
				return chunk.Region{Lo: chunk.Shape{from * t.n, 0}, Hi: chunk.Shape{to * t.n, t.n}}
			}
			return t.blockRows(from, to)
		},
		Scratch: job.scratch,
		Run:     job.run,
	}
	grid := chunk.Grid{Shape: chunk.Shape{t.blocks.Len, t.n}, Axes: []chunk.Axis{t.blocks, {Len: t.n, Step: t.n}}}
	return ndarray.FromNode(graph.At("").Opaque(arg, dtype.Float64, grid, t.a.Node(), c.Once().Node())).AsType(t.dt)
}

// factor returns R.
func (t tall) factor() ndarray.Array { return QRFactor(t.triangles()).AsType(t.dt) }

// qr returns Q and R.
func (t tall) qr() (q, r ndarray.Array) {
	q, r = QR(t.triangles(), Reduced)
	return t.orthonormal(q), r.AsType(t.dt)
}

// svd returns the factors of SVD, by that of R.
func (t tall) svd() (u, s, vh ndarray.Array) {
	q, r := QR(t.triangles(), Reduced)
	u, s, vh = SVD(r.Once(), false)
	return t.orthonormal(ndarray.MatMul(q, u)), s.AsType(t.dt), vh.AsType(t.dt)
}

// blockwise computes a result with each rows for each block, the last perhaps fewer, from the block's rows of a and, where there is another operand, n rows of that.
type blockwise struct {
	t       tall
	each    int64
	routine func(rows int) *lapack.Routine[float64]
}

// scratch bounds the bytes of a block, which regions may cut, and what its routine takes.
func (j blockwise) scratch(chunk.Shape) int64 {
	return j.routine(int(j.t.blocks.Step)).Room() + mem.ClassBytes(8*j.t.n*max(j.each, j.t.n))
}

// run computes the blocks that a region touches.
func (j blockwise) run(ctx context.Context, c graph.OpaqueCall) error {
	if c.Out.Shape.Size() == 0 {
		return nil
	}
	t := j.t
	first, last := t.rows(c.At.Lo[0], c.At.Hi[0], j.each)
	begin := t.blockRows(first, first).Lo[0]
	for b := first; b < last; b++ {
		rows := t.blockRows(b, b+1)
		m := rows.Hi[0] - rows.Lo[0]
		in := []*chunk.Chunk{c.In[0].Sub(chunk.Region{Lo: chunk.Shape{rows.Lo[0] - begin, 0}, Hi: chunk.Shape{rows.Hi[0] - begin, t.n}})}
		if len(c.In) > 1 {
			in = append(in, c.In[1].Sub(chunk.Region{Lo: chunk.Shape{(b - first) * t.n, 0}, Hi: chunk.Shape{(b - first + 1) * t.n, t.n}}))
		}
		r := j.routine(int(m))
		height := int64(r.Out) / t.n // of a short block's triangle less than each: the rest is 0
		fresh, err := chunk.New(c.Device.Allocator(), dtype.Float64, 8, chunk.Shape{height, t.n})
		if err != nil {
			return err
		}
		err = lapack.Each(ctx, r, chunk.Region{Lo: chunk.Shape{0, 0}, Hi: fresh.Shape}, 2, fresh, in, c.Device.Allocator())
		if err == nil {
			src, dst := chunk.Elems[float64](fresh.Block), chunk.Elems[float64](c.Out.Block)[c.Out.Offset:]
			for row := max(c.At.Lo[0], b*j.each); row < min(c.At.Hi[0], (b+1)*j.each); row++ {
				to := dst[(row-c.At.Lo[0])*c.Out.Strides[0]:]
				for k := range t.n {
					v := 0.0
					if i := row - b*j.each; i < height {
						v = src[i*t.n+k]
					}
					to[k*c.Out.Strides[1]] = v
				}
			}
		}
		fresh.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

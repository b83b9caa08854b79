// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Boundary says what lies beyond the ends of an axis, a b c d being what it holds. The names are
// those of Dask's overlap; SciPy's are beside them.
type Boundary uint8

// The boundaries.
const (
	Reflect  Boundary = iota // d c b a | a b c d | d c b a   reflect
	Mirror                   //   d c b | a b c d | c b a     mirror
	Edge                     // a a a a | a b c d | d d d d   nearest
	Periodic                 // a b c d | a b c d | a b c d   wrap
	Constant                 // k k k k | a b c d | k k k k   constant
)

// at returns the position of an axis of n elements that stands for i, which may lie beyond it: itself where the axis has no ends, below
// 0 for the constant.
func (b Boundary) at(i, n int64) int64 {
	switch {
	case i >= 0 && i < n || b == Periodic:
		return i
	case b == Constant:
		return math.MinInt64 / 2
	case b == Edge || n == 1:
		return min(max(i, 0), n-1)
	}
	period := 2 * n
	if b == Mirror {
		period -= 2
	}
	if i = ((i % period) + period) % period; i < n {
		return i
	}
	if b == Mirror {
		return period - i
	}
	return period - 1 - i
}

// RegionFunc is a Go function of regions that reach beyond their own: what a stencil, a filter or a window of neighbours is made of.
type RegionFunc struct {
	Name   string      // identity: functions cannot be compared, names can, so it tells all that the result depends on
	DType  dtype.DType // of the result
	Before []int64     // along each axis, how many elements before its own a position needs
	After  []int64     // and after it
	// Periodic says of each axis whether it has no ends: a region that begins before the first element holds the last ones there. nil: none.
	Periodic []bool
	// Scratch bounds the bytes that Run allocates for a result of the shape, nil for none.
	Scratch func(out chunk.Shape) int64
	// Run computes one region: In holds for each array what Around gives.
	Run func(ctx context.Context, c graph.OpaqueCall) error
}

// Around returns the region that the result's region at is computed from: cut to an array of the shape, but for periodic axes.
func (f *RegionFunc) Around(at chunk.Region, shape chunk.Shape) chunk.Region {
	return at.Grow(f.Before, f.After).Clip(shape, f.Periodic)
}

// MapRegions returns the result of a function of regions of arrays, all of one shape, which is the result's, as is
// the first one's grid. It is lazy: regions are computed when they are needed.
func MapRegions(f RegionFunc, in ...Array) Array {
	if len(in) == 0 {
		return failf("ndarray: %s: want one array at least", f.Name)
	}
	for k := range min(len(f.Before), len(f.After)) {
		if f.Before[k] < 0 || f.After[k] < 0 {
			return failf("ndarray: %s: axis %d: got a reach of %d before and %d after, want 0 or more", f.Name, k, f.Before[k], f.After[k])
		}
	}
	nodes := make([]*graph.Node, len(in))
	for i, a := range in {
		switch {
		case a.Err() != nil:
			return a
		case a.unknown():
			return failf("%w", errUnknown(f.Name, a.Shape()))
		case !a.Shape().Equal(in[0].Shape()):
			return failf("ndarray: %s: array %d: got shape %v, want %v as the first has: %w", f.Name, i+1, a.Shape(), in[0].Shape(), chunk.ErrShape)
		case len(f.Before) != a.Rank() || len(f.After) != a.Rank() || f.Periodic != nil && len(f.Periodic) != a.Rank():
			return failf("ndarray: %s: got reaches along %d and %d axes, %d of them said to be periodic or not, want %d: %w", f.Name, len(f.Before), len(f.After), len(f.Periodic), a.Rank(), chunk.ErrShape)
		}
		nodes[i] = f.lengthened(a).Node()
	}
	arg := graph.OpaqueArg{
		Key: fmt.Sprintf("%s around %v %v periodic=%v", f.Name, f.Before, f.After, f.Periodic),
		Need: func(_ int, at chunk.Region) chunk.Region {
			r := at.Grow(f.Before, f.After)
			for k, p := range f.Periodic {
				if p { // in the lengthened array
					r.Lo[k] += f.Before[k]
					r.Hi[k] += f.Before[k]
				}
			}
			return r
		},
		Scratch: f.Scratch,
		Run:     f.Run,
	}
	return Array{here().Opaque(arg, f.DType, in[0].Grid(), nodes...)}
}

// lengthened returns a with as many of its elements from the other end before and after each periodic axis as f reaches beyond it.
func (f *RegionFunc) lengthened(a Array) Array {
	widths := make([][2]int64, a.Rank())
	for k, p := range f.Periodic {
		if p && a.Shape()[k] > 0 {
			widths[k] = [2]int64{f.Before[k], f.After[k]}
		}
	}
	return a.Pad(widths, PadOptions{Mode: "wrap"})
}

// Extend returns region want of an array of the shape, of which in holds region have: in itself, or a part of it, where want lies
// inside, else a chunk of alloc's with what the boundaries, one for each axis, put beyond the ends, which the caller releases when fresh is
// true. have is want cut to the array.
func Extend(alloc mem.Allocator, in *chunk.Chunk, have, want chunk.Region, shape chunk.Shape, b []Boundary, fill kernels.Const) (out *chunk.Chunk, fresh bool, err error) {
	if have.Contains(want) {
		r := want.Clone()
		for k := range r.Lo {
			r.Lo[k] -= have.Lo[k]
			r.Hi[k] -= have.Lo[k]
		}
		return in.Sub(r), false, nil
	}
	out, err = chunk.New(alloc, in.DType, int(in.ItemBytes), want.Shape())
	if err != nil {
		return nil, false, err
	}
	e := extension{size: int(in.ItemBytes), src: in, dst: out, from: make([][]int64, len(want.Lo))}
	for k := range want.Lo {
		list := make([]int64, want.Hi[k]-want.Lo[k])
		for i := range list {
			if list[i] = b[k].at(want.Lo[k]+int64(i), shape[k]) - have.Lo[k]; list[i] < 0 {
				list[i] = -1
			}
		}
		e.from[k] = list
	}
	var bits [8]byte
	for i := range bits {
		bits[i] = byte(fill.Bits >> (8 * i))
	}
	e.fill = bits[:min(len(bits), e.size)]
	e.axis(0, in.Offset, out.Offset)
	return out, true, nil
}

// extension is one copy of Extend.
type extension struct {
	size     int
	src, dst *chunk.Chunk
	from     [][]int64 // by axis, for each position of dst the one of src, -1 for none
	fill     []byte
}

// axis copies what lies at the positions from, to of the axes before k; from is -1 where that is none.
func (e *extension) axis(k int, from, to int64) {
	if k == len(e.from) {
		e.copy(from, to, 1)
		return
	}
	list := e.from[k]
	last := k == len(e.from)-1
	for i := 0; i < len(list); {
		n := 1
		at := int64(-1)
		if from >= 0 && list[i] >= 0 {
			at = from + list[i]*e.src.Strides[k]
		}
		if last {
			for i+n < len(list) && (at < 0 && (from < 0 || list[i+n] < 0) || at >= 0 && list[i+n] == list[i]+int64(n)) {
				n++
			}
			e.copy(at, to+int64(i), n)
		} else {
			e.axis(k+1, at, to+int64(i)*e.dst.Strides[k])
		}
		i += n
	}
}

// copy copies n neighbours, or as many times the constant.
func (e *extension) copy(from, to int64, n int) {
	d := e.dst.Block.Bytes()[int(to)*e.size:][:n*e.size]
	if from >= 0 {
		copy(d, e.src.Block.Bytes()[int(from)*e.size:])
		return
	}
	for i := 0; i < len(d); i += e.size {
		clear(d[i : i+e.size])
		copy(d[i:], e.fill)
	}
}

// Depth is how far a function of chunks needs to see beyond its own, by dimension name, on both sides.
type Depth map[string]int64

// ChunkFunc is a Go function of chunks with a halo.
type ChunkFunc struct {
	Name     string      // identity: functions cannot be compared, names can; two functions of one name are the same
	DType    dtype.DType // of the result
	Depth    Depth
	Boundary Boundary
	Fill     float64                     // what Constant puts beyond the ends, as the operands' dtypes hold it
	Scratch  func(out chunk.Shape) int64 // bytes it allocates, counted in its task's bill; nil for none
	// Run fills out, the region at of the result, from in: for each operand that region grown by Depth, what lies beyond the ends
	// made by Boundary. The chunks are borrowed until it returns; it is called by several goroutines at once. An error stops the run.
	Run func(ctx context.Context, at chunk.Region, out *chunk.Chunk, in []*chunk.Chunk) error
}

// MapOverlap returns f of the chunks of variables that have the same dimensions and lengths. Name, coordinates and attributes
// are the first one's, as are the chunks.
func MapOverlap(f ChunkFunc, in ...Variable) Variable {
	if len(in) == 0 {
		return Variable{array: failf("ndarray: map_overlap: %s: want one variable at least", f.Name)}
	}
	v := in[0]
	arrays := make([]Array, len(in))
	for i, x := range in {
		switch {
		case x.Err() != nil:
			return x
		case !slices.Equal(x.dims, v.dims):
			return v.fail("ndarray: map_overlap: %s: variable %d has dimensions %v, want %v; transpose it", f.Name, i+1, x.dims, v.dims)
		}
		arrays[i] = x.array
	}
	if f.Name == "" || f.Run == nil {
		return v.fail("ndarray: map_overlap: want Name and Run set")
	}
	depth := make([]int64, len(v.dims))
	for d, n := range f.Depth {
		k := v.axis(d)
		switch {
		case k < 0:
			return v.fail("ndarray: map_overlap: %s: depth: %s has no dimension %q; it has %v", f.Name, v.label(), d, v.dims)
		case n < 0:
			return v.fail("ndarray: map_overlap: %s: depth of %q: got %d, want 0 or more", f.Name, d, n)
		}
		depth[k] = n
	}
	fills := make([]kernels.Const, len(in))
	for i, x := range in {
		c, err := kernels.ConstOf(x.DType(), f.Fill)
		if err != nil {
			return v.fail("ndarray: map_overlap: %s: fill: %w", f.Name, err)
		}
		fills[i] = c
	}
	shape := v.Shape()
	r := RegionFunc{Name: fmt.Sprintf("map_overlap %q %d fill=%v", f.Name, f.Boundary, f.Fill), DType: f.DType, Before: depth, After: depth}
	r.Periodic = slices.Repeat([]bool{f.Boundary == Periodic}, len(depth))
	boundaries := slices.Repeat([]Boundary{f.Boundary}, len(depth))
	r.Scratch = func(out chunk.Shape) int64 {
		n := int64(0)
		if f.Scratch != nil {
			n = f.Scratch(out)
		}
		grown := chunk.Whole(out).Grow(depth, depth).Size()
		for _, x := range in {
			n += mem.ClassBytes(grown * int64(x.DType().Size()))
		}
		return n
	}
	r.Run = func(ctx context.Context, c graph.OpaqueCall) error {
		list := make([]*chunk.Chunk, len(c.In))
		want := c.At.Grow(depth, depth)
		for i, x := range c.In {
			e, fresh, err := Extend(c.Device.Allocator(), x, r.Around(c.At, shape), want, shape, boundaries, fills[i])
			if err != nil {
				return err
			}
			if fresh {
				defer e.Release()
			}
			list[i] = e
		}
		return f.Run(ctx, c.At, c.Out, list)
	}
	return v.WithArray(MapRegions(r, arrays...))
}

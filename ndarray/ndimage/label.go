// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Labels are the connected parts of an array.
type Labels struct {
	Array ndarray.Array // int32: 0 where the array is 0, else the number of the part, from 1
	Count ndarray.Array // how many there are, int32 of rank 0
}

// Label returns the labels of v's connected parts, int32, as LabelArray numbers them, with v's name, dimensions and coordinates. One structure may be given,
// none is a cross.
func Label(v ndarray.Variable, structure ...Footprint) ndarray.Variable {
	var s Footprint
	switch {
	case v.Err() != nil:
		return v
	case len(structure) == 1:
		s = structure[0]
	case len(structure) > 1:
		return v.WithArray(failed(fmt.Errorf("ndimage: label: got %d structures, want one", len(structure))))
	}
	return v.WithArray(LabelArray(v.Array(), s).Array)
}

// LabelArray numbers the parts of a that hang together, elements other than 0 that are neighbours by a structure of 3 positions along each axis, the
// same in both directions; a zero Footprint is a cross. Parts are numbered in the order of their first elements: scipy.ndimage.label.
//
// Each chunk is labelled by itself, whole, in one pass; that pass keeps what lies at the faces of chunks and 16 bytes for each part of a chunk,
// which must fit in half of the budget, and where there is room a bit for each element. Then the parts that touch are joined, and labels are made chunk by chunk, from the bits where they were kept, so that a is
// computed once. At most 2^31-1 parts can be numbered.
func LabelArray(a ndarray.Array, structure Footprint) Labels {
	bad := func(err error) Labels { return Labels{failed(err), failed(err)} }
	if a.Err() != nil {
		return Labels{a, a}
	}
	if dt := a.DType(); !dt.IsNumeric() || dt.IsComplex() {
		return bad(fmt.Errorf("ndimage: label: operand: got %v, want real numbers or bool: %w", dt, dtype.ErrPromote))
	}
	for k, n := range a.Shape() {
		if n < 0 {
			return bad(fmt.Errorf("ndimage: label: the length of axis %d is known after a run only: %w", k, chunk.ErrShape))
		}
	}
	rank := a.Rank()
	if structure.Shape == nil {
		structure = Structure(rank, 1)
	}
	around, err := neighbours(a, structure)
	if err != nil {
		return bad(err)
	}
	l := labelling{grid: pieces(a.Grid()), around: around, key: fmt.Sprint(around)}
	parts := l.inChunks(a.AsType(dtype.Bool))
	pass := &graph.Pass{Key: "label " + l.key, Begin: l.begin}
	array := graph.At("").Later(graph.LaterArg{Key: "label", Pass: pass, Build: func(in []*graph.Node, found any) *graph.Node {
		j := found.(*joining)
		if parts := in[0]; parts.Kind == graph.Load || j.bits == nil {
			return l.joined(parts, a.Grid(), j)
		}
		return l.joined(l.inChunks(ndarray.FromSource(j.bits, "mask")).Node(), a.Grid(), j)
	}}, dtype.Int32, a.Grid(), parts.Node())
	count := graph.At("").Later(graph.LaterArg{Key: "count of labels", Pass: pass, Build: func(_ []*graph.Node, found any) *graph.Node {
		return ndarray.Full(nil, int64(found.(*joining).count), dtype.Int32).Node()
	}}, dtype.Int32, chunk.Grid{Shape: chunk.Shape{}}, parts.Node())
	return Labels{ndarray.FromNode(array), ndarray.FromNode(count)}
}

// mostPiece is how many elements are labelled together at most: few enough that a task has room for them, and for what they are made of.
const mostPiece = 1 << 20

// pieces returns a grid with chunks of at most that many elements, halves of halves of g's.
func pieces(g chunk.Grid) chunk.Grid {
	steps := g.MaxChunk()
	for steps.Size() > mostPiece {
		k := 0
		for i, n := range steps {
			if n > steps[k] {
				k = i
			}
		}
		steps[k] = (steps[k] + 1) / 2
	}
	out := chunk.Grid{Shape: g.Shape, Axes: slices.Clone(g.Axes)}
	for k, x := range g.Axes {
		if steps[k] < x.Max() {
			out.Axes[k] = chunk.Axis{Len: x.Len, Step: steps[k]}
		}
	}
	return out
}

// neighbours returns the offsets of a structure that come before the middle, row-major.
func neighbours(a ndarray.Array, s Footprint) ([][]int64, error) {
	if slices.ContainsFunc(s.Shape, func(n int64) bool { return n != 3 }) {
		return nil, fmt.Errorf("ndimage: label: structure: got shape %v, want 3 along each axis", s.Shape)
	}
	list, err := s.offsets("label", a, nil)
	if err != nil {
		return nil, err
	}
	has := map[string]bool{}
	for _, d := range list {
		has[fmt.Sprint(d)] = true
	}
	var before [][]int64
	for _, d := range list {
		back := make([]int64, len(d))
		for k := range d {
			back[k] = -d[k]
		}
		if !has[fmt.Sprint(back)] {
			return nil, fmt.Errorf("ndimage: label: structure: position %v is set and %v is not; it has to be the same in both directions", d, back)
		}
		if slices.Compare(d, make([]int64, len(d))) < 0 {
			before = append(before, d)
		}
	}
	return before, nil
}

// labelling is one call of Label.
type labelling struct {
	grid   chunk.Grid
	around [][]int64 // neighbours before a position
	key    string
}

// inChunks returns the parts of each chunk, numbered from 1 in the order of their first elements.
func (l *labelling) inChunks(a ndarray.Array) ndarray.Array {
	arg := graph.OpaqueArg{
		Key:    "parts of chunks " + l.key,
		Blocks: l.grid.Axes,
		Need:   func(_ int, at chunk.Region) chunk.Region { return l.chunks(at) },
		Scratch: func(out chunk.Shape) int64 { // a chunk's labels and, for each, its parent; the chunks that a region may touch beside those it would at the origin
			touched := out.Clone()
			for k, x := range l.grid.Axes {
				touched[k] = min(out[k]+x.Max(), x.Len)
			}
			return mem.ClassBytes(8*l.grid.MaxChunk().Size()) + touched.Size()
		},
		Run: func(ctx context.Context, c graph.OpaqueCall) error {
			have := l.chunks(c.At)
			for k := range l.grid.Covering(c.At) {
				r := l.grid.Region(k)
				in, at := c.In[0].Sub(moved(r, have)), c.At.Intersect(r)
				if err := l.number(c, in, r, at); err != nil {
					return err
				}
			}
			return ctx.Err()
		},
	}
	return ndarray.FromNode(graph.At("").Opaque(arg, dtype.Int32, l.grid, a.Node()))
}

// chunks returns the region of the chunks that a region lies in.
func (l *labelling) chunks(at chunk.Region) chunk.Region {
	r := at.Clone()
	for k, x := range l.grid.Axes {
		if r.Hi[k] > r.Lo[k] {
			r.Lo[k], _ = x.Bounds(x.Find(r.Lo[k]))
			_, r.Hi[k] = x.Bounds(x.Find(r.Hi[k] - 1))
		}
	}
	return r
}

// moved returns r in the coordinates of a chunk that begins where from does.
func moved(r, from chunk.Region) chunk.Region {
	r = r.Clone()
	for k := range r.Lo {
		r.Lo[k] -= from.Lo[k]
		r.Hi[k] -= from.Lo[k]
	}
	return r
}

// number labels one chunk, the region r, of which in holds the elements, and stores what of it lies in the region at of c.
func (l *labelling) number(c graph.OpaqueCall, in *chunk.Chunk, r, at chunk.Region) error {
	shape := r.Shape()
	n := shape.Size()
	block, err := c.Device.Allocator().Alloc(8 * n)
	if err != nil {
		return err
	}
	defer block.Release()
	both := chunk.Elems[int32](block)
	labels, parent := both[:n], both[n:n:2*n]
	parent = l.scan(labels, parent, shape, in)
	// Roots are numbered in the order in which they came, which is that of first elements.
	next := int32(0)
	for i, p := range parent {
		if p == int32(i) {
			next++
			parent[i] = -next
		} else {
			parent[i] = parent[p] // which comes before i and is numbered
		}
	}
	strides := shape.RowMajor()
	part, to := moved(at, r), moved(at, c.At)
	dst := chunk.Elems[int32](c.Out.Block)
	eachRow(part, func(pos []int64, length int64) {
		from, put := int64(0), c.Out.Offset
		step := int64(1)
		for k := range pos {
			from += pos[k] * strides[k]
			put += (pos[k] - part.Lo[k] + to.Lo[k]) * c.Out.Strides[k]
			step = c.Out.Strides[k]
		}
		for i := range length {
			v := labels[from+i]
			if v > 0 {
				v = -parent[v-1]
			}
			dst[put+i*step] = v
		}
	})
	return nil
}

// eachRow calls f with the position of each row along the last axis of a region, and its length.
func eachRow(r chunk.Region, f func(pos []int64, length int64)) {
	last := len(r.Lo) - 1
	if last < 0 {
		f(nil, 1)
		return
	}
	if r.Empty() {
		return
	}
	pos := slices.Clone(r.Lo)
	for {
		f(pos, r.Hi[last]-r.Lo[last])
		k := last - 1
		for ; k >= 0; k-- {
			if pos[k]++; pos[k] < r.Hi[k] {
				break
			}
			pos[k] = r.Lo[k]
		}
		if k < 0 {
			return
		}
	}
}

// scan gives each element of a chunk that is not 0 a provisional label, 1 and up, and joins those of neighbours in parent, where label v has
// the entry v-1; it returns parent. A parent is never larger than its child.
func (l *labelling) scan(labels, parent []int32, shape chunk.Shape, in *chunk.Chunk) []int32 {
	rank := len(shape)
	strides := shape.RowMajor()
	truth := chunk.Elems[bool](in.Block)
	steps := make([]int64, len(l.around))
	for i, d := range l.around {
		for k := range d {
			steps[i] += d[k] * strides[k]
		}
	}
	inside := make([]bool, len(l.around))
	eachRow(chunk.Whole(shape), func(pos []int64, length int64) {
		from, at, step := in.Offset, int64(0), int64(1)
		for k := range pos {
			from += pos[k] * in.Strides[k]
			at += pos[k] * strides[k]
			step = in.Strides[k]
		}
		// Which neighbours' rows there are.
		for i, d := range l.around {
			inside[i] = true
			for k := range rank - 1 {
				p := pos[k] + d[k]
				inside[i] = inside[i] && p >= 0 && p < shape[k]
			}
		}
		for x := range length {
			if !truth[from+x*step] {
				labels[at+x] = 0
				continue
			}
			v := int32(0)
			for i, d := range l.around {
				if !inside[i] || x+d[rank-1] < 0 || x+d[rank-1] >= length {
					continue
				}
				w := labels[at+x+steps[i]]
				switch {
				case w == 0 || w == v:
				case v == 0:
					v = w
				default:
					v = union(parent, v-1, w-1) + 1
				}
			}
			if v == 0 {
				v = int32(len(parent)) + 1
				parent = append(parent, v-1)
			}
			labels[at+x] = v
		}
	})
	return parent
}

// find returns the root of i, and shortens the way to it.
func find[T int32 | int64](parent []T, i T) T {
	for parent[i] != i {
		parent[i] = parent[parent[i]]
		i = parent[i]
	}
	return i
}

// union joins the sets of i and j and returns the root, the smaller of theirs.
func union[T int32 | int64](parent []T, i, j T) T {
	i, j = find(parent, i), find(parent, j)
	if i > j {
		i, j = j, i
	}
	parent[j] = i
	return i
}

// joined returns the labels, on the grid of the operand: each part of a chunk has the number of the joined one.
func (l *labelling) joined(parts *graph.Node, grid chunk.Grid, j *joining) *graph.Node {
	arg := graph.OpaqueArg{
		Key:  fmt.Sprintf("joined parts %x", j.hash),
		Need: func(_ int, at chunk.Region) chunk.Region { return at.Clone() },
		Run: func(ctx context.Context, c graph.OpaqueCall) error {
			src, dst := chunk.Elems[int32](c.In[0].Block), chunk.Elems[int32](c.Out.Block)
			for k := range l.grid.Covering(c.At) {
				table := j.number[j.first[l.grid.Linear(k)]:]
				eachRow(moved(c.At.Intersect(l.grid.Region(k)), c.At), func(pos []int64, length int64) {
					from, to, step, by := c.In[0].Offset, c.Out.Offset, int64(1), int64(1)
					for k := range pos {
						from += pos[k] * c.In[0].Strides[k]
						to += pos[k] * c.Out.Strides[k]
						step, by = c.In[0].Strides[k], c.Out.Strides[k]
					}
					for i := range length {
						v := src[from+i*step]
						if v > 0 {
							v = table[v-1]
						}
						dst[to+i*by] = v
					}
				})
			}
			return ctx.Err()
		},
		Blocks: l.grid.Axes,
		Holds:  4*int64(len(j.number)) + 8*int64(len(j.first)),
	}
	return graph.At("").Opaque(arg, dtype.Int32, grid, parts)
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// UniqueSet are the distinct elements of an array, in Sort's order, and what belongs to each. Their number is known after a run.
type UniqueSet struct {
	Values  Array // the distinct elements, of the array's dtype
	Indices Array // int64: the position of the first of each, in C order
	Inverse Array // int64, of the array's shape: which of Values each element is
	Counts  Array // int64: how many of each there are
}

// Unique returns the distinct elements of a. -0 and 0 are one, which is stored as the first of them. NaN are one value with equalNaN, else each is one
// of its own, in the order of their positions.
//
// An engine looks at a chunk by chunk and keeps what is distinct: that has to fit half its budget. Complex numbers and what are no numbers are errors.
func (a Array) Unique(equalNaN bool) UniqueSet {
	fail := func(bad Array) UniqueSet { return UniqueSet{bad, bad, bad, bad} }
	switch {
	case a.Err() != nil:
		return fail(a)
	case !a.DType().IsNumeric() || a.DType().IsComplex():
		return fail(failf("ndarray: unique: operand: got %v, want real numbers: %w", a.DType(), dtype.ErrPromote))
	}
	d := a.DType()
	pass := &graph.Pass{
		Key: fmt.Sprintf("unique nan=%v", equalNaN),
		Begin: func(n *graph.Node, budget int64) graph.Finder {
			return newUniques[d.Size()](d, n.Shape(), equalNaN, budget)
		},
	}
	part := func(name string, dt dtype.DType, grid chunk.Grid, build func(a Array, u *uniques) Array) Array {
		return later(pass.Key+" "+name, pass, []Array{a}, dt, grid, func(in []Array, found any) Array { return build(in[0], found.(*uniques)) })
	}
	return UniqueSet{
		Values:  part("values", d, unknownAxis(), func(_ Array, u *uniques) Array { return u.values }),
		Indices: part("indices", dtype.Int64, unknownAxis(), func(_ Array, u *uniques) Array { return FromSlice(u.first) }),
		Counts:  part("counts", dtype.Int64, unknownAxis(), func(_ Array, u *uniques) Array { return FromSlice(u.counts) }),
		Inverse: part("inverse", dtype.Int64, a.Grid(), func(a Array, u *uniques) Array { return u.inverse(a) }),
	}
}

// uniques are the distinct elements of an array.
type uniques struct {
	values        Array
	first, counts []int64
	missing       int // how many values at the end are NaN of their own
}

// inverse returns which of the values the elements of a are.
func (u *uniques) inverse(a Array) Array {
	if u.missing == 0 {
		return u.values.SearchSorted(a, SearchOptions{})
	}
	known := len(u.first) - u.missing
	flat := Array{here().Fill(chunk.DefaultGrid(chunk.Shape{a.Size()}, 8), kernels.Const{}, 0)}.Reshape(a.Shape()...)
	which := FromSlice(u.first[known:]).SearchSorted(flat, SearchOptions{})
	return Where(a.IsNaN(), Apply("add", which, known), u.values.SearchSorted(a, SearchOptions{}))
}

// newUniques makes the finders of distinct elements, by the bytes of one.
var newUniques = map[int]func(d dtype.DType, shape chunk.Shape, equalNaN bool, budget int64) graph.Finder{
	1: newUniqueFinder[uint8], 2: newUniqueFinder[uint16], 4: newUniqueFinder[uint32], 8: newUniqueFinder[uint64],
}

// distinct are keys that ascend, with the first position and the number of each.
type distinct[K order.Key] struct {
	keys          []K
	first, counts []int64
}

// uniqueFinder finds distinct elements: it sorts a part of a region at a time and merges what it has found, as long as another.
type uniqueFinder[K order.Key] struct {
	order.Encoder[K]
	dt       dtype.DType
	strides  []int64
	equalNaN bool
	budget   int64
	held     int64 // distinct elements, and NaN, that are kept
	runs     []distinct[K]
	nan      []int64 // positions of NaN that are values of their own
	zero     int64   // the first position of a zero, -1 for none
	negative bool    // that zero is -0

	keys, room []K     // the part
	at         []int64 // positions of its elements
	perm       []int64
	pairs      *order.Room
}

// uniquePart is how many elements are sorted at a time: their keys and positions stay in the second cache.
const uniquePart = 1 << 15

func newUniqueFinder[K order.Key](d dtype.DType, shape chunk.Shape, equalNaN bool, budget int64) graph.Finder {
	return &uniqueFinder[K]{
		Encoder: order.EncoderOf[K](d, false), dt: d, strides: shape.RowMajor(), equalNaN: equalNaN, budget: budget, zero: -1,
		keys: make([]K, 0, uniquePart), room: make([]K, uniquePart), at: make([]int64, 0, uniquePart), perm: make([]int64, uniquePart), pairs: order.NewRoom(uniquePart),
	}
}

// Add collects the distinct elements of a region.
func (f *uniqueFinder[K]) Add(at chunk.Region, c *chunk.Chunk) (err error) {
	if c.Shape.Size() == 0 {
		return nil
	}
	src := chunk.Elems[K](c.Block)
	flat := &chunk.Chunk{Shape: c.Shape, Strides: f.strides}
	for k, lo := range at.Lo {
		flat.Offset += lo * f.strides[k]
	}
	eachRow(flat, c, func(to, step, from, by, n int64) {
		for n > 0 && err == nil {
			m := min(n, int64(uniquePart-len(f.keys)))
			f.take(src[from:], by, to, step, int(m))
			if len(f.keys) == uniquePart {
				err = f.flush()
			}
			n, from, to = n-m, from+m*by, to+m*step
		}
	})
	if err == nil {
		err = f.flush()
	}
	return err
}

// take adds n elements, by apart, at positions from to, step apart, to the part.
func (f *uniqueFinder[K]) take(src []K, by, to, step int64, n int) {
	old := len(f.keys)
	f.keys = f.keys[:old+n]
	added := f.keys[old:]
	f.Encode(added, src, int(by))
	if f.Kind != order.Float {
		for i := range n {
			f.at = append(f.at, to+int64(i)*step)
		}
		return
	}
	zero, missing := f.Zero(), f.Missing()
	keep := old
	for i, k := range added {
		p := to + int64(i)*step
		if k == zero && (f.zero < 0 || p < f.zero) {
			f.zero, f.negative = p, src[int64(i)*by] != 0
		}
		if k == missing && !f.equalNaN {
			f.nan = append(f.nan, p)
			f.held++
			continue
		}
		f.keys[keep] = k
		f.at = append(f.at, p)
		keep++
	}
	f.keys = f.keys[:keep]
}

// flush sorts the part and merges its distinct elements into the runs before it.
func (f *uniqueFinder[K]) flush() error {
	n := len(f.keys)
	if n > 0 {
		perm := f.perm[:n]
		order.Positions(perm, f.keys, f.pairs)
		var run distinct[K]
		for _, p := range perm {
			k := f.keys[p]
			if last := len(run.keys) - 1; last >= 0 && run.keys[last] == k {
				run.counts[last]++
				continue
			}
			run.keys = append(run.keys, k)
			run.first = append(run.first, f.at[p]) // the lowest: positions ascend within a part, and the sort is stable
			run.counts = append(run.counts, 1)
		}
		f.keys, f.at = f.keys[:0], f.at[:0]
		f.runs = append(f.runs, run)
		f.held += int64(len(run.keys))
		for len(f.runs) > 1 && len(f.runs[len(f.runs)-2].keys) < 2*len(f.runs[len(f.runs)-1].keys) {
			f.join()
		}
	}
	return f.fits()
}

// join merges the last two runs.
func (f *uniqueFinder[K]) join() {
	n := len(f.runs)
	a, b := f.runs[n-2], f.runs[n-1]
	merged := a.merge(b)
	f.held -= int64(len(a.keys) + len(b.keys) - len(merged.keys))
	f.runs = append(f.runs[:n-2], merged)
}

// itemBytes is what a distinct element takes: its key, position and number, twice while runs are merged, and once more in the result.
func (f *uniqueFinder[K]) itemBytes() int64 { return 3 * (int64(f.dt.Size()) + 16) }

// fits returns an error where more has been found than there is room for.
func (f *uniqueFinder[K]) fits() error {
	if bytes := f.held * f.itemBytes(); bytes > f.budget {
		return &graph.NoRoom{What: fmt.Sprintf("%d distinct elements and more", f.held), Bytes: bytes}
	}
	return nil
}

// merge returns the keys of both.
func (d distinct[K]) merge(e distinct[K]) distinct[K] {
	n := len(d.keys) + len(e.keys)
	out := distinct[K]{make([]K, 0, n), make([]int64, 0, n), make([]int64, 0, n)}
	i, j := 0, 0
	for i < len(d.keys) || j < len(e.keys) {
		switch {
		case j == len(e.keys) || i < len(d.keys) && d.keys[i] < e.keys[j]:
			out.add(d, i)
			i++
		case i == len(d.keys) || e.keys[j] < d.keys[i]:
			out.add(e, j)
			j++
		default:
			out.keys = append(out.keys, d.keys[i])
			out.first = append(out.first, min(d.first[i], e.first[j]))
			out.counts = append(out.counts, d.counts[i]+e.counts[j])
			i, j = i+1, j+1
		}
	}
	return out
}

// add appends element i of from.
func (d *distinct[K]) add(from distinct[K], i int) {
	d.keys = append(d.keys, from.keys[i])
	d.first = append(d.first, from.first[i])
	d.counts = append(d.counts, from.counts[i])
}

// Found returns all distinct elements: *uniques.
func (f *uniqueFinder[K]) Found() (any, error) {
	for len(f.runs) > 1 {
		f.join()
	}
	var all distinct[K]
	if len(f.runs) == 1 {
		all = f.runs[0]
	}
	u := &uniques{first: all.first, counts: all.counts, missing: len(f.nan)}
	slices.Sort(f.nan)
	for _, p := range f.nan {
		all.keys = append(all.keys, f.Missing())
		u.first, u.counts = append(u.first, p), append(u.counts, 1)
	}
	c := hostChunk(f.dt, 0, chunk.Shape{int64(len(all.keys))})
	dst := chunk.Elems[K](c.Block)
	f.Decode(dst, all.keys, 1)
	if f.negative {
		i := order.Search(all.keys, f.Zero(), false)
		dst[i] = 1 << (8*f.dt.Size() - 1)
	}
	u.values = FromChunk(c, nil)
	return u, nil
}

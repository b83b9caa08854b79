// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// wants says what a sweep finds out about each group of elements; their number and their box it always does.
type wants struct {
	axes     bool // sums of the positions along each axis
	sum      bool // of an image's elements
	squares  bool // sums of their squares
	weighted bool // sums of their products with the positions along each axis
	extremes bool // the smallest and the largest, and where the first of each is
	values   bool // all of them
}

// with returns what either wants.
func (w wants) with(o wants) wants {
	return wants{w.axes || o.axes, w.sum || o.sum, w.squares || o.squares, w.weighted || o.weighted, w.extremes || o.extremes, w.values || o.values}
}

// grouping says which elements belong together.
type grouping struct {
	alone bool    // all do: there are no labels
	one   bool    // all with labels above 0 do
	index []int64 // those of each of these labels, which ascend; nil: of each label above 0
}

// key tells groupings apart.
func (b grouping) key() string {
	return fmt.Sprintf("%v %v %v %s", b.alone, b.one, b.index != nil, indexKey(b.index))
}

// groupSweep returns the sweep over labels, which come first unless all elements belong together, and images.
func groupSweep(want wants, by grouping) *graph.Sweep {
	return &graph.Sweep{
		Key: fmt.Sprintf("measures of labels %v %s", want, by.key()),
		Begin: func(dts []dtype.DType, shape chunk.Shape, budget int64) graph.Sweeper {
			g := &gatherer{want: want, by: by, dts: dts, shape: shape, strides: shape.RowMajor(), budget: budget}
			g.total = g.newRows()
			return g
		},
	}
}

// gatherer measures groups: a graph.Sweeper. Each region has rows of its own, which are then added to those of all.
type gatherer struct {
	want    wants
	by      grouping
	dts     []dtype.DType
	shape   chunk.Shape
	strides []int64
	budget  int64

	mu    sync.Mutex
	total *rows
	spare []*rows
}

// rows are measures of groups, a row for each in the order in which they were met.
type rows struct {
	g      *gatherer
	places rowTable
	labels []int64
	count  []int64
	box    []int64 // of each row, the first position along each axis and then the one after the last
	axes   []sums
	images []image
	spans  []span
	to     []int32
}

// mostRows is how many rows of its own a region has at most before they are added to those of all: their bytes are small beside a task's.
const mostRows = 1024

// rowBytes is what a row takes beside sums: its label, count and place.
const rowBytes = 64

// newRows returns rows for what the gatherer measures.
func (g *gatherer) newRows() *rows {
	r := &rows{g: g}
	if g.want.axes {
		r.axes = make([]sums, len(g.shape))
	}
	images := g.dts
	if !g.by.alone {
		images = images[1:]
	}
	for _, d := range images {
		r.images = append(r.images, newImage[d](d, g.want, len(g.shape)))
	}
	return r
}

// Add measures what a region holds of each group.
func (g *gatherer) Add(at chunk.Region, c []*chunk.Chunk) error {
	g.mu.Lock()
	var r *rows
	if n := len(g.spare); n > 0 {
		r, g.spare = g.spare[n-1], g.spare[:n-1]
	}
	g.mu.Unlock()
	if r == nil {
		r = g.newRows()
	}
	err := r.region(at, c)
	g.mu.Lock()
	defer g.mu.Unlock()
	if err == nil {
		err = g.join(r)
	}
	g.spare = append(g.spare, r)
	return err
}

// region measures a region.
func (r *rows) region(at chunk.Region, c []*chunk.Chunk) (err error) {
	rank := len(at.Lo)
	images := c
	if !r.g.by.alone {
		images = c[1:]
	}
	eachRow(at, func(pos []int64, length int64) {
		if err != nil {
			return
		}
		flat, step := int64(0), int64(1)
		for k, p := range pos {
			flat += p * r.g.strides[k]
		}
		offset := func(c *chunk.Chunk) int64 {
			from := c.Offset
			for k, p := range pos {
				from += (p - at.Lo[k]) * c.Strides[k]
			}
			if rank > 0 {
				step = c.Strides[rank-1]
			}
			return from
		}
		r.spans = r.spans[:0]
		if r.g.by.alone {
			r.spans = append(r.spans, span{label: 1, n: length})
		} else {
			least := int64(1)
			if r.g.by.index != nil {
				least = math.MinInt64
			}
			from := offset(c[0])
			if r.spans, err = labelSpans[c[0].DType](r.spans, c[0], from, step, length, least); err != nil {
				return
			}
		}
		r.place(pos, rank)
		for i, m := range r.images {
			from := offset(images[i])
			m.line(r.spans, pos, images[i], from, step, flat)
		}
		if len(r.labels) > mostRows {
			r.g.mu.Lock()
			err = r.g.join(r)
			r.g.mu.Unlock()
		}
	})
	return err
}

// place gives spans of one line, which begins at pos, their rows, and notes what does not depend on images.
func (r *rows) place(pos []int64, rank int) {
	kept := r.spans[:0]
	label, row := int64(math.MinInt64), int32(-1)
	for _, s := range r.spans {
		if s.label != label || len(kept) == 0 {
			label, row = s.label, r.row(s.label)
		}
		if row < 0 {
			continue
		}
		s.row = row
		kept = append(kept, s)
		r.count[row] += s.n
		if rank == 0 {
			continue
		}
		box := r.box[int(row)*2*rank:][:2*rank]
		first := pos[rank-1] + s.start
		for k, p := range pos[:rank-1] {
			box[k], box[rank+k] = min(box[k], p), max(box[rank+k], p+1)
		}
		box[rank-1], box[2*rank-1] = min(box[rank-1], first), max(box[2*rank-1], first+s.n)
		if r.axes == nil {
			continue
		}
		for k, p := range pos[:rank-1] {
			r.axes[k].addInts(int(row), s.n, p)
		}
		r.axes[rank-1].addInts(int(row), s.n, first)
		r.axes[rank-1].addInts(int(row), s.n-1, s.n/2) // 0 + 1 + ... n-1, where n is even
		if s.n%2 != 0 {
			r.axes[rank-1].addInts(int(row), s.n/2, 1)
		}
	}
	r.spans = kept
}

// row returns the row of a label, a new one where it has none; -1 where it is not among those that are asked for.
func (r *rows) row(label int64) int32 {
	if r.g.by.one {
		label = 1
	}
	if row := r.places.get(label); row >= 0 {
		return row
	}
	if r.g.by.index != nil {
		if _, ok := slices.BinarySearch(r.g.by.index, label); !ok {
			return -1
		}
	}
	return r.add(label)
}

// add makes a row.
func (r *rows) add(label int64) int32 {
	n := len(r.labels) + 1
	r.places.set(label, int32(n-1))
	r.labels = append(r.labels, label)
	r.count = append(r.count, 0)
	for range r.g.shape {
		r.box = append(r.box, math.MaxInt64)
	}
	for range r.g.shape {
		r.box = append(r.box, math.MinInt64)
	}
	for k := range r.axes {
		r.axes[k].addRows(n)
	}
	for _, m := range r.images {
		m.addRows(n)
	}
	return int32(n - 1)
}

// join adds rows to those of all, and takes them away. The caller holds the lock.
func (g *gatherer) join(r *rows) error {
	t := g.total
	rank := len(g.shape)
	r.to = r.to[:0]
	for i, label := range r.labels {
		row := t.places.get(label)
		if row < 0 {
			row = t.add(label)
		}
		r.to = append(r.to, row)
		t.count[row] += r.count[i]
		from, into := r.box[i*2*rank:][:2*rank], t.box[int(row)*2*rank:][:2*rank]
		for k := range rank {
			into[k], into[rank+k] = min(into[k], from[k]), max(into[rank+k], from[rank+k])
		}
	}
	for k := range t.axes {
		t.axes[k].addAll(&r.axes[k], r.to)
	}
	for i, m := range t.images {
		m.addAll(r.images[i], r.to)
	}
	r.reset()
	if n := t.bytes(); n > g.budget {
		return &graph.NoRoom{What: fmt.Sprintf("the measures of %d labels", len(t.labels)), Bytes: n, Instead: " or measure fewer properties"}
	}
	return nil
}

// reset takes all rows away.
func (r *rows) reset() {
	for _, label := range r.labels {
		r.places.drop(label)
	}
	r.labels, r.count, r.box = r.labels[:0], r.count[:0], r.box[:0]
	for k := range r.axes {
		r.axes[k].reset()
	}
	for _, m := range r.images {
		m.reset()
	}
}

// bytes returns what the rows take.
func (r *rows) bytes() int64 {
	n := int64(len(r.labels))*rowBytes + int64(cap(r.box))*8 + int64(cap(r.places.near))*4
	for k := range r.axes {
		n += r.axes[k].bytes()
	}
	for _, m := range r.images {
		n += m.bytes()
	}
	return n
}

// Found returns the measures: *groups.
func (g *gatherer) Found() (any, error) {
	g.spare = nil
	out := &groups{rows: g.total, rank: len(g.shape), strides: g.strides}
	for i := range g.total.labels {
		out.order = append(out.order, i)
	}
	slices.SortFunc(out.order, func(a, b int) int { return cmp.Compare(g.total.labels[a], g.total.labels[b]) })
	return out, nil
}

// groups are the measures of all groups; order are their rows by ascending label.
type groups struct {
	*rows
	rank    int
	strides []int64
	order   []int
}

// of returns the row of a label, -1 for none.
func (g *groups) of(label int64) int { return int(g.places.get(label)) }

// rowTable finds the row of a label: in a list where the label is small, as most are, else in a map.
type rowTable struct {
	near []int32 // rows + 1
	far  map[int64]int32
}

// nearest is the label from which on rows are in the map.
const nearest = 1 << 18

// get returns the row of a label, -1 where it has none.
func (t *rowTable) get(label int64) int32 {
	if uint64(label) < uint64(len(t.near)) {
		return t.near[label] - 1
	}
	if row, ok := t.far[label]; ok {
		return row
	}
	return -1
}

// set notes the row of a label.
func (t *rowTable) set(label int64, row int32) {
	if uint64(label) >= nearest {
		if t.far == nil {
			t.far = map[int64]int32{}
		}
		t.far[label] = row
		return
	}
	if n := int(label) + 1; n > len(t.near) {
		t.near = append(t.near, make([]int32, max(n, min(2*len(t.near), nearest))-len(t.near))...)
	}
	t.near[label] = row + 1
}

// drop forgets a label.
func (t *rowTable) drop(label int64) {
	if uint64(label) < uint64(len(t.near)) {
		t.near[label] = 0
		return
	}
	delete(t.far, label)
}

// span is a run of equal labels in a line along the last axis.
type span struct {
	label    int64
	start, n int64
	row      int32
}

// labelSpans finds the runs of equal labels, none below least, in a line of n elements, step apart.
var labelSpans = map[dtype.DType]func(to []span, c *chunk.Chunk, from, step, n, least int64) ([]span, error){
	dtype.Bool: spansOf[uint8],
	dtype.Int8: spansOf[int8], dtype.Int16: spansOf[int16], dtype.Int32: spansOf[int32], dtype.Int64: spansOf[int64],
	dtype.Uint8: spansOf[uint8], dtype.Uint16: spansOf[uint16], dtype.Uint32: spansOf[uint32], dtype.Uint64: spansOf[uint64],
}

// integer are the types of labels.
type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

func spansOf[L integer](to []span, c *chunk.Chunk, from, step, n, least int64) ([]span, error) {
	src := chunk.Elems[L](c.Block)[from:]
	for i := int64(0); i < n; {
		v := src[i*step]
		start := i
		if step == 1 {
			line := src[:n]
			for i++; i < n && line[i] == v; i++ {
			}
		} else {
			for i++; i < n && src[i*step] == v; i++ {
			}
		}
		label := int64(v)
		if v > 0 && label < 0 {
			return to, fmt.Errorf("label %d: want at most %d", v, int64(math.MaxInt64))
		}
		if label >= least {
			to = append(to, span{label: label, start: start, n: i - start})
		}
	}
	return to, nil
}

// groupsOf returns what build makes of the groups of images by labels, nil for all elements together; of dtype dt and a grid whose lengths may be unknown.
func groupsOf(key string, want wants, by grouping, labels *ndarray.Array, images []ndarray.Array, dt dtype.DType, grid chunk.Grid, build func(g *groups) ndarray.Array) ndarray.Array {
	var in []*graph.Node
	if labels != nil {
		in = append(in, labels.Node())
	}
	for _, a := range images {
		in = append(in, a.Node())
	}
	return ndarray.FromNode(graph.At("").Later(graph.LaterArg{Key: key, Sweep: groupSweep(want, by), Build: func(_ []*graph.Node, found any) *graph.Node {
		return build(found.(*groups)).Node()
	}}, dt, grid, in...))
}

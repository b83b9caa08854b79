// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Update starts writing regions of arrays of the hierarchy in the directory at path, as its metadata say they are stored. Sink(i)
// takes parts[i]: its grid cuts the region where stored chunks (or shards) end, so each of them has one owner, who reads, changes
// and writes what the region does not cover whole.
//
// Chunks change as they are written: a region inside of an array is not replaced in one step. What lies beyond
// the old length is seen after Commit only, which writes the metadata; after Abort the array has its old length. Where Commit was killed between two
// documents, the next Update takes back what it had done.
func Update(ctx context.Context, path string, parts []formats.Part) (formats.Writer, error) {
	w, err := UpdateStore(ctx, store.NewDir(path), parts)
	if err != nil {
		return nil, fmt.Errorf("formats/zarr: update %s: %w", path, err)
	}
	return w, nil
}

// updater is the formats.Writer of Update.
type updater struct {
	st    store.Store
	sinks []*partSink
	done  atomic.Bool
}

// UpdateStore is Update for the hierarchy at the root of any store.
func UpdateStore(ctx context.Context, st store.Store, parts []formats.Part) (formats.Writer, error) {
	if err := settle(ctx, st); err != nil {
		return nil, err
	}
	w := &updater{st: st}
	for _, p := range parts {
		s, err := newPartSink(ctx, w, p)
		if err != nil {
			return nil, fmt.Errorf("array %q: %w", p.Name, err)
		}
		w.sinks = append(w.sinks, s)
	}
	return w, nil
}

// partSink writes a region of an array: a formats.Sink.
type partSink struct {
	w     *updater
	a     *array
	doc   object
	at    chunk.Region
	shape chunk.Shape // of the array after Commit
	grid  chunk.Grid
}

func newPartSink(ctx context.Context, w *updater, p formats.Part) (*partSink, error) {
	if p.Name != "" {
		if err := checkName(p.Name, 2); err != nil {
			return nil, err
		}
	}
	// the array's own document, not the consolidated copy, which may be stale
	n, err := (&tree{st: w.st}).own(ctx, p.Name)
	if err != nil {
		return nil, err
	}
	if n == nil && p.Name == arrayName(w.st) { // the hierarchy is one array
		if n, err = (&tree{st: w.st}).own(ctx, ""); err != nil {
			return nil, err
		}
		p.Name = ""
	}
	if n == nil || !n.array {
		return nil, fmt.Errorf("there is no such array: %w", fs.ErrNotExist)
	}
	a, err := newArray(w.st, p.Name, p.Name, n.doc, n.version)
	if err != nil {
		return nil, err
	}
	old := a.meta.Shape
	if p.Old != nil && !p.Old.Equal(old) {
		return nil, fmt.Errorf("its own metadata state the shape %v, what was read before %v; somebody else has changed it, or the consolidated metadata are not up to date: consolidate them again: %w", old, p.Old, chunk.ErrShape)
	}
	if len(p.At.Lo) != len(old) || len(p.At.Hi) != len(old) {
		return nil, fmt.Errorf("region %v of an array of shape %v: %w", p.At, old, chunk.ErrShape)
	}
	if err := a.writable(); err != nil {
		return nil, err
	}
	s := &partSink{w: w, a: a, doc: n.doc, at: p.At.Clone(), shape: old.Clone()}
	for i := range old {
		if p.At.Lo[i] < 0 || p.At.Hi[i] < p.At.Lo[i] {
			return nil, fmt.Errorf("region %v: %w", p.At, chunk.ErrShape)
		}
		s.shape[i] = max(old[i], p.At.Hi[i])
	}
	if !s.shape.Equal(old) && slices.ContainsFunc(a.unit, func(u []int64) bool { return len(u) > 1 }) {
		return nil, fmt.Errorf("an array with a rectilinear grid cannot grow: %w", formats.ErrFormat)
	}
	if _, err := s.shape.Bytes(int64(max(1, a.el.item))); err != nil {
		return nil, err
	}
	s.grid = chunk.Grid{Shape: p.At.Shape(), Axes: make([]chunk.Axis, len(old))}
	for i := range old {
		s.grid.Axes[i] = s.cuts(i)
	}
	return s, nil
}

// own returns the node at path from its own document.
func (t *tree) own(ctx context.Context, path string) (*node, error) {
	doc, err := t.document(ctx, join(path, "zarr.json"))
	if err != nil {
		return nil, err
	}
	if doc != nil {
		return node3(doc)
	}
	if doc, err = t.document(ctx, join(path, ".zarray")); err != nil || doc == nil {
		return nil, err
	}
	return &node{version: 2, array: true, doc: doc}, nil
}

// writable refuses arrays whose codecs only read.
func (a *array) writable() error {
	s := codec.Borrow()
	defer s.Return()
	for p := a.top; p != nil; {
		for _, st := range p.chain.Stages {
			if _, err := st.Encode(nil, nil, s); errors.Is(err, formats.ErrFormat) {
				return err
			}
		}
		if p.shard == nil {
			break
		}
		p = p.shard.inner
	}
	return nil
}

func (a *array) texts() bool { return a.el.dt == dtype.String }

// unitAt returns the number of the stored unit along axis i that holds position x, and where it starts and ends.
func (s *partSink) unitAt(i int, x int64) (k, lo, hi int64) {
	u := s.a.unit[i]
	if len(u) == 1 {
		k = x / u[0]
		return k, k * u[0], (k + 1) * u[0]
	}
	for ; k < int64(len(u))-1 && lo+u[k] <= x; k++ {
		lo += u[k]
	}
	return k, lo, lo + u[k]
}

// cuts returns axis i of the region, cut where stored units end.
func (s *partSink) cuts(i int) chunk.Axis {
	lo, hi := s.at.Lo[i], s.at.Hi[i]
	u := s.a.unit[i]
	if hi == lo || len(u) == 1 && lo%u[0] == 0 {
		return chunk.Axis{Len: hi - lo, Step: u[0]}
	}
	edges := []int64{0}
	for x := lo; x < hi; {
		_, _, end := s.unitAt(i, x)
		x = min(end, hi)
		edges = append(edges, x-lo)
	}
	if len(edges) == 2 {
		return chunk.Axis{Len: hi - lo, Step: hi - lo}
	}
	return chunk.Axis{Len: hi - lo, Edges: edges}
}

// Sink implements formats.Writer.
func (w *updater) Sink(i int) formats.Sink { return w.sinks[i] }

// Grid implements formats.Sink.
func (s *partSink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink: a whole unit, its stored bytes, and what reading the old ones takes.
func (s *partSink) ScratchBytes() int64 {
	n := int64(s.a.el.item)
	for _, u := range s.a.unit {
		n *= slices.Max(u)
	}
	return 3*n + 2*int64(s.a.top.bound(s.a.el.item)) + s.a.ScratchBytes() + s.a.top.leaf().chain.EncodeScratch(int(n))
}

// WriteChunk implements formats.Sink.
func (s *partSink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	n, err := s.write(ctx, k, c)
	if err != nil {
		return 0, fmt.Errorf("formats/zarr: write %s part %s: %w", s.a.name, keyText(k), err)
	}
	return n, nil
}

func (s *partSink) write(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	a := s.a
	if s.w.done.Load() {
		return 0, fmt.Errorf("the update is committed or aborted already")
	}
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || c.DType != a.el.dt || int(c.ItemBytes) != a.el.item {
		return 0, fmt.Errorf("got a %v chunk of shape %v, want %v and %v: %w", c.DType, c.Shape, a.el.dt, r.Shape(), chunk.ErrShape)
	}
	if r.Empty() {
		return 0, nil
	}
	rank := len(k)
	key, unit := make([]int64, rank), chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)}
	part := chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)} // in the array
	for i := range rank {
		part.Lo[i], part.Hi[i] = r.Lo[i]+s.at.Lo[i], r.Hi[i]+s.at.Lo[i]
		key[i], unit.Lo[i], unit.Hi[i] = s.unitAt(i, part.Lo[i])
	}
	z := codec.Borrow()
	defer z.Return()
	shape := unit.Shape()
	whole := &chunk.Chunk{DType: a.el.dt, ItemBytes: int32(a.el.item), Shape: shape, Strides: shape.RowMajor(), Block: wrap(make([]byte, shape.Size()*int64(a.el.item)))}
	formats.FillElems(whole, a.meta.Fill)
	if old := unit.Intersect(chunk.Whole(a.meta.Shape)); !old.Empty() && !part.Contains(old) {
		to := whole.Sub(formats.Shift(old, unit.Lo))
		to.Heap = whole.Heap
		if _, err := formats.ReadRegion(ctx, a, old, to); err != nil {
			return 0, err
		}
		whole.Heap = to.Heap
	}
	to := whole.Sub(formats.Shift(part, unit.Lo))
	to.Heap = whole.Heap
	formats.CopyElems(to, c)
	whole.Heap = to.Heap

	name := string(a.keys.append([]byte(join(a.path, "")), key))
	if a.meta.FillSet && a.isFill(whole) {
		return 0, s.w.st.Delete(ctx, name)
	}
	enc, err := a.encode(a.top, whole, z)
	if err != nil {
		return 0, err
	}
	return int64(len(enc)), s.w.st.Put(ctx, name, enc, store.PutOpt{})
}

// with returns a copy of o in which name has the value.
func (o object) with(name string, v any) object {
	out := slices.Clone(o)
	for i := range out {
		if out[i].name == name {
			out[i].value = v
		}
	}
	return out
}

// Abort implements formats.Writer. Chunks that were written stay; the arrays have their old lengths.
func (w *updater) Abort() error {
	w.done.Store(true)
	return nil
}

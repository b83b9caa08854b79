// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"fmt"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// span is a row of evenly stepped positions inside one chunk: destination
// positions x, x+1, ... hold source positions p, p+step, ...
type span struct{ x, p, step, n int64 }

// piece is what is wanted of one chunk along one axis.
type piece struct {
	k     int64
	lo    int64 // first position of the chunk
	n     int64 // length of the chunk
	spans []span
}

// reader fills buffers from sources. It belongs to one goroutine and keeps its
// scratch between calls.
type reader struct {
	r      *run
	pieces [][]piece
	key    chunk.Key
	pick   []int
	region chunk.Region
	turns  *turns // nil: everything is read
}

// whole reports whether the piece is the complete chunk, in its own order.
func (p *piece) whole() bool {
	return len(p.spans) == 1 && p.spans[0].step == 1 && p.spans[0].n == p.n
}

// cut lists the chunks of a that the map reads for loop indices lo to hi, with what is wanted of each.
func cut(out []piece, m plan.AxisMap, a chunk.Axis, lo, hi int64) []piece {
	out = out[:0]
	add := func(k int64, s span) {
		if n := len(out); n > 0 && out[n-1].k == k {
			out[n-1].spans = append(out[n-1].spans, s)
			return
		}
		from, to := a.Bounds(k)
		if n := len(out); n < cap(out) {
			out = out[:n+1]
			out[n] = piece{k: k, lo: from, n: to - from, spans: append(out[n].spans[:0], s)}
			return
		}
		out = append(out, piece{k: k, lo: from, n: to - from, spans: []span{s}})
	}
	switch {
	case m.Loop < 0:
		if m.Start >= 0 {
			add(a.Find(m.Start), span{0, m.Start, 1, 1})
		}
	case m.IDs != nil:
		return cutIDs(out, m.IDs[lo:hi], a)
	default:
		for x := lo; x < hi; {
			p := m.Start + m.Step*x
			k := a.Find(p)
			from, to := a.Bounds(k)
			n := hi - x
			if m.Step > 0 {
				n = min(n, (to-p+m.Step-1)/m.Step)
			} else if m.Step < 0 {
				n = min(n, (p-from)/-m.Step+1)
			}
			add(k, span{x - lo, p, m.Step, n})
			x += n
		}
	}
	return out
}

// cutIDs groups a list of positions by chunk, each in runs of consecutive positions.
func cutIDs(out []piece, ids []int64, a chunk.Axis) []piece {
	at := map[int64]int{}
	for x := 0; x < len(ids); {
		p := ids[x]
		if p < 0 {
			x++
			continue
		}
		k := a.Find(p)
		from, to := a.Bounds(k)
		n := 1
		for x+n < len(ids) && ids[x+n] == p+int64(n) && p+int64(n) < to {
			n++
		}
		s := span{int64(x), p, 1, int64(n)}
		if i, ok := at[k]; ok {
			out[i].spans = append(out[i].spans, s)
		} else {
			at[k] = len(out)
			out = append(out, piece{k: k, lo: from, n: to - from, spans: []span{s}})
		}
		x += n
	}
	return out
}

// read fills dst, whose axes are the source's axes (length 1 where the map is fixed), with what the
// maps read for the loop region at.
func (rd *reader) read(ctx context.Context, src *plan.Source, maps []plan.AxisMap, at chunk.Region, dst *chunk.Chunk) error {
	meta := src.Source.Meta()
	if missing(maps, at) {
		if err := fillAbsent(dst); err != nil {
			return err
		}
	}
	rr, ok := src.Source.(formats.RegionReader)
	if ok && rd.box(maps, at) {
		if !rd.turns.mine() {
			return nil
		}
		start := time.Now()
		n, err := rr.ReadRegion(ctx, rd.region, dst)
		rd.r.didRead(src, n, dst.Shape.Size()*int64(dst.ItemBytes), 1, start)
		if err != nil {
			return fmt.Errorf("%s region %v: %w", src.Name, rd.region, err)
		}
		return nil
	}
	return rd.chunks(maps, at, meta, func(whole bool) error {
		if !rd.turns.mine() {
			return nil
		}
		// Texts go through a chunk of their own: each has a heap.
		if whole && dst.DType != dtype.String {
			return rd.decode(ctx, src, rd.key, dst.Sub(rd.target()))
		}
		return rd.partly(ctx, src, meta, dst)
	})
}

// missing reports whether the maps read a position that does not exist in the loop region.
func missing(maps []plan.AxisMap, at chunk.Region) bool {
	for _, m := range maps {
		switch {
		case m.Loop < 0:
			if m.Start < 0 {
				return true
			}
		case m.IDs != nil:
			for _, p := range m.IDs[at.Lo[m.Loop]:at.Hi[m.Loop]] {
				if p < 0 {
					return true
				}
			}
		}
	}
	return false
}

// box sets region to what the maps read when that is one box in its own order.
func (rd *reader) box(maps []plan.AxisMap, at chunk.Region) bool {
	rd.size(len(maps))
	for i, m := range maps {
		lo, hi := int64(0), int64(1)
		if m.Loop >= 0 {
			lo, hi = at.Lo[m.Loop], at.Hi[m.Loop]
			if m.IDs != nil || m.Step != 1 && hi-lo > 1 {
				return false
			}
		}
		rd.region.Lo[i], rd.region.Hi[i] = m.Span(lo, hi)
		if rd.region.Hi[i] <= rd.region.Lo[i] {
			return false
		}
	}
	return true
}

func (rd *reader) size(rank int) {
	if len(rd.key) == rank && rd.region.Lo != nil {
		return
	}
	rd.key = make(chunk.Key, rank)
	rd.pick = make([]int, rank)
	rd.region = chunk.Region{Lo: make(chunk.Shape, rank), Hi: make(chunk.Shape, rank)}
	for len(rd.pieces) < rank {
		rd.pieces = append(rd.pieces, nil)
	}
}

// chunks calls f for every chunk that is wanted, with key and pick set; whole says that
// all of the chunk goes to one place in its own order.
func (rd *reader) chunks(maps []plan.AxisMap, at chunk.Region, meta *formats.ArrayMeta, f func(whole bool) error) error {
	rank := len(maps)
	rd.size(rank)
	for i, m := range maps {
		lo, hi := int64(0), int64(1)
		if m.Loop >= 0 {
			lo, hi = at.Lo[m.Loop], at.Hi[m.Loop]
		}
		rd.pieces[i] = cut(rd.pieces[i], m, meta.Grid.Axes[i], lo, hi)
		if len(rd.pieces[i]) == 0 {
			return nil
		}
		rd.pick[i] = 0
	}
	for {
		whole := true
		for i := range rank {
			p := &rd.pieces[i][rd.pick[i]]
			rd.key[i] = p.k
			whole = whole && p.whole()
		}
		if err := f(whole); err != nil {
			return err
		}
		i := rank - 1
		for ; i >= 0; i-- {
			rd.pick[i]++
			if rd.pick[i] < len(rd.pieces[i]) {
				break
			}
			rd.pick[i] = 0
		}
		if i < 0 {
			return nil
		}
	}
}

// target returns the region of the destination that the picked pieces fill, each of one span.
func (rd *reader) target() chunk.Region {
	for i := range rd.pick {
		s := &rd.pieces[i][rd.pick[i]].spans[0]
		rd.region.Lo[i], rd.region.Hi[i] = s.x, s.x+s.n
	}
	return rd.region
}

// decode reads one chunk into dst.
func (rd *reader) decode(ctx context.Context, src *plan.Source, k chunk.Key, dst *chunk.Chunk) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	start := time.Now()
	n, err := src.Source.ReadChunk(ctx, k, dst)
	rd.r.didRead(src, n, dst.Shape.Size()*int64(dst.ItemBytes), 1, start)
	if err != nil {
		return fmt.Errorf("%s chunk %s: %w", src.Name, keyText(k), err)
	}
	return nil
}

// partly reads the wanted part of one chunk by way of a temporary one.
func (rd *reader) partly(ctx context.Context, src *plan.Source, meta *formats.ArrayMeta, dst *chunk.Chunk) error {
	rank := len(rd.pick)
	shape := make(chunk.Shape, rank)
	origin := make(chunk.Shape, rank)
	rr, ok := src.Source.(formats.RegionReader)
	for i := range rank {
		p := &rd.pieces[i][rd.pick[i]]
		shape[i], origin[i] = p.n, p.lo
		if ok {
			lo, hi := p.bounds()
			shape[i], origin[i] = hi-lo, lo
		}
	}
	tmp, err := chunk.New(rd.r.pool, dst.DType, int(dst.ItemBytes), shape)
	if err != nil {
		return err
	}
	defer tmp.Release()
	if ok {
		r := chunk.Region{Lo: origin, Hi: make(chunk.Shape, rank)}
		for i := range r.Hi {
			r.Hi[i] = origin[i] + shape[i]
		}
		start := time.Now()
		n, err := rr.ReadRegion(ctx, r, tmp)
		rd.r.didRead(src, n, shape.Size()*int64(dst.ItemBytes), 1, start)
		if err != nil {
			return fmt.Errorf("%s region %v: %w", src.Name, r, err)
		}
	} else if err := rd.decode(ctx, src, rd.key, tmp); err != nil {
		return err
	}
	return rd.scatter(ctx, tmp, origin, dst)
}

// bounds returns the range of positions wanted of the piece.
func (p *piece) bounds() (lo, hi int64) {
	lo, hi = p.lo+p.n, p.lo
	for _, s := range p.spans {
		a, b := s.p, s.p+(s.n-1)*s.step
		lo, hi = min(lo, a, b), max(hi, a+1, b+1)
	}
	return lo, hi
}

// scatter copies the picked pieces from tmp, whose first element is at origin, to dst.
func (rd *reader) scatter(ctx context.Context, tmp *chunk.Chunk, origin chunk.Shape, dst *chunk.Chunk) error {
	rank := len(rd.pick)
	each := make([]int, rank)
	from, to := *tmp, *dst
	from.Shape, from.Strides = make(chunk.Shape, rank), make([]int64, rank)
	to.Shape = from.Shape
	for {
		from.Offset, to.Offset = tmp.Offset, dst.Offset
		for i := range rank {
			s := rd.pieces[i][rd.pick[i]].spans[each[i]]
			from.Shape[i] = s.n
			from.Strides[i] = tmp.Strides[i] * s.step
			from.Offset += (s.p - origin[i]) * tmp.Strides[i]
			to.Offset += s.x * dst.Strides[i]
		}
		if err := copyChunk(ctx, rd.r.device, &to, &from); err != nil {
			return err
		}
		i := rank - 1
		for ; i >= 0; i-- {
			each[i]++
			if each[i] < len(rd.pieces[i][rd.pick[i]].spans) {
				break
			}
			each[i] = 0
		}
		if i < 0 {
			dst.Heap = to.Heap
			return nil
		}
	}
}

// keyText prints a chunk key as (3, 0, 1).
func keyText(k chunk.Key) string {
	b := []byte{'('}
	for i, x := range k {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = fmt.Appendf(b, "%d", x)
	}
	return string(append(b, ')'))
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

var _ formats.Source = (*array)(nil)

// Meta implements formats.Source.
func (a *array) Meta() *formats.ArrayMeta { return &a.meta }

// maxTexts bounds the decoded size of a chunk of texts, which no metadata states.
const maxTexts = 1 << 30

// ScratchBytes implements formats.Source: the stored bytes, a decoded chunk beside the destination, codec state.
func (a *array) ScratchBytes() int64 {
	leaf, n := a.top.leaf(), a.fullBytes()
	b := leaf.chain.ScratchBytes(n) + int64(n) + 64<<10
	for p := a.top; p.shard != nil; p = p.shard.inner {
		b += int64(p.shard.raw + p.shard.stored)
		if !p.chain.Plain() {
			b += 2 * int64(p.bound(a.el.item))
		}
	}
	return b
}

// fullBytes returns the decoded bytes of the largest stored chunk.
func (a *array) fullBytes() int {
	if a.meta.Shards != nil {
		return int(a.top.leaf().shape.Size()) * a.el.item
	}
	n := int(a.meta.Grid.MaxChunk().Size()) * a.el.item
	for i := range a.unit {
		if m := a.meta.Grid.Axes[i].Max(); m > 0 && len(a.unit[i]) == 1 {
			n = n / int(m) * int(a.unit[i][0])
		}
	}
	return n
}

// DirectScratchBytes implements formats.DirectReader: chunks in the array's order that the array does not cut short
// are decoded in place.
func (a *array) DirectScratchBytes() int64 {
	p := a.top
	if p.shard != nil || p.chain.Order != nil || p.vlen != "" {
		return a.ScratchBytes()
	}
	for i, u := range a.unit {
		if len(u) == 1 && a.meta.Grid.Axes[i].Len%u[0] != 0 {
			return a.ScratchBytes()
		}
	}
	return p.chain.ScratchBytes(a.fullBytes()) + 64<<10
}

// source is where the bytes of a stored unit are: a key of the store, or memory.
type source struct {
	a    *array
	key  string
	mem  []byte
	off  int64 // of the part that is meant
	size int64 // of the part, -1: to the end
}

// get reads range r of the part. read counts what came from the store.
func (s *source) get(ctx context.Context, r store.Range, limit int64, buf []byte, read *int64) ([]byte, error) {
	if s.size >= 0 { // within a known part: make r absolute
		lo, n := r.Off, r.Len
		if lo < 0 {
			lo += s.size
		}
		if n < 0 {
			n = s.size - lo
		}
		if lo < 0 || n < 0 || lo+n > s.size || n > limit {
			return nil, fmt.Errorf("%d bytes at %d of a chunk of %d: %w", n, lo, s.size, formats.ErrCorrupt)
		}
		r = store.Range{Off: s.off + lo, Len: n}
	}
	if s.mem != nil {
		return s.mem[r.Off : r.Off+r.Len], nil
	}
	b, err := s.a.st.Get(ctx, s.key, r, limit, buf)
	if errors.Is(err, store.ErrRange) || errors.Is(err, store.ErrDamaged) {
		err = fmt.Errorf("%w: %w", err, formats.ErrCorrupt)
	} else if errors.Is(err, errors.ErrUnsupported) {
		err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
	}
	*read += int64(len(b))
	return b, err
}

// ReadChunk implements formats.Source.
func (a *array) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	s := codec.Borrow()
	defer s.Return()
	var read int64
	key, err := a.read(ctx, k, dst, s, &read)
	if err != nil {
		return read, a.failed(k, key, err)
	}
	return read, nil
}

// failed says of an error which chunk it is about, and what is stored at key.
func (a *array) failed(k chunk.Key, key string, err error) error {
	return fmt.Errorf("formats/zarr: read %s chunk %s: %w (%s/%s)", a.name, keyText(k), err, a.st.Name(), key)
}

// at returns where a stored unit is. Its key is made in b.
func (a *array) at(b []byte, unit chunk.Key) source {
	if a.path != "" {
		b = append(append(b, a.path...), '/')
	}
	return source{a: a, key: string(a.keys.append(b, unit)), size: -1}
}

// keyText prints a chunk key as (3, 0, 1).
func keyText(k chunk.Key) string {
	b := []byte{'('}
	for i, x := range k {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = fmt.Append(b, x)
	}
	return string(append(b, ')'))
}

func (a *array) read(ctx context.Context, k chunk.Key, dst *chunk.Chunk, s *codec.Scratch, read *int64) (string, error) {
	var room [64]byte
	var unitBuf, localBuf, fullBuf [maxRank]int64
	rank := len(k)
	unit, local, full := unitBuf[:rank], localBuf[:rank], fullBuf[:rank]
	if a.meta.Shards == nil {
		copy(unit, k)
		for i, x := range k {
			full[i] = a.full(i, x)
		}
	} else {
		for i, x := range k {
			per := a.unit[i][0] / a.meta.Grid.Axes[i].Step
			unit[i], local[i] = x/per, x%per
			full[i] = a.meta.Grid.Axes[i].Step
		}
	}
	src := a.at(room[:0], unit)
	p, order, missing, err := a.descend(ctx, &src, local, s, read)
	if err != nil {
		return src.key, err
	}
	if !missing {
		err = a.decode(ctx, &src, p, order, full, dst, s, read)
		if missing = errors.Is(err, fs.ErrNotExist); !missing {
			return src.key, err
		}
	}
	formats.FillElems(dst, a.meta.Fill)
	return src.key, nil
}

// decode reads and decodes the chunk src holds into dst. full is the stored shape in array axes,
// order the stored order of the axes.
func (a *array) decode(ctx context.Context, src *source, p *pipeline, order []int, full []int64, dst *chunk.Chunk, s *codec.Scratch, read *int64) error {
	if p.vlen != "" {
		return a.decodeTexts(ctx, src, p, order, full, dst, s, read)
	}
	n := int(chunk.Shape(full).Size()) * a.el.item
	if order == nil && dst.Shape.Equal(full) && dst.Contiguous() {
		out := dst.Bytes()
		var enc []byte
		var err error
		if st, ok := a.parts(src); ok && p.chain.InParts(n) {
			return a.inParts(ctx, st, src, p, out, nil, n, s, read)
		}
		if p.chain.Plain() {
			// nothing to decode: the bytes go where they belong, and a file of another size is damage
			enc, err = src.get(ctx, store.All, int64(n), out[:0:n], read)
		} else {
			enc, err = src.all(ctx, int64(p.chain.StoredLimit(n)), s, read)
		}
		if err != nil {
			return err
		}
		return p.chain.Decode(out, enc, s)
	}
	if order == nil {
		if rows, ok := codec.RowsOf(dst, full); ok {
			return a.decodeRows(ctx, src, p, n, &rows, s, read)
		}
	}
	s.Dec = codec.Grow(s.Dec, n)
	enc, err := src.all(ctx, int64(p.chain.StoredLimit(n)), s, read)
	if err != nil {
		return err
	}
	if err := p.chain.Decode(s.Dec, enc, s); err != nil {
		return err
	}
	formats.CopyElems(dst, stored(dst, s.Dec, full, order))
	return nil
}

// all reads the whole part into the buffer of s for encoded bytes.
func (s *source) all(ctx context.Context, limit int64, sc *codec.Scratch, read *int64) ([]byte, error) {
	enc, err := s.get(ctx, store.All, limit, sc.Enc, read)
	if err == nil && s.mem == nil {
		sc.Enc = enc
	}
	return enc, err
}

// partBytes is how much of a file is read before it goes to its places: a part of the second-level cache.
const partBytes = 128 << 10

// parts returns a store from which the chunk src holds, n bytes when it is decoded, is read part by part.
func (a *array) parts(src *source) (store.PartReader, bool) {
	st, ok := a.st.(store.PartReader)
	return st, ok && src.mem == nil && src.size < 0
}

// inParts reads and decodes a chunk of n bytes, whose chain can, into dst or rows without having all its stored bytes.
func (a *array) inParts(ctx context.Context, st store.PartReader, src *source, p *pipeline, dst []byte, rows *codec.Rows, n int, s *codec.Scratch, read *int64) error {
	return st.Parts(ctx, src.key, func(r io.ReaderAt) error {
		got, err := p.chain.DecodeParts(dst, rows, n, r, s)
		*read += got
		return err
	})
}

// decodeRows reads and decodes a chunk of n bytes into rows.
func (a *array) decodeRows(ctx context.Context, src *source, p *pipeline, n int, rows *codec.Rows, s *codec.Scratch, read *int64) error {
	st, ok := a.parts(src)
	switch {
	case ok && p.chain.InParts(n):
		return a.inParts(ctx, st, src, p, nil, rows, n, s, read)
	case ok && p.chain.Plain() && !p.chain.Swap:
		s.Enc = codec.Grow(s.Enc, min(partBytes, max(n, 1)))
		return st.Parts(ctx, src.key, func(r io.ReaderAt) error {
			got, err := copyRows(r, n, s.Enc, rows)
			*read += got
			return err
		})
	}
	enc, err := src.all(ctx, int64(p.chain.StoredLimit(n)), s, read)
	if err != nil {
		return err
	}
	return p.chain.DecodeRows(rows, n, enc, s)
}

// copyRows puts the n bytes of r in their places, by way of buf, and returns how many there were.
func copyRows(r io.ReaderAt, n int, buf []byte, rows *codec.Rows) (int64, error) {
	at := 0
	for at <= n { // the last read looks whether there is more
		b := buf[:min(len(buf), max(n-at, 1))]
		got, err := r.ReadAt(b, int64(at))
		if err != nil && err != io.ErrUnexpectedEOF {
			return int64(at), err
		}
		if at += got; at > n {
			break
		}
		rows.Put(at-got, b[:got])
		if got < len(b) {
			break
		}
	}
	switch {
	case at > n:
		return int64(at), fmt.Errorf("more than the %d bytes of the chunk: %w", n, formats.ErrCorrupt)
	case at < n:
		return int64(at), fmt.Errorf("%d bytes, want %d: %w", at, n, formats.ErrCorrupt)
	}
	return int64(at), nil
}

// stored returns the part of a decoded unit that dst is for, as a chunk in array axes.
func stored(dst *chunk.Chunk, b []byte, full []int64, order []int) *chunk.Chunk {
	c := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: dst.Shape, Strides: make([]int64, len(full)), Block: mem.Wrap(b)}
	n := int64(1)
	for i := len(full) - 1; i >= 0; i-- {
		ax := i
		if order != nil {
			ax = order[i]
		}
		c.Strides[ax] = n
		n *= full[ax]
	}
	return c
}

// decodeTexts decodes the vlen-utf8 and vlen-bytes codecs: a count, then a length and the bytes of each text.
func (a *array) decodeTexts(ctx context.Context, src *source, p *pipeline, order []int, full []int64, dst *chunk.Chunk, s *codec.Scratch, read *int64) error {
	enc, err := src.get(ctx, store.All, maxTexts, s.Enc, read)
	if err != nil {
		return err
	}
	if src.mem == nil {
		s.Enc = enc
	}
	raw, err := p.chain.DecodeAny(enc, maxTexts, s)
	if err != nil {
		return err
	}
	n := chunk.Shape(full).Size()
	bad := func(what string, i int64) error {
		return fmt.Errorf("codec %s: %s at text %d of %d: %w", p.vlen, what, i, n, formats.ErrCorrupt)
	}
	if len(raw) < 4 || int64(binary.LittleEndian.Uint32(raw)) != n {
		return bad("wrong count", 0)
	}
	raw = raw[4:]
	if int64(len(raw)) < 4*n {
		return bad("cut off", 0)
	}
	tmp := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: full, Strides: chunk.Shape(full).RowMajor(), Block: mem.Wrap(make([]byte, 16*n))}
	tmp.Heap = make([]byte, 0, int64(len(raw))-4*n)
	for i := range n {
		if len(raw) < 4 {
			return bad("cut off", i)
		}
		l := int64(binary.LittleEndian.Uint32(raw))
		if l > int64(len(raw))-4 {
			return bad("cut off", i)
		}
		formats.SetText(tmp, i, raw[4:4+l])
		raw = raw[4+l:]
	}
	view := stored(dst, tmp.Block.Bytes(), full, order)
	view.Heap = tmp.Heap
	dst.Heap = nil
	formats.CopyElems(dst, view)
	return nil
}

// StoredBytes implements formats.Sizer: it lists the array's folder.
func (a *array) StoredBytes(ctx context.Context) (int64, error) {
	total := int64(0)
	var walk func(prefix string, depth int) error
	walk = func(prefix string, depth int) error {
		l, err := a.st.List(ctx, prefix)
		if err != nil || depth > maxRank+1 {
			return err
		}
		for _, e := range l {
			key := join(prefix, e.Name)
			switch {
			case e.Dir:
				err = walk(key, depth+1)
			case e.Name != "zarr.json" && !strings.HasPrefix(e.Name, ".z"):
				var i store.Info
				if i, err = a.st.Stat(ctx, key); err == nil {
					total += i.Size
				}
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := walk(a.path, 0)
	return total, err
}

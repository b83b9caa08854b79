// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// wideTexts returns an array of NumPy's U type, four bytes a character, as one of texts.
func wideTexts(src formats.Source) (formats.Source, bool) {
	if name, ok := src.Meta().Stored.(string); !ok || !strings.HasPrefix(name, "U") {
		return nil, false
	}
	t := formats.Texts(src)
	return t, t != nil
}

// charSource reads an array of characters as texts: its last axis becomes the text.
type charSource struct {
	formats.Source
	meta   formats.ArrayMeta
	record int // bytes of a text in the file
}

// joinChars returns an array of single characters as one of texts; ok is false for another array. Zeros at the end are left out, as xarray does.
func joinChars(src formats.Source) (formats.Source, bool) {
	m := *src.Meta()
	last := len(m.Shape) - 1
	if m.ItemBytes != 1 || last < 0 || m.Shape[last] < 1 {
		return nil, false
	}
	n := int(m.Shape[last])
	m.Shape = m.Shape[:last].Clone()
	m.Grid = chunk.Grid{Shape: m.Shape, Axes: slices.Clone(m.Grid.Axes[:last])}
	m.DType, m.ItemBytes, m.Fill, m.FillSet = dtype.String, dtype.String.Size(), nil, false
	return &charSource{src, m, n}, true
}

// Meta describes the array of texts.
func (s *charSource) Meta() *formats.ArrayMeta { return &s.meta }

// ScratchBytes adds a chunk of records and its texts.
func (s *charSource) ScratchBytes() int64 {
	return s.Source.ScratchBytes() + s.meta.Grid.MaxChunk().Size()*int64(2*s.record+16)
}

// ReadChunk reads the records beside dst and sets dst's texts.
func (s *charSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	shape := s.meta.Grid.Region(k).Shape()
	raw := hostChunk(dtype.Raw, 1, append(shape.Clone(), int64(s.record)))
	at, whole := append(slices.Clone(k), 0), chunk.Whole(raw.Shape)
	letters := s.Source.Meta().Grid.Axes[len(k)] // chunks may cut texts
	n := int64(0)
	for i := range letters.Count() {
		at[len(k)] = i
		whole.Lo[len(k)], whole.Hi[len(k)] = letters.Bounds(i)
		read, err := s.Source.ReadChunk(ctx, at, raw.Sub(whole))
		if n += read; err != nil {
			return n, err
		}
	}
	count := shape.Size()
	tmp := &chunk.Chunk{DType: dtype.String, ItemBytes: int32(dtype.String.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, 16*count))}
	b := raw.Bytes()
	for i := range count {
		formats.SetText(tmp, i, bytes.TrimRight(b[i*int64(s.record):(i+1)*int64(s.record)], "\x00"))
	}
	dst.Heap = nil
	formats.CopyElems(dst, tmp)
	return n, nil
}

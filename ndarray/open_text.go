// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"bytes"
	"context"
	"encoding/binary"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// textSource reads fixed-size records as texts: character arrays, whose last axis becomes the text, and NumPy's
// four-byte characters.
type textSource struct {
	formats.Source
	meta   formats.ArrayMeta
	record int                     // bytes of a text in the file
	chars  bool                    // the inner source has a last axis of single characters
	text   func(rec []byte) []byte // what a record says
}

// joinChars returns an array of single characters as one of texts; ok is false for another array, and where
// chunks cut the last axis. Zeros at the end are left out, as xarray does.
func joinChars(src formats.Source) (formats.Source, bool) {
	m := *src.Meta()
	last := len(m.Shape) - 1
	if m.ItemBytes != 1 || last < 0 || m.Shape[last] < 1 || m.Grid.Axes[last].Count() != 1 {
		return nil, false
	}
	n := int(m.Shape[last])
	m.Shape = m.Shape[:last].Clone()
	m.Grid = chunk.Grid{Shape: m.Shape, Axes: slices.Clone(m.Grid.Axes[:last])}
	return newTextSource(src, m, n, true, func(rec []byte) []byte { return bytes.TrimRight(rec, "\x00") }), true
}

// wideTexts returns an array of NumPy's U type, four bytes a character, as one of texts.
func wideTexts(src formats.Source) (formats.Source, bool) {
	m := *src.Meta()
	name, ok := m.Stored.(string)
	if !ok || !strings.HasPrefix(strings.TrimLeft(name, "<>=|"), "U") || m.ItemBytes%4 != 0 {
		return nil, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if m.ByteOrder == "big" {
		order = binary.BigEndian
	}
	return newTextSource(src, m, m.ItemBytes, false, func(rec []byte) []byte {
		var out []byte
		for ; len(rec) >= 4; rec = rec[4:] {
			r := order.Uint32(rec)
			if r == 0 && len(bytes.Trim(rec, "\x00")) == 0 {
				break
			}
			out = utf8.AppendRune(out, rune(r))
		}
		return out
	}), true
}

func newTextSource(src formats.Source, m formats.ArrayMeta, record int, chars bool, text func([]byte) []byte) *textSource {
	m.DType, m.ItemBytes, m.Fill, m.FillSet = dtype.String, dtype.String.Size(), nil, false
	return &textSource{src, m, record, chars, text}
}

// Meta describes the array of texts.
func (s *textSource) Meta() *formats.ArrayMeta { return &s.meta }

// ScratchBytes adds a chunk of records and its texts.
func (s *textSource) ScratchBytes() int64 {
	return s.Source.ScratchBytes() + s.meta.Grid.MaxChunk().Size()*int64(2*s.record+16)
}

// ReadChunk reads the records beside dst and sets dst's texts.
func (s *textSource) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	shape := s.meta.Grid.Region(k).Shape()
	inner, size := shape, s.record
	if s.chars {
		inner, size = append(shape.Clone(), int64(s.record)), 1
		k = append(slices.Clone(k), 0)
	}
	raw := hostChunk(dtype.Raw, size, inner)
	n, err := s.Source.ReadChunk(ctx, k, raw)
	if err != nil {
		return n, err
	}
	count := shape.Size()
	tmp := &chunk.Chunk{DType: dtype.String, ItemBytes: int32(dtype.String.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, 16*count))}
	b := raw.Bytes()
	for i := range count {
		formats.SetText(tmp, i, s.text(b[i*int64(s.record):(i+1)*int64(s.record)]))
	}
	dst.Heap = nil
	formats.CopyElems(dst, tmp)
	return n, nil
}

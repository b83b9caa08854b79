// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// texts shows texts of a fixed size as texts of any length.
type texts struct {
	Source
	meta ArrayMeta
	add  func(to, elem []byte) []byte // appends the text of an element
}

// Texts returns src, whose elements are texts of a fixed number of UTF-32 characters ("U5") or of bytes ("S5"), as a source of texts of any
// length: in UTF-8, or the bytes as they are, without the NULs behind them, as NumPy shows them. Other sources come back as nil, single bytes ("S1")
// too: those are NetCDF's characters.
func Texts(src Source) Source {
	m := src.Meta()
	stored, _ := m.Stored.(string)
	t := &texts{Source: src, meta: *m}
	switch {
	case m.DType != dtype.Raw:
		return nil
	case strings.HasPrefix(stored, "U") && m.ItemBytes%4 == 0:
		t.add = appendRunes
	case stored == fmt.Sprintf("S%d", m.ItemBytes) && m.ItemBytes != 1:
		t.add = func(to, elem []byte) []byte { return append(to, elem...) }
	default:
		return nil
	}
	t.meta.DType, t.meta.ItemBytes, t.meta.Stored, t.meta.ByteOrder = dtype.String, dtype.String.Size(), "str", ""
	if t.meta.Fill = t.text(nil, m.Fill); len(t.meta.Fill) == 0 {
		t.meta.Fill, t.meta.FillSet = nil, false
	}
	return t
}

// Meta implements Source.
func (t *texts) Meta() *ArrayMeta { return &t.meta }

// ScratchBytes implements Source: the characters, and the texts of elements that follow each other.
func (t *texts) ScratchBytes() int64 {
	return t.Source.ScratchBytes() + t.meta.Grid.MaxChunk().Size()*(2*int64(t.Source.Meta().ItemBytes)+int64(t.meta.ItemBytes))
}

// ReadChunk implements Source.
func (t *texts) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	m, n := t.Source.Meta(), dst.Shape.Size()
	from := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: dst.Shape, Strides: dst.Shape.RowMajor(), Block: mem.Wrap(make([]byte, n*int64(m.ItemBytes)))}
	read, err := t.Source.ReadChunk(ctx, k, from)
	if err != nil {
		return read, err
	}
	to := &chunk.Chunk{DType: dtype.String, ItemBytes: int32(t.meta.ItemBytes), Shape: dst.Shape, Strides: from.Strides, Block: mem.Wrap(make([]byte, n*int64(t.meta.ItemBytes)))}
	var text []byte
	for i, b := int64(0), from.Bytes(); i < n; i++ {
		text = t.text(text[:0], b[i*int64(m.ItemBytes):(i+1)*int64(m.ItemBytes)])
		SetText(to, i, text)
	}
	dst.Heap = nil
	CopyElems(dst, to)
	return read, nil
}

// text appends the text of one element without the NULs behind it.
func (t *texts) text(to, elem []byte) []byte {
	n := len(to)
	to = t.add(to, elem)
	return to[:n+len(bytes.TrimRight(to[n:], "\x00"))]
}

// appendRunes appends the characters of one element, in native byte order.
func appendRunes(to, elem []byte) []byte {
	for ; len(elem) >= 4; elem = elem[4:] {
		to = utf8.AppendRune(to, rune(binary.NativeEndian.Uint32(elem)))
	}
	return to
}

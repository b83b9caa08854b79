// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"bytes"
	"context"
	"encoding/binary"
	"strings"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// texts shows texts of a fixed number of UTF-32 characters as UTF-8.
type texts struct {
	Source
	meta ArrayMeta
}

// Texts returns src, whose elements are texts of a fixed number of UTF-32 characters ("U5"), as a source of texts of any length: in UTF-8
// and without the NULs behind them, as NumPy shows them. Other sources come back as nil.
func Texts(src Source) Source {
	m := src.Meta()
	stored, _ := m.Stored.(string)
	if m.DType != dtype.Raw || !strings.HasPrefix(stored, "U") || m.ItemBytes%4 != 0 {
		return nil
	}
	t := &texts{Source: src, meta: *m}
	t.meta.DType, t.meta.ItemBytes, t.meta.Stored, t.meta.ByteOrder = dtype.String, dtype.String.Size(), "str", ""
	if t.meta.Fill = appendText(nil, m.Fill); len(t.meta.Fill) == 0 {
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
		text = appendText(text[:0], b[i*int64(m.ItemBytes):(i+1)*int64(m.ItemBytes)])
		SetText(to, i, text)
	}
	dst.Heap = nil
	CopyElems(dst, to)
	return read, nil
}

// appendText appends the characters of one element, in native byte order.
func appendText(to, elem []byte) []byte {
	start := len(to)
	for ; len(elem) >= 4; elem = elem[4:] {
		to = utf8.AppendRune(to, rune(binary.NativeEndian.Uint32(elem)))
	}
	return to[:start+len(bytes.TrimRight(to[start:], "\x00"))]
}

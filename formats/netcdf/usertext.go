// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"encoding/binary"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// wideText returns the bytes of a text of a fixed number of UTF-32 characters, 0 for other types.
func wideText(described any) int {
	name, _ := described.(string)
	if n, err := strconv.Atoi(strings.TrimPrefix(name, "U")); err == nil && strings.HasPrefix(name, "U") && n > 0 && n <= maxTypeBytes/4 {
		return 4 * n
	}
	return 0
}

// WideTexts returns the fields of records that are texts of a fixed number of UTF-32 characters, as "in.name": NetCDF-4 keeps them in UTF-8, in as many
// bytes.
func WideTexts(stored any) []string {
	t, err := newType(stored, 0)
	if err != nil {
		return nil
	}
	var out []string
	var walk func(t *userType, at string)
	walk = func(t *userType, at string) {
		for i := range t.fields {
			f := &t.fields[i]
			if f.wide > 0 {
				out = append(out, at+f.name)
			} else if f.typ.runes {
				walk(f.typ, at+f.name+".")
			}
		}
	}
	walk(t, "")
	return out
}

// NarrowTexts returns a function that turns the elements of a type as they are in memory into what NetCDF-4 has: texts of UTF-32 in
// records into UTF-8. nil: they are that already, or NetCDF-4 has no such type.
func NarrowTexts(stored any) func(b []byte) {
	if t, err := newType(stored, 0); err == nil && t.runes {
		return t.narrow
	}
	return nil
}

// narrow turns the texts of UTF-32 in the elements that b holds into UTF-8, with NULs behind it. No character is longer there.
func (t *userType) narrow(b []byte) {
	for ; t.runes && len(b) >= t.size; b = b[t.size:] {
		for i := range t.fields {
			f := &t.fields[i]
			own := b[f.off : f.off+f.count()*f.typ.size]
			switch {
			case f.typ.runes:
				f.typ.narrow(own)
			case f.wide > 0:
				for ; len(own) > 0; own = own[f.wide:] {
					narrowText(own[:f.wide])
				}
			}
		}
	}
}

func narrowText(b []byte) {
	n := 0
	for i := 0; i < len(b); i += 4 {
		r := rune(binary.NativeEndian.Uint32(b[i:]))
		n += utf8.EncodeRune(b[n:i+4], r) // at most 4 bytes, which have been read
	}
	clear(b[n:])
}

// narrow returns a copy of a chunk of records with texts of UTF-8.
func (s *sink) narrow(c *chunk.Chunk) *chunk.Chunk {
	own := &chunk.Chunk{DType: dtype.Raw, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(make([]byte, c.Shape.Size()*int64(s.item)))}
	formats.CopyElems(own, c)
	s.user.narrow(own.Bytes())
	return own
}

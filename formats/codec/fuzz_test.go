// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// guarded calls decode with a destination of n bytes and looks at those behind it.
func guarded(t *testing.T, name string, n int, decode func(dst []byte) (int, error)) {
	t.Helper()
	b := make([]byte, n+64)
	got, err := decode(b[:n:n])
	if err != nil && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
		t.Fatalf("%s: %v, want ErrCorrupt", name, err)
	}
	if err == nil && got > n {
		t.Fatalf("%s: %d bytes of %d", name, got, n)
	}
	if !bytes.Equal(b[n:], make([]byte, 64)) {
		t.Fatalf("%s wrote behind its destination", name)
	}
}

// FuzzFilter gives HDF5's filters any client values and any data.
func FuzzFilter(f *testing.F) {
	for _, v := range [][]uint32{{32, 16, 32, 64}, {48, 8, 12, 100}, {8, 0, 1024, 1, 4, 0, 13, 2}, {20, 0, 9, 3, 8, 2, 0, 1, 4, 0, 20, 0, 4, 1, 4, 1, 9, 3}, {8, 0, 9, 2, 8, 1, 4, 0, 13, 2},
		{0, 2, 5, 1, 4, 0, 0, 1, 0x40e00000}, {2, 0, 5, 0, 4, 1, 1, 0}, {0, 2, 4, 64, 2}, {0, 2, 2, 0, 3}} {
		b := []byte{}
		for _, x := range v {
			b = binary.LittleEndian.AppendUint32(b, x)
		}
		for _, id := range []uint16{1, 2, 3, 4, 5, 6, 307, 32000, 32001, 32004, 32008, 32015} {
			f.Add(id, uint8(4), b, []byte{0, 4, 0, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 200, 201, 202, 203, 0, 0, 0, 77, 15})
		}
	}
	f.Fuzz(func(t *testing.T, id uint16, item uint8, values, src []byte) {
		e, ok := ByFilter(int(id))
		if !ok || item == 0 {
			return
		}
		var v []uint32
		for ; len(values) >= 4; values = values[4:] {
			v = append(v, binary.LittleEndian.Uint32(values))
		}
		st, err := e.FromFilter(v, int(item))
		if err != nil {
			if !errors.Is(err, formats.ErrFormat) {
				t.Fatalf("%s %v: %v, want ErrFormat", e.Name, v, err)
			}
			return
		}
		if z, ok := st.(szipStage); ok && z.rsi*z.block > 1<<16 {
			return // allowed, and only slow
		}
		s := Borrow()
		defer s.Return()
		guarded(t, e.Name, 4096, func(dst []byte) (int, error) {
			got, err := st.Decode(dst, src, s)
			if len(got) > 0 && &got[0] != &dst[0] { // a part of src
				return 0, err
			}
			return len(got), err
		})
	})
}

// FuzzTIFF gives any bytes to the decoders that only TIFF uses.
func FuzzTIFF(f *testing.F) {
	f.Add(uint16(33), []byte{0x80, 0x0b, 0x60, 0x50, 0x22, 0x0c, 0x0c, 0x85, 0x01})
	f.Add(uint16(2700), []byte{0x00, 0x01, 0x4d, 0x9a, 0x80, 0x01, 0x26, 0xa0, 0xbe, 0x17, 0x50})
	f.Fuzz(func(t *testing.T, width uint16, src []byte) {
		guarded(t, "lzw", 3000, func(dst []byte) (int, error) { return LZW(dst, src) })
		guarded(t, "packbits", 3000, func(dst []byte) (int, error) { return PackBits(dst, src) })
		w, rows := int(width)+1, 20
		for kind := CCITTRows; kind <= CCITTG4; kind++ {
			guarded(t, "ccitt", rows*((w+7)/8), func(dst []byte) (int, error) {
				n, err := kind.Decode(dst, src, w, rows)
				return n * ((w + 7) / 8), err
			})
		}
	})
}

// FuzzCast gives any numbers to cast_value, which must not fail when it clamps what is no NaN.
func FuzzCast(f *testing.F) {
	f.Add(uint8(3), uint8(11), uint8(0), []byte{1, 2, 3, 4, 5, 6, 7, 8})
	types := []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Float16, dtype.BFloat16, dtype.Float32, dtype.Float64}
	modes := []string{"nearest-even", "towards-zero", "towards-positive", "towards-negative", "nearest-away"}
	f.Fuzz(func(t *testing.T, from, to, mode uint8, src []byte) {
		in, out := ElemOf(types[int(from)%len(types)]), ElemOf(types[int(to)%len(types)])
		st, _, err := newCastValue(Config{"data_type": out, "rounding": modes[int(mode)%len(modes)], "out_of_range": "clamp"}, in)
		if err != nil {
			t.Fatal(err)
		}
		src = src[:len(src)/in.Bytes*in.Bytes]
		enc, err := st.Encode(nil, src, nil)
		if err != nil {
			return // a NaN
		}
		guarded(t, "cast_value", len(src), func(dst []byte) (int, error) {
			got, err := st.Decode(dst, enc, nil)
			return len(got), err
		})
	})
}

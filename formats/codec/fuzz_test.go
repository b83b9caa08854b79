// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
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
	// frames of python-blosc2: an array of 5 by 7 in chunks of 4 by 4 and blocks of 2 by 3; two chunks with two filters
	for _, h := range []string{
		"9ea862326672616d6500d2000000a5cf0000000000000244a412005102d300000000000000c0d3000000000000013cd200000002d20000000cd200000030d10000d10001c2d8060000000000010100000000000000000093cd0011de0001a462326e64d20000006bdc0001c60000003597000292d30000000000000005d3000000000000000792d200000004d20000000492d200000002d20000000300db000000033c693205013702300000000c000000500000000000000000010100000000000000000000000100020007000800000003000000000001000000000005000600070003000400050008000000000006000000000005013702300000000c000000500000000000000000010100000000000000000004000500060002000300040000000000000000000000000000000100020007000800000000000000000000000000000005013702300000000c000000500000000000000000010100000000000000000001000200030000000000000004000000000000000000000000000000000000000000000000000000000000000000000005013502300000000c0000004c00000000000000000101000000000000000000300000004000000044000000480000000c000000050607000000000000000000000000000000000000000000050117082000000020000000400000000000000000010000000000000000000000000000000000005000000000000000a000000000000000f000000000000000940193cd0006de0000dc0000ce00000023d80000000000000000000000000000000000",
		"9ea862326672616d6500d200000061cf0000000000000195a412005002d30000000000000320d300000000000000e1d200000004d200000190d200000190d10000d10001c2d8060302000000000000000000000000000093cd0007de0000dc000005011d0490010000900100006f00000003020000000000000000000000000000240000004700000024feffffffff800002ff5455e0000002551011e0000002110001e000000301000001c001050000000000018003c001010001c009e0ff1e0101003f81330800030000000100000005011d0490010000900100007200000003020000000000000000000000000000240000004a00000024feffffffff800002ff5455e00000015511e00100011110e00100011000e00101051001000010008003a00b010000a00f011000e0ff1e00100007000000010000000300000001000000050107081000000010000000300000000000000000010000000000000000000000000000000000006f00000000000000940193cd0006de0000dc0000ce00000023d80000000000000000000000000000000000",
	} {
		b, err := hex.DecodeString(h)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(32026), uint8(4), []byte{}, b)
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

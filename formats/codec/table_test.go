// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// Every row that can encode must give back what it got, refuse a destination that is a
// byte short, and answer every cut and flipped input with ErrCorrupt or the right size.
func TestStages(t *testing.T) {
	for _, e := range Table {
		t.Run(e.Name, func(t *testing.T) {
			st, err := stage(&e)
			if err != nil {
				t.Fatal(err)
			}
			s := Borrow()
			defer s.Return()
			defer RefuseLibraries(false)
			for seed := range 60 {
				RefuseLibraries(seed%2 == 1)
				r := rand.New(rand.NewPCG(uint64(seed), 11))
				src := sample(r, r.IntN(30000))
				if e.Array != nil {
					src = elements(&e, src)
				}
				enc, err := st.Encode(nil, src, s)
				if errors.Is(err, formats.ErrFormat) {
					t.Skip("read only: " + err.Error())
				}
				if err != nil {
					t.Fatal(err)
				}
				if len(enc) > st.Bound(len(src)) {
					t.Fatalf("seed %d: encoded to %d bytes, Bound(%d) is %d", seed, len(enc), len(src), st.Bound(len(src)))
				}
				dst := make([]byte, len(src))
				got, err := st.Decode(dst, enc, s)
				if err != nil || !bytes.Equal(got, src) {
					t.Fatalf("seed %d: %d bytes came back as %d, %v", seed, len(src), len(got), err)
				}
				if len(src) == 0 {
					continue
				}
				bad := bytes.Clone(enc)
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
				for _, in := range [][]byte{bad, enc[:r.IntN(len(enc))]} {
					if got, err := st.Decode(dst, in, s); err != nil && !errors.Is(err, formats.ErrCorrupt) {
						t.Fatalf("seed %d: damaged input gives %v, want ErrCorrupt", seed, err)
					} else if err == nil && len(got) > len(dst) {
						t.Fatalf("seed %d: damaged input decodes to %d bytes, want at most %d", seed, len(got), len(dst))
					}
				}
				if _, sum := st.(sumStage); !sum && e.Name != "shuffle" {
					if _, err := st.Decode(make([]byte, len(src)-1), enc, s); !errors.Is(err, formats.ErrCorrupt) {
						t.Fatalf("seed %d: decoding %d bytes into %d gives %v, want ErrCorrupt", seed, len(src), len(src)-1, err)
					}
				}
			}
		})
	}
}

// stage makes a row's stage for 4-byte elements.
func stage(e *Entry) (Stage, error) {
	switch {
	case e.Array != nil:
		in := ElemOf(dtype.Int32)
		switch e.Name {
		case "numcodecs.packbits":
			in = ElemOf(dtype.Bool)
		case "numcodecs.bitround", "numcodecs.quantize":
			in = ElemOf(dtype.Float32)
		}
		st, _, err := e.Array(Config{}, in)
		return st, err
	case e.Filter != nil:
		values := map[string][]uint32{
			"szip": {32, 16, 32, 64}, "nbit": {8, 0, 1024, 1, 4, 0, 13, 2}, "scaleoffset": {2, 0, 1024, 0, 4, 1, 0, 1, 7},
			"bitshuffle": {0, 2, 4, 0, 2},
		}[e.Name]
		if e.New == nil {
			return e.Filter(values, 4)
		}
	}
	return e.New(Config{}, 4)
}

// elements makes src whole elements that the codec does not change.
func elements(e *Entry, src []byte) []byte {
	src = src[:len(src)&^3]
	switch e.Name {
	case "numcodecs.packbits":
		for i := range src {
			src[i] &= 1
		}
	case "numcodecs.bitround", "numcodecs.quantize", "cast_value":
		for i := 0; i < len(src); i += 4 {
			storeFloat(src[i:], dtype.Float32, float64(src[i]))
		}
	case "numcodecs.fixedscaleoffset":
		for i := 0; i < len(src); i += 4 {
			src[i+3] = 0 // positive
		}
	}
	return src
}

func TestChains(t *testing.T) {
	chains := [][]Step{
		{{"bytes", Config{"endian": "big"}}},
		{{"transpose", Config{"order": []any{int64(1), int64(0)}}}, {"bytes", nil}, {"zstd", nil}},
		{{"bytes", Config{"endian": "big"}}, {"shuffle", nil}, {"zlib", Config{"level": int64(9)}}, {"crc32c", nil}},
		{{"bytes", nil}, {"gzip", nil}, {"zstd", Config{"checksum": true}}, {"lz4", nil}, {"crc32c", nil}},
	}
	for i, steps := range chains {
		c, err := NewChain(steps, Layout{ItemBytes: 4, Rank: 2, Units: []Unit{{0, 4, 1}}})
		if err != nil {
			t.Fatal(err)
		}
		src := sample(rand.New(rand.NewPCG(uint64(i), 5)), 40000)
		s := Borrow()
		enc, err := c.Encode(nil, bytes.Clone(src), s)
		if err != nil {
			t.Fatal(err)
		}
		dst := make([]byte, len(src))
		if err := c.Decode(dst, enc, s); err != nil || !bytes.Equal(dst, src) {
			t.Errorf("chain %d %v: does not come back: %v", i, c.Names, err)
		}
		if err := c.Decode(dst[:len(dst)-4], enc, s); !errors.Is(err, formats.ErrCorrupt) {
			t.Errorf("chain %d %v: a smaller chunk gives %v, want ErrCorrupt", i, c.Names, err)
		}
		s.Return()
	}
	for _, bad := range [][]Step{
		{{"bytes", nil}, {"pcodec", nil}},
		{{"bytes", Config{"endian": "middle"}}},
		{{"transpose", Config{"order": []any{int64(1), int64(1)}}}},
		{{"bytes", nil}, {"gzip", Config{"level": int64(77)}}},
	} {
		if _, err := NewChain(bad, Layout{ItemBytes: 4, Rank: 2}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("NewChain(%v) = %v, want ErrFormat", bad, err)
		}
	}
}

func FuzzDecode(f *testing.F) {
	for i, e := range Table {
		st, err := stage(&e)
		if err != nil {
			f.Fatal(err)
		}
		if enc, err := st.Encode(nil, sample(rand.New(rand.NewPCG(uint64(i), 3)), 3000), Borrow()); err == nil {
			f.Add(uint8(i), enc)
		}
	}
	f.Add(uint8(3), append([]byte{2, 1, 0x33, 4, 64, 0, 0, 0, 64, 0, 0, 0, 84, 0, 0, 0, 20, 0, 0, 0}, make([]byte, 64)...))
	f.Fuzz(func(t *testing.T, row uint8, src []byte) {
		e := Table[int(row)%len(Table)]
		st, _ := stage(&e)
		s := Borrow()
		defer s.Return()
		guard := make([]byte, 5000)
		got, err := st.Decode(guard[:4096:4096], src, s)
		if err != nil && !errors.Is(err, formats.ErrCorrupt) {
			t.Fatalf("%s: %v, want ErrCorrupt", e.Name, err)
		}
		if err == nil && len(got) > max(4096, len(src)) {
			t.Fatalf("%s: %d bytes, want at most 4096", e.Name, len(got))
		}
		if !bytes.Equal(guard[4096:], make([]byte, 5000-4096)) {
			t.Fatalf("%s wrote behind its destination", e.Name)
		}
	})
}

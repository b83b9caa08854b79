// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// sample returns bytes of several textures: noise, runs, short periods, text.
func sample(r *rand.Rand, n int) []byte {
	b := make([]byte, 0, n+64)
	for len(b) < n {
		switch r.IntN(4) {
		case 0:
			for range r.IntN(300) {
				b = append(b, byte(r.Uint32()))
			}
		case 1:
			b = append(b, bytes.Repeat([]byte{byte(r.Uint32())}, r.IntN(700))...)
		case 2:
			b = append(b, bytes.Repeat(randomBytes(r.Uint64(), 1+r.IntN(9)), r.IntN(90))...)
		default:
			for range r.IntN(300) {
				b = append(b, byte('a'+r.IntN(5)))
			}
		}
	}
	return b[:n]
}

func deflated(b []byte, level int) []byte {
	var w bytes.Buffer
	f, _ := flate.NewWriter(&w, level)
	f.Write(b)
	f.Close()
	return w.Bytes()
}

func TestInflateMatchesStandardLibrary(t *testing.T) {
	var d Inflater
	for seed := range 400 {
		r := rand.New(rand.NewPCG(uint64(seed), 7))
		want := sample(r, r.IntN(20000))
		enc := deflated(want, []int{0, 1, 6, 9, flate.HuffmanOnly}[seed%5])
		got := make([]byte, len(want))
		n, used, err := d.inflate(got, append(bytes.Clone(enc), 1, 2, 3, 4))
		if err != nil || n != len(want) || used != len(enc) || !bytes.Equal(got, want) {
			t.Fatalf("seed %d: Inflate = %d bytes, %d used, %v; want %d, %d", seed, n, used, err, len(want), len(enc))
		}
		if len(want) > 0 {
			if _, _, err := d.inflate(got[:len(want)-1], enc); err == nil {
				t.Fatalf("seed %d: a stream longer than dst was accepted", seed)
			}
			if _, _, err := d.inflate(got, enc[:r.IntN(len(enc))]); err == nil {
				t.Fatalf("seed %d: a truncated stream was accepted", seed)
			}
		}
	}
}

func FuzzInflate(f *testing.F) {
	for i := range 5 {
		f.Add(deflated(sample(rand.New(rand.NewPCG(uint64(i), 3)), 2000), 2*i))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		var d Inflater
		got := make([]byte, 1<<16)
		n, _, err := d.inflate(got, src)
		want, werr := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(src)), 1<<16+1))
		if werr == nil && len(want) <= 1<<16 {
			if err != nil || !bytes.Equal(got[:n], want) {
				t.Fatalf("Inflate = %d bytes, %v; the standard library gives %d bytes", n, err, len(want))
			}
		}
	})
}

func BenchmarkInflate(b *testing.B) {
	want := sample(rand.New(rand.NewPCG(1, 1)), 1<<20)
	enc := deflated(want, 6)
	dst := make([]byte, len(want))
	var d Inflater
	b.SetBytes(int64(len(want)))
	for b.Loop() {
		d.inflate(dst, enc)
	}
}

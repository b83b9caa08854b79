// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"compress/flate"
	"io"
	"math/rand/v2"
	"testing"
)

// inflatedAlike checks that the standard library and our inflate make want of the stream enc, with all of it.
func inflatedAlike(t *testing.T, enc, want []byte) {
	t.Helper()
	r := bytes.NewReader(enc)
	got, err := io.ReadAll(flate.NewReader(r))
	if err != nil || !bytes.Equal(got, want) || r.Len() > 0 {
		t.Fatalf("the standard library makes %d bytes, %v, and leaves %d, want %d", len(got), err, r.Len(), len(want))
	}
	var d Inflater
	got = make([]byte, len(want))
	if n, used, err := d.inflate(got, enc); err != nil || n != len(want) || used != len(enc) || !bytes.Equal(got, want) {
		t.Fatalf("Inflate = %d bytes, %d used, %v; want %d, %d", n, used, err, len(want), len(enc))
	}
}

func TestDeflateIsReadByTheStandardLibrary(t *testing.T) {
	d := new(deflater)
	for seed := range 200 {
		r := rand.New(rand.NewPCG(uint64(seed), 21))
		want := sample(r, r.IntN([]int{20, 300, 3 * segment, 40 * segment}[seed%4]))
		level := r.IntN(10)
		t.Logf("seed %d, level %d, %d bytes", seed, level, len(want))
		enc := d.deflate([]byte("before"), want, level)
		if string(enc[:6]) != "before" {
			t.Fatal("what was there before is gone")
		}
		inflatedAlike(t, enc[6:], want)
		if again := new(deflater).deflate(nil, want, level); !bytes.Equal(again, enc[6:]) {
			t.Fatal("a deflater that was used before makes other bytes")
		}
		if len(enc)-6 > deflateBound(len(want)) {
			t.Fatalf("%d bytes become %d, the bound is %d", len(want), len(enc)-6, deflateBound(len(want)))
		}
	}
}

// Blocks as long as they may be, with as many sequences as fit.
func TestDeflateLongBlocks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 22))
	runs := make([]byte, 0, 3*blockBytes)
	for len(runs) < 3*blockBytes {
		runs = append(runs, bytes.Repeat([]byte{byte(r.IntN(2)) * 200}, 1+r.IntN(9))...)
	}
	d := new(deflater)
	for _, want := range [][]byte{make([]byte, 3*blockBytes), runs, randomBytes(5, 2*blockBytes)} {
		for _, level := range []int{1, 4, 6} {
			enc := d.deflate(nil, want, level)
			inflatedAlike(t, enc, want)
			if len(enc) > deflateBound(len(want)) {
				t.Fatalf("%d bytes become %d, the bound is %d", len(want), len(enc), deflateBound(len(want)))
			}
		}
		if n := cap(d.seqs); n > 2*(blockSequences+segment) {
			t.Errorf("%d sequences are kept", n)
		}
	}
}

// Codes are complete, within their limit, and no longer for what occurs more often.
func TestCodeLengths(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 23))
		counts := make([]uint32, 2+r.IntN(287))
		for i := range counts {
			switch seed % 3 {
			case 0:
				counts[i] = uint32(r.IntN(1000))
			case 1:
				counts[i] = uint32(1) << r.IntN(14)
			case 2: // Fibonacci's numbers make the deepest trees
				if counts[i] = 1; i > 1 && i < 28 {
					counts[i] = counts[i-1] + counts[i-2]
				}
			}
			if r.IntN(4) == 0 && seed%3 != 2 {
				counts[i] = 0
			}
		}
		limit := 9 + r.IntN(7)
		lens := make([]uint8, len(counts))
		codeLengths(lens, counts, limit)
		space := 0
		for i, l := range lens {
			if int(l) > limit || counts[i] > 0 && l == 0 {
				t.Fatalf("seed %d: symbol %d occurs %d times and has %d bits of at most %d", seed, i, counts[i], l, limit)
			}
			if l > 0 {
				space += 1 << (limit - int(l))
			}
			for j, m := range lens {
				if counts[i] > counts[j] && m > 0 && l > m {
					t.Fatalf("seed %d: symbol %d has %d bits for %d, symbol %d %d for %d", seed, i, l, counts[i], j, m, counts[j])
				}
			}
		}
		if space != 1<<limit {
			t.Fatalf("seed %d: the codes take %d of %d", seed, space, 1<<limit)
		}
	}
}

func TestDistSymbol(t *testing.T) {
	tab, symbol := deflateTable(), uint32(0)
	for dist := uint32(1); dist <= deflateWindow; dist++ {
		if int(symbol)+1 < len(tab.distBase) && dist-1 >= uint32(tab.distBase[symbol+1]) {
			symbol++
		}
		if got := distSymbol(dist); got != symbol {
			t.Fatalf("distSymbol(%d) = %d, want %d", dist, got, symbol)
		}
	}
}

// FuzzDeflate packs any bytes, some of them many times over, at any level.
func FuzzDeflate(f *testing.F) {
	for i := range 5 {
		f.Add(uint8(2*i), uint8(i), sample(rand.New(rand.NewPCG(uint64(i), 24)), 3000))
	}
	f.Fuzz(func(t *testing.T, level, times uint8, src []byte) {
		want := bytes.Repeat(src, 1+int(times)%32)
		enc := new(deflater).deflate(nil, want, int(level)%10)
		inflatedAlike(t, enc, want)
		if len(enc) > deflateBound(len(want)) {
			t.Fatalf("%d bytes become %d, the bound is %d", len(want), len(enc), deflateBound(len(want)))
		}
	})
}

func BenchmarkDeflate(b *testing.B) {
	arrays := levelArrays()
	for _, name := range []string{"noisy", "quantised", "packed", "smooth"} {
		b.Run("array="+name, func(b *testing.B) {
			d := new(deflater)
			var enc []byte
			b.SetBytes(int64(len(arrays[name])))
			for b.Loop() {
				enc = d.deflate(enc[:0], arrays[name], 4)
			}
		})
	}
}

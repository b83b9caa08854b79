// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
)

func randomBytes(seed uint64, n int) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// The definition, one byte at a time, is the reference for every fast path.
func TestShuffleMatchesDefinition(t *testing.T) {
	for _, es := range []int{1, 2, 3, 4, 5, 7, 8, 12, 16} {
		for n := 0; n < 150; n++ {
			for _, extra := range []int{0, 1} {
				if extra >= es {
					continue
				}
				src := randomBytes(uint64(n*100+es), n*es+extra)
				want := bytes.Clone(src)
				for j := range es {
					for i := range n {
						want[j*n+i] = src[i*es+j]
					}
				}
				got := make([]byte, len(src))
				Shuffle(got, src, es)
				if !bytes.Equal(got, want) {
					t.Fatalf("Shuffle(es=%d, n=%d, extra=%d) differs from the definition", es, n, extra)
				}
				back := make([]byte, len(src))
				Unshuffle(back, got, es)
				if !bytes.Equal(back, src) {
					t.Fatalf("Unshuffle(es=%d, n=%d, extra=%d) is not the inverse", es, n, extra)
				}
			}
		}
	}
}

func TestBitunshuffleMatchesDefinition(t *testing.T) {
	for _, es := range []int{1, 2, 4, 8} {
		for n := 8; n <= 64; n += 8 {
			want := randomBytes(uint64(n+es), n*es)
			src := make([]byte, len(want))
			for j := range es {
				for b := range 8 {
					for i := range n {
						bit := want[i*es+j] >> b & 1
						src[(8*j+b)*n/8+i/8] |= bit << (i % 8)
					}
				}
			}
			got := make([]byte, len(want))
			Bitunshuffle(got, src, n, es)
			if !bytes.Equal(got, want) {
				t.Fatalf("Bitunshuffle(n=%d, es=%d) = %x, want %x", n, es, got, want)
			}
		}
	}
}

func BenchmarkUnshuffle(b *testing.B) {
	for _, es := range []int{2, 4, 8} {
		b.Run(fmt.Sprintf("es=%d", es), func(b *testing.B) {
			src := randomBytes(1, 1<<20)
			dst := make([]byte, len(src))
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Unshuffle(dst, src, es)
			}
		})
	}
}

func BenchmarkShuffle(b *testing.B) {
	for _, es := range []int{2, 4, 8} {
		b.Run(fmt.Sprintf("es=%d", es), func(b *testing.B) {
			src := randomBytes(1, 1<<20)
			dst := make([]byte, len(src))
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Shuffle(dst, src, es)
			}
		})
	}
}

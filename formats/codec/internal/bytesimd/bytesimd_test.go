// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

import (
	"bytes"
	"fmt"
	"hash/adler32"
	"math/rand"
	"testing"
)

// guarded returns n bytes between guard bytes, and a check that the guards are whole.
func guarded(n int) ([]byte, func() bool) {
	b := bytes.Repeat([]byte{0xA5}, n+64)
	return b[32 : 32+n : 32+n], func() bool {
		g := bytes.Repeat([]byte{0xA5}, 32)
		return bytes.Equal(b[:32], g) && bytes.Equal(b[32+n:], g)
	}
}

func TestShuffle(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	for _, size := range []int{1, 2, 3, 4, 5, 8, 12, 16} {
		for n := range 300 {
			want := make([]byte, size*n+n%size)
			r.Read(want)
			planes := make([]byte, len(want))
			for i := range n {
				for j := range size {
					planes[j*n+i] = want[i*size+j]
				}
			}
			copy(planes[size*n:], want[size*n:])
			if len(want)/size != n {
				continue
			}
			got, whole := guarded(len(want))
			if Shuffle(got, want, size); !bytes.Equal(got, planes) || !whole() {
				t.Fatalf("Shuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			got, whole = guarded(len(want))
			if Unshuffle(got, planes, size); !bytes.Equal(got, want) || !whole() {
				t.Fatalf("Unshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			for shift := range 32 { // which of them is a multiple of 32 is chance
				room := bytes.Repeat([]byte{0xA5}, 32+len(want)+32)
				expect := bytes.Clone(room)
				copy(expect[shift:], want)
				if UnshuffleStream(room[shift:], planes, size); !bytes.Equal(room, expect) {
					t.Fatalf("UnshuffleStream of %d elements of %d bytes differs from its definition", n, size)
				}
			}
			clear(got)
			unshuffleFrom(got, planes, size, n, 0)
			if !bytes.Equal(got[:n*size], want[:n*size]) {
				t.Fatalf("portable unshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			clear(got)
			shuffleFrom(got, want, size, n, 0)
			if !bytes.Equal(got[:n*size], planes[:n*size]) {
				t.Fatalf("portable shuffle of %d elements of %d bytes differs from its definition", n, size)
			}
		}
	}
}

func TestUnshufflePart(t *testing.T) {
	r := rand.New(rand.NewSource(5))
	for _, size := range []int{1, 2, 3, 4, 8, 12} {
		src := make([]byte, 700*size)
		r.Read(src)
		all := make([]byte, len(src))
		Unshuffle(all, src, size)
		for range 200 {
			from := r.Intn(701)
			to := from + r.Intn(701-from)
			got, whole := guarded((to - from) * size)
			if UnshufflePart(got, src, size, from, to); !bytes.Equal(got, all[from*size:to*size]) || !whole() {
				t.Fatalf("elements %d to %d of %d bytes differ from those of Unshuffle", from, to, size)
			}
		}
	}
}

func TestCopyRows(t *testing.T) {
	r := rand.New(rand.NewSource(6))
	for range 500 {
		n, row, align := 1+r.Intn(9), 1+r.Intn(500), r.Intn(33)
		if r.Intn(2) == 0 {
			row, align = 32*(1+r.Intn(16)), 0
		}
		pitch, step := row+32*r.Intn(4), row+r.Intn(40)
		src := make([]byte, n*step)
		r.Read(src)
		// where the words of the destination start is chance: every start is tried
		room := bytes.Repeat([]byte{0xA5}, n*pitch+128)
		for shift := range 32 {
			at := shift + align
			want := bytes.Repeat([]byte{0xA5}, len(room))
			for i := range n {
				copy(want[at+i*pitch:at+i*pitch+row], src[i*step:])
			}
			for i := range room {
				room[i] = 0xA5
			}
			if CopyRows(room[at:], src, pitch, step, row, n, true); !bytes.Equal(room, want) {
				t.Fatalf("%d rows of %d bytes, %d apart, differ or leave their places", n, row, pitch)
			}
		}
	}
}

func TestBitshuffle(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, size := range []int{1, 2, 3, 4, 8, 12, 16, 17, 24} {
		for _, n := range []int{0, 8, 16, 56, 256, 264, 1000, 1024, 1032, 2048, 5000} {
			want := make([]byte, size*n)
			r.Read(want)
			rows := make([]byte, len(want))
			for i := range n {
				for j := range size {
					for b := range 8 {
						rows[(8*j+b)*(n/8)+i/8] |= want[i*size+j] >> b & 1 << (i % 8)
					}
				}
			}
			got, whole := guarded(len(want))
			if Bitshuffle(got, want, n, size); !bytes.Equal(got, rows) || !whole() {
				t.Fatalf("Bitshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			got, whole = guarded(len(want))
			if Bitunshuffle(got, rows, n, size); !bytes.Equal(got, want) || !whole() {
				t.Fatalf("Bitunshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			clear(got)
			if bitunshuffleFrom(got, rows, n, size); !bytes.Equal(got, want) {
				t.Fatalf("portable Bitunshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
			clear(got)
			if bitshuffleFrom(got, want, n, size); !bytes.Equal(got, rows) {
				t.Fatalf("portable Bitshuffle of %d elements of %d bytes differs from its definition", n, size)
			}
		}
	}
}

func BenchmarkBitunshuffle(b *testing.B) {
	for _, size := range []int{2, 4, 8} {
		b.Run(fmt.Sprint(size), func(b *testing.B) {
			src, dst := make([]byte, 256<<10), make([]byte, 256<<10)
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				Bitunshuffle(dst, src, len(src)/size, size)
			}
		})
	}
}

func TestSwap(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	for _, size := range []int{1, 2, 3, 4, 8, 12, 16} {
		for n := range 200 {
			src := make([]byte, n)
			r.Read(src)
			want := bytes.Clone(src)
			for i := 0; i+size <= n; i += size {
				for j := range size {
					want[i+j] = src[i+size-1-j]
				}
			}
			got, whole := guarded(n)
			if Swap(got, src, size); !bytes.Equal(got, want) || !whole() {
				t.Fatalf("Swap of %d bytes, size %d: got %x, want %x", n, size, got, want)
			}
			if Swap(src, src, size); !bytes.Equal(src, want) {
				t.Fatalf("Swap in place of %d bytes, size %d differs", n, size)
			}
		}
	}
}

func TestAdler32(t *testing.T) {
	r := rand.New(rand.NewSource(3))
	for n := range 300 {
		for _, m := range []int{n, n * 97} {
			b := make([]byte, m)
			r.Read(b)
			if got, want := Adler32(b), adler32.Checksum(b); got != want {
				t.Fatalf("Adler32 of %d bytes = %#x, want %#x", m, got, want)
			}
			if got, want := AdlerUpdate(Adler32(b[:m/3]), b[m/3:]), adler32.Checksum(b); got != want {
				t.Fatalf("AdlerUpdate of %d bytes in two parts = %#x, want %#x", m, got, want)
			}
			for i := range b {
				b[i] = 255
			}
			if got, want := Adler32(b), adler32.Checksum(b); got != want {
				t.Fatalf("Adler32 of %d bytes of 255 = %#x, want %#x", m, got, want)
			}
		}
	}
}

func BenchmarkShuffle(b *testing.B) {
	src, dst := make([]byte, 1<<20), make([]byte, 1<<20)
	run := func(name string, f func()) {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(src)))
			for b.Loop() {
				f()
			}
		})
	}
	for _, size := range []int{2, 4, 8} {
		run(fmt.Sprintf("op=unshuffle/size=%d", size), func() { Unshuffle(dst, src, size) })
		run(fmt.Sprintf("op=shuffle/size=%d", size), func() { Shuffle(dst, src, size) })
		run(fmt.Sprintf("op=swap/size=%d", size), func() { Swap(dst, src, size) })
		run(fmt.Sprintf("op=portable/size=%d", size), func() { unshuffleFrom(dst, src, size, len(src)/size, 0) })
	}
	run("op=adler32", func() { Adler32(src) })
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/formats/codec/internal/clib"
)

// zstdReaders decode frames: the library in Go, libzstd where it is there, and ours.
func zstdReaders(s *Scratch) map[string]func(dst, src []byte) (int, bool) {
	readers := map[string]func(dst, src []byte) (int, bool){
		"the library in Go": func(dst, src []byte) (int, bool) {
			n, err := libraryZstd(dst, src)
			return n, err == nil
		},
		"ours": func(dst, src []byte) (int, bool) {
			n, err := s.unz.decode(dst, src)
			return n, err == nil
		},
	}
	if u := clib.NewUnpacker(); u != nil {
		readers["libzstd"] = u.Unpack
	}
	return readers
}

// checkZstd packs src and gives the frame to all readers.
func checkZstd(t *testing.T, s *Scratch, readers map[string]func(dst, src []byte) (int, bool), src []byte, level int, crc bool) {
	t.Helper()
	z := zstdStage{level: level, crc: crc}
	enc := z.encode([]byte("kept"), src, s)
	if string(enc[:4]) != "kept" {
		t.Fatalf("level %d, %d bytes: it does not append", level, len(src))
	}
	enc = enc[4:]
	if len(enc) > z.Bound(len(src)) {
		t.Errorf("level %d: %d bytes packed to %d, Bound is %d", level, len(src), len(enc), z.Bound(len(src)))
	}
	for name, read := range readers {
		dst := make([]byte, len(src)+1)
		if n, ok := read(dst, enc); !ok || !bytes.Equal(dst[:n], src) {
			t.Fatalf("level %d, checksum %v, %d bytes packed to %d: %s reads %d bytes, %v", level, crc, len(src), len(enc), name, n, ok)
		}
	}
}

// Frames of every level are read by others, whatever was packed before with the same tables.
func TestZstdFrames(t *testing.T) {
	s := Borrow()
	defer s.Return()
	readers := zstdReaders(s)
	r := rand.New(rand.NewPCG(4, 9))
	samples := frames(r)
	for _, n := range []int{31, 32, 63, 64, 255, 256, 257, 1023, 1024, 16383, 16384, 65791, 65792, 65793, zstdMaxBlock - 1, zstdMaxBlock, zstdMaxBlock + 1, 2 * zstdMaxBlock} {
		samples = append(samples, make([]byte, n), sample(r, n))
		few := make([]byte, n) // two symbols, and all of them
		all := make([]byte, n)
		for i := range few {
			few[i], all[i] = byte(7*(r.IntN(9)/8)), byte(r.NormFloat64()*30)
		}
		samples = append(samples, few, all)
	}
	for level := -5; level <= 22; level++ {
		if level == 15 || level == 18 || level == 20 || level == 21 { // as their neighbours but for how much is looked at
			continue
		}
		if testing.Short() && level != -1 && level != 1 && level != 3 && level != 5 && level != 12 {
			continue
		}
		for i, src := range samples {
			if testing.Short() && len(src) > zstdMaxBlock+1 {
				continue
			}
			checkZstd(t, s, readers, src, level, (i+level)%3 == 0)
		}
	}
}

// Positions go on where they no longer fit their tables.
func TestZstdLong(t *testing.T) {
	if testing.Short() {
		t.Skip("20 MB at several levels")
	}
	s := Borrow()
	defer s.Return()
	readers := zstdReaders(s)
	r := rand.New(rand.NewPCG(5, 9))
	src := make([]byte, 0, 21<<20)
	for len(src) < 20<<20 { // repetitions from near the window's end and beyond
		src = append(src, sample(r, 50000)...)
		back := min(len(src), 3<<20+r.IntN(3<<20))
		src = append(src, src[len(src)-back:][:min(back, 70000)]...)
	}
	for _, level := range []int{1, 3, 5} {
		checkZstd(t, s, readers, src, level, true)
		// of which the tables know nothing, though they have it
		for _, n := range []int{7 << 20, 1 << 20} {
			part := src[5<<20:][:n]
			checkZstd(t, s, readers, part, level, false)
			z := zstdStage{level: level}
			if got, want := z.encode(nil, part, s), new(zstdPacker).pack(nil, part, level, false); !bytes.Equal(got, want) {
				t.Errorf("level %d, %d bytes: they pack to %d bytes, alone to %d", level, n, len(got), len(want))
			}
		}
	}
	enc := zstdStage{level: 3}.encode(nil, src, s)
	if len(enc) > len(src)*85/100 {
		t.Errorf("%d bytes packed to %d: repetitions are not found", len(src), len(enc))
	}
}

// Tables that another level left behind are not read as its own, when positions have come to where they would mean something.
func TestZstdLevelsInTurn(t *testing.T) {
	s := Borrow()
	defer s.Return()
	readers := zstdReaders(s)
	r := rand.New(rand.NewPCG(7, 9))
	src := make([]byte, 1<<15) // for which tables of both levels are as long
	for i := range 3 << 13 {
		src[i] = byte(r.Uint32())
	}
	checkZstd(t, s, readers, src, 3, false)
	for range 60 {
		checkZstd(t, s, readers, make([]byte, len(src)), 14, false)
	}
	for i := range src {
		src[i] = byte(r.Uint32())
	}
	checkZstd(t, s, readers, src, 14, false)
}

// FuzzPackZstd packs any bytes, repeated in parts, at any level.
func FuzzPackZstd(f *testing.F) {
	r := rand.New(rand.NewPCG(6, 9))
	for i, src := range frames(r) {
		f.Add(src[:min(len(src), 3000)], int8(i%23), uint16(i))
	}
	f.Fuzz(func(t *testing.T, src []byte, level int8, repeat uint16) {
		if len(src) > 1<<16 {
			return
		}
		s := Borrow()
		defer s.Return()
		long := bytes.Clone(src)
		for range repeat % 8 { // more than a block, of what came before
			long = append(long, long[len(long)/3:]...)
			long = append(long, byte(repeat))
		}
		if len(long) > 1<<20 {
			return
		}
		checkZstd(t, s, zstdReaders(s), long, int(level)%23, repeat%2 == 0)
	})
}

// xxh64 gives what the frames of others have as their checksum; these are the values of the specification's reference.
func TestXXH64(t *testing.T) {
	for _, c := range []struct {
		text string
		want uint64
	}{
		{"", 0xef46db3751d8e999},
		{"a", 0xd24ec4f1a98c6e5b},
		{"abc", 0x44bc2cf5ad770999},
		{"abcdefghijklmnopqrstuvwxyz0123456789", 0x64f23ecf1609b766},
	} {
		if got := xxh64([]byte(c.text)); got != c.want {
			t.Errorf("xxh64(%q) = %#x, want %#x", c.text, got, c.want)
		}
	}
}

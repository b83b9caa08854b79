// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/klauspost/compress/zstd"
)

var zstdLibrary = sync.OnceValue(func() *zstd.Decoder {
	d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecodeAllCapLimit(true), zstd.WithDecoderMaxMemory(1<<34), zstd.WithDecoderMaxWindow(1<<31))
	if err != nil {
		panic(err)
	}
	return d
})

// libraryZstd decodes frames with another library.
func libraryZstd(dst, src []byte) (int, error) {
	out, err := zstdLibrary().DecodeAll(src, dst[:0:len(dst)])
	return len(out), err
}

// frames returns samples of what chunks are made of.
func frames(r *rand.Rand) [][]byte {
	var out [][]byte
	for _, n := range []int{0, 1, 2, 15, 16, 17, 100, 1000, 70000, 300000} {
		out = append(out, sample(r, n))
		runs := make([]byte, 0, n+64)
		for len(runs) < n { // runs of every period
			period := 1 + r.IntN(40)
			word := make([]byte, period)
			for i := range word {
				word[i] = byte(r.IntN(4))
			}
			runs = append(runs, bytes.Repeat(word, 1+r.IntN(60))...)
		}
		out = append(out, runs[:n])
		floats := make([]byte, n&^3)
		for i := 0; i+4 <= len(floats); i += 4 {
			storeFloat(floats[i:], dtype.Float32, math.Round(16*(280+10*math.Sin(float64(i)/5000)+r.NormFloat64()))/16)
		}
		planes := make([]byte, len(floats))
		Shuffle(planes, floats, 4)
		out = append(out, floats, planes)
	}
	return out
}

// The decoder gives what the library gives, for every level, and writes nothing behind its destination.
func TestUnzstd(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	z := &unzstd{}
	for i, src := range frames(r) {
		for _, level := range []zstd.EncoderLevel{zstd.SpeedFastest, zstd.SpeedDefault, zstd.SpeedBetterCompression, zstd.SpeedBestCompression} {
			e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(level), zstd.WithEncoderCRC(i%2 == 0), zstd.WithZeroFrames(true))
			if err != nil {
				t.Fatal(err)
			}
			enc := e.EncodeAll(src, nil)
			e.Close()
			for _, slack := range []int{0, 1, 64} {
				dst := bytes.Repeat([]byte{0xa5}, len(src)+slack+64)
				n, err := z.decode(dst[:len(src)+slack:len(src)+slack], enc)
				if err != nil || !bytes.Equal(dst[:n], src) {
					t.Fatalf("sample %d of %d bytes, level %v, slack %d: %d bytes, %v", i, len(src), level, slack, n, err)
				}
				if !bytes.Equal(dst[len(src)+slack:], bytes.Repeat([]byte{0xa5}, 64)) {
					t.Fatalf("sample %d, level %v: it wrote behind its destination", i, level)
				}
			}
			if len(src) > 0 {
				if _, err := z.decode(make([]byte, len(src)-1), enc); !errors.Is(err, formats.ErrCorrupt) {
					t.Errorf("sample %d, level %v: decoding %d bytes into one less = %v, want ErrCorrupt", i, level, len(src), err)
				}
			}
			two := append(append([]byte{0x53, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 1, 2}, enc...), enc...)
			dst := make([]byte, 2*len(src))
			if n, err := z.decode(dst, two); err != nil || n != len(dst) {
				t.Errorf("sample %d, level %v: two frames behind a skipped one: %d bytes, %v", i, level, n, err)
			}
		}
	}
}

// Any bytes: what the library decodes is decoded, to the same bytes.
func FuzzZstd(f *testing.F) {
	r := rand.New(rand.NewPCG(2, 9))
	for _, src := range frames(r) {
		if len(src) > 2000 {
			src = src[:2000]
		}
		e, err := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderCRC(len(src)%3 == 0), zstd.WithSingleSegment(len(src)%2 == 0))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(e.EncodeAll(src, nil))
	}
	for _, spread := range []float64{2, 30} { // literals in pairs and alone
		src := make([]byte, 20000)
		for i := range src {
			src[i] = byte(r.NormFloat64() * spread)
		}
		f.Add(new(zstdPacker).pack(nil, src, 1, false))
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		s := Borrow()
		defer s.Return()
		b := make([]byte, 24576+64)
		n, err := s.unz.decode(b[:24576:24576], src)
		if !bytes.Equal(b[24576:], make([]byte, 64)) {
			t.Fatal("it wrote behind its destination")
		}
		want := make([]byte, 24576)
		m, libErr := libraryZstd(want, src)
		switch {
		case libErr == nil && err != nil:
			t.Fatalf("%v; the library decodes it to %d bytes", err, m)
		case libErr == nil && !bytes.Equal(b[:n], want[:m]):
			t.Fatalf("%d bytes differ from the library's %d", n, m)
		case err != nil && !errors.Is(err, formats.ErrCorrupt):
			t.Fatalf("%v, want ErrCorrupt", err)
		}
	})
}

func BenchmarkUnzstd(b *testing.B) {
	r := rand.New(rand.NewPCG(3, 9))
	all := frames(r)
	for i, name := range []string{"bytes", "runs", "floats", "planes"} {
		src := all[len(all)-4+i]
		e, err := zstd.NewWriter(nil, zstd.WithEncoderCRC(false))
		if err != nil {
			b.Fatal(err)
		}
		enc := e.EncodeAll(src, nil)
		dst := make([]byte, len(src))
		for _, own := range []bool{true, false} {
			b.Run(fmt.Sprintf("%s/own=%v", name, own), func(b *testing.B) {
				s := Borrow()
				defer s.Return()
				b.SetBytes(int64(len(src)))
				for b.Loop() {
					if own {
						_, err = s.unz.decode(dst, enc)
					} else {
						_, err = libraryZstd(dst, enc)
					}
					if err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/pierrec/lz4/v4"
)

func TestLZ4Blocks(t *testing.T) {
	r := rand.New(rand.NewPCG(4, 9))
	for i, src := range frames(r) {
		enc := make([]byte, lz4.CompressBlockBound(len(src)))
		n, err := lz4.CompressBlockHC(src, enc, lz4.Level9, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		if enc = enc[:n]; n == 0 || len(src) == 0 {
			continue // it does not get shorter
		}
		for _, slack := range []int{0, 1, 100} {
			dst := bytes.Repeat([]byte{0xa5}, len(src)+slack+64)
			got, err := lz4Decode(dst[:len(src)+slack:len(src)+slack], enc)
			if err != nil || !bytes.Equal(dst[:got], src) || !bytes.Equal(dst[len(src)+slack:], bytes.Repeat([]byte{0xa5}, 64)) {
				t.Fatalf("sample %d of %d bytes, slack %d: %d bytes, %v", i, len(src), slack, got, err)
			}
		}
		if _, err := lz4Decode(make([]byte, len(src)-1), enc); !errors.Is(err, formats.ErrCorrupt) {
			t.Errorf("sample %d: decoding %d bytes into one less = %v, want ErrCorrupt", i, len(src), err)
		}
	}
}

// packedAlike packs src and checks that the library and our decoder make it again.
func packedAlike(t *testing.T, src []byte, haste int) {
	t.Helper()
	room := bytes.Repeat([]byte{0xa5}, lz4Bound(len(src))+8)
	n := new(lz4Packer).pack(room[:len(room)-8:len(room)-8], src, haste)
	if !bytes.Equal(room[len(room)-8:], bytes.Repeat([]byte{0xa5}, 8)) {
		t.Fatal("it wrote behind its destination")
	}
	var z lz4Packer
	plain := make([]byte, lz4Bound(len(src)))
	if state, ok := z.begin(plain, src, haste); ok {
		if m := z.finish(plain, src, &state); !bytes.Equal(plain[:m], room[:n]) {
			t.Fatalf("haste %d: %d bytes in Go alone, %d with assembly, or others", haste, m, n)
		}
	}
	got := make([]byte, len(src)+1)
	if m, err := lz4.UncompressBlock(room[:n], got); err != nil || !bytes.Equal(got[:m], src) {
		t.Fatalf("haste %d: of %d bytes the library makes %d, %v", haste, len(src), m, err)
	}
	if m, err := lz4Decode(got[:len(src)], room[:n]); err != nil || !bytes.Equal(got[:m], src) {
		t.Fatalf("haste %d: of %d bytes we make %d, %v", haste, len(src), m, err)
	}
}

func TestLZ4Pack(t *testing.T) {
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 31))
		src := sample(r, r.IntN([]int{30, 1000, 200000}[seed%3]))
		t.Logf("seed %d, %d bytes", seed, len(src))
		packedAlike(t, src, 1+seed%10)
	}
	packedAlike(t, randomBytes(1, 300000), 1)
	packedAlike(t, make([]byte, 300000), 5)
}

// FuzzLZ4Pack packs any bytes, some of them many times over.
func FuzzLZ4Pack(f *testing.F) {
	f.Add(uint8(1), uint8(0), []byte("abcabcabcabcabcabcabc, abc and abcabcabc"))
	f.Add(uint8(5), uint8(30), sample(rand.New(rand.NewPCG(2, 32)), 2000))
	f.Fuzz(func(t *testing.T, haste, times uint8, src []byte) {
		packedAlike(t, bytes.Repeat(src, 1+int(times)%64), 1+int(haste)%10)
	})
}

// Any bytes: what the library decodes is decoded, to the same bytes, and nothing else is written.
func FuzzLZ4(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 9))
	for _, src := range frames(r) {
		src = src[:min(len(src), 3000)]
		enc := make([]byte, lz4.CompressBlockBound(len(src)))
		if n, err := lz4.CompressBlock(src, enc, nil); err == nil {
			f.Add(enc[:n])
		}
	}
	f.Fuzz(func(t *testing.T, src []byte) {
		b := make([]byte, 8192+64)
		n, err := lz4Decode(b[:8192:8192], src)
		if !bytes.Equal(b[8192:], make([]byte, 64)) {
			t.Fatal("it wrote behind its destination")
		}
		want := make([]byte, 8192)
		m, libErr := lz4.UncompressBlock(src, want)
		switch {
		case libErr == nil && len(src) > 0 && err != nil:
			t.Fatalf("%v; the library decodes it to %d bytes", err, m)
		case libErr == nil && err == nil && !bytes.Equal(b[:n], want[:m]):
			t.Fatalf("%d bytes differ from the library's %d", n, m)
		case err != nil && !errors.Is(err, formats.ErrCorrupt):
			t.Fatalf("%v, want ErrCorrupt", err)
		}
	})
}

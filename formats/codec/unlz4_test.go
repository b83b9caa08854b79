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

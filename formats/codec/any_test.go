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

// TestDecodeAny decodes what does not say its size, many times as large as it is stored. What is damaged takes no more room for that.
func TestDecodeAny(t *testing.T) {
	defer RefuseLibraries(false)
	rng := rand.New(rand.NewPCG(5, 9))
	want := bytes.Repeat([]byte("a text that comes again and again, "), 30000)
	for _, steps := range [][]Step{{{"gzip", nil}}, {{"zlib", nil}}, {{"zstd", nil}}, {{"lz4", nil}}, {{"blosc", Config{"cname": "zstd"}}}, {{"blosc", nil}}, {{"zstd", nil}, {"crc32c", nil}}, {{"gzip", nil}, {"zstd", nil}}} {
		for _, library := range []bool{false, true} {
			RefuseLibraries(!library)
			s := new(Scratch)
			c, err := NewChain(steps, Layout{ItemBytes: 1, DType: dtype.Uint8, Rank: 1})
			if err != nil {
				t.Fatal(err)
			}
			c.Finish()
			enc, err := c.Encode(nil, want, s)
			if err != nil {
				t.Fatal(err)
			}
			enc = append([]byte(nil), enc...)
			if got, err := c.DecodeAny(enc, 1<<30, s); err != nil || !bytes.Equal(got, want) {
				t.Errorf("%v, library %v: %d bytes, %v", c.Names, library, len(got), err)
			}
			if _, err := c.DecodeAny(enc, len(want)-1, s); !errors.Is(err, formats.ErrCorrupt) {
				t.Errorf("%v, library %v: a text beyond the limit gives %v", c.Names, library, err)
			}
			for range 50 {
				bad := append([]byte(nil), enc...)
				for range 1 + rng.IntN(3) {
					bad[rng.IntN(len(bad))] ^= 1 << rng.IntN(8)
				}
				s := new(Scratch)
				_, err := c.DecodeAny(bad[:len(bad)-rng.IntN(2)*rng.IntN(len(bad))], 1<<30, s)
				if room := cap(s.mid[0]) + cap(s.mid[1]); room > 40*len(want) {
					t.Errorf("%v, library %v: a damaged text of %d bytes took %d: %v", c.Names, library, len(enc), room, err)
				}
			}
		}
	}
}

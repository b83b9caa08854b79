// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// stored is a value whose reads end as those of stores do.
type stored []byte

func (b stored) ReadAt(p []byte, off int64) (int, error) {
	n := 0
	if off < int64(len(b)) {
		n = copy(p, b[off:])
	}
	if n < len(p) {
		return n, io.ErrUnexpectedEOF
	}
	return n, nil
}

// shuffled returns a container whose blocks are stored in another order, as threads leave them.
func shuffled(rng *rand.Rand, src []byte) []byte {
	le := binary.LittleEndian
	blocks := (int(le.Uint32(src[4:]))-1)/int(le.Uint32(src[8:])) + 1
	head := 16 + 4*blocks
	out := append([]byte(nil), src[:head]...)
	for _, i := range rng.Perm(blocks) {
		from, to := int(le.Uint32(src[16+4*i:])), len(src)
		if i+1 < blocks {
			to = int(le.Uint32(src[20+4*i:]))
		}
		le.PutUint32(out[16+4*i:], uint32(len(out)))
		out = append(out, src[from:to]...)
	}
	return out
}

func partChains(t testing.TB) []*Chain {
	var out []*Chain
	for _, cfg := range []Config{{"blocksize": int64(4096)}, {"cname": "zstd", "shuffle": "bitshuffle", "blocksize": int64(8192)}, {"cname": "lz4", "shuffle": "noshuffle", "blocksize": int64(1024)}, {"blocksize": int64(1 << 17)}} {
		c, err := NewChain([]Step{{"blosc", cfg}}, Layout{ItemBytes: 4, DType: dtype.Float32, Rank: 1, Units: []Unit{{Width: 4, Count: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		c.Finish()
		out = append(out, c)
	}
	return out
}

// alike decodes src as a whole and from parts of it, and both must say and make the same. It returns whether they do, and how many bytes were read.
func alike(t *testing.T, n int, src []byte, least int) (ok bool, read int64) {
	s := new(Scratch)
	want := make([]byte, n)
	wn, werr := s.Blosc(want, src)
	for _, toRows := range []bool{false, true} {
		got := make([]byte, n)
		var rows *Rows
		if toRows {
			rows = &Rows{to: got, stored: n, row: n, axes: []rowAxis{{1, 1, 0}}}
		}
		w := window{r: stored(src), end: 4*n + 1<<16, least: least}
		gn, err := s.bloscFrom(&w, got, rows, n)
		if err == nil && werr != nil && len(src) >= 16 { // what is cut off may be what no block needs
			whole := make([]byte, max(len(src), min(int(binary.LittleEndian.Uint32(src[12:])), w.end)))
			copy(whole, src)
			wn, werr = s.Blosc(want, whole)
		}
		if (err == nil) != (werr == nil) || err == nil && (gn != wn || !bytes.Equal(got[:gn], want[:wn])) {
			t.Fatalf("rows %v, from parts: %d bytes, %v; as a whole: %d bytes, %v", toRows, gn, err, wn, werr)
		}
		read = w.read
	}
	return werr == nil, read
}

// TestLargeBlosc decodes to memory that is larger than the caches, where elements are put past them.
func TestLargeBlosc(t *testing.T) {
	const n = streamFrom + 4100
	values := make([]byte, n)
	for i := range values {
		values[i] = byte(i * (i >> 9) >> (i % 4))
	}
	c, s := partChains(t)[3], new(Scratch)
	src, err := c.Encode(nil, values, s)
	if err != nil {
		t.Fatal(err)
	}
	if len(src) >= n { // what does not compress is copied
		t.Fatalf("%d bytes became %d", n, len(src))
	}
	got := make([]byte, n)
	if m, err := s.Blosc(got, src); err != nil || m != n || !bytes.Equal(got, values) {
		t.Errorf("decoded to %d bytes, %v, or to others than were encoded", m, err)
	}
}

func TestDecodeParts(t *testing.T) {
	rng := rand.New(rand.NewPCG(11, 3))
	s := new(Scratch)
	for i, c := range partChains(t) {
		for _, n := range []int{4, 4096, 100000, 1 << 20} {
			values := make([]byte, n)
			for k := range values {
				values[k] = byte(k / 20 >> (k % 4 * 4))
				if k%4 == i%4 {
					values[k] = byte(rng.Uint32())
				}
			}
			src, err := c.Encode(nil, values, s)
			if err != nil {
				t.Fatal(err)
			}
			src = append([]byte(nil), src...)
			list := [][]byte{src, append(append([]byte(nil), src...), 1, 2, 3)}
			if src[2]&bloscMemcpy == 0 {
				list = append(list, shuffled(rng, src))
			}
			for _, b := range list {
				for _, least := range []int{1, 100, 5000, readBytes} {
					if ok, read := alike(t, n, b, least); !ok || read > int64(len(b)+len(b)/16) {
						t.Errorf("chain %d: %d bytes decode %v with %d read of %d", i, n, ok, read, len(b))
					}
					alike(t, n, b[:rng.IntN(len(b))], least)
				}
			}
			got := make([]byte, n)
			if read, err := c.DecodeParts(got, nil, n, stored(src), s); err != nil || !bytes.Equal(got, values) || read < int64(len(src)) {
				t.Errorf("chain %d: DecodeParts of %d bytes: %d read, %v", i, n, read, err)
			}
			if _, err := c.DecodeParts(got[:n-1], nil, n-1, stored(src), s); err == nil {
				t.Errorf("chain %d: a chunk of %d bytes decodes to one less", i, n)
			}
		}
		if c.InParts(partsFrom-1) || !c.InParts(partsFrom) {
			t.Errorf("chain %d: chunks are in parts from another size than %d", i, partsFrom)
		}
	}
}

// FuzzDecodeParts decodes containers as a whole and from parts.
func FuzzDecodeParts(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 2))
	s := new(Scratch)
	for _, c := range partChains(f) {
		values := make([]byte, 20000)
		for k := range values {
			values[k] = byte(k / 20 >> (k % 4 * 4))
		}
		b, err := c.Encode(nil, values, s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint16(77), b)
		f.Add(uint16(3000), shuffled(rng, b))
	}
	f.Fuzz(func(t *testing.T, least uint16, src []byte) { alike(t, 1<<16, src, int(least)+1) })
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats/codec/internal/clib"
)

// need skips a test where a library is not there.
func need(t *testing.T, l *clib.Library) {
	t.Helper()
	if err := l.Err(); err != nil {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatalf("%s: %v", l.Name, err)
		}
		t.Skipf("%s: %v", l.Name, err)
	}
}

// damaged returns b with some bytes changed, or cut off.
func damaged(r *rand.Rand, b []byte) []byte {
	b = bytes.Clone(b)
	if r.IntN(4) == 0 {
		return b[:r.IntN(len(b)+1)]
	}
	for range 1 + r.IntN(3) {
		b[r.IntN(len(b))] ^= 1 << r.IntN(8)
	}
	return b
}

// What libdeflate decodes, the codec in Go decodes to the same; what we make, it reads.
func TestLibdeflate(t *testing.T) {
	need(t, clib.LibDeflate)
	var d Inflater
	lib, s := clib.NewInflater(), Borrow()
	defer s.Return()
	taken := 0
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 11))
		want := sample(r, 1+r.IntN(100000))
		enc := s.deflate(nil, want, seed%10)
		if seed%3 == 0 {
			enc = deflated(want, seed%10)
		}
		for try := range 20 {
			src := enc
			if try > 0 {
				src = damaged(r, enc)
			}
			a, b := make([]byte, len(want)+try%3), make([]byte, len(want)+try%3)
			n, used, ok := lib.Inflate(a, append(bytes.Clone(src), 1, 2, 3, 4))
			m, at, err := d.inflate(b, append(bytes.Clone(src), 1, 2, 3, 4))
			if try == 0 && (!ok || !bytes.Equal(a[:n], want)) {
				t.Fatalf("seed %d: the library gives %d bytes, %v", seed, n, ok)
			}
			if !ok {
				continue
			}
			taken++
			if err != nil || n != m || used != at || !bytes.Equal(a[:n], b[:m]) {
				t.Fatalf("seed %d, try %d: the library gives %d bytes of %d, we %d of %d, %v", seed, try, n, used, m, at, err)
			}
		}
	}
	t.Logf("%d streams are taken by both", taken)
}

// The same for libzstd.
func TestLibzstd(t *testing.T) {
	need(t, clib.LibZstd)
	lib, s := clib.NewUnpacker(), Borrow()
	defer s.Return()
	taken, alone := 0, 0
	for seed := range 300 {
		r := rand.New(rand.NewPCG(uint64(seed), 12))
		want := sample(r, 1+r.IntN(100000))
		level, crc := seed%13, seed%3 == 0
		st, err := newZstd(Config{"level": int64(level), "checksum": crc}, 1)
		if err != nil {
			t.Fatal(err)
		}
		z := st.(zstdStage)
		enc := z.encode(nil, want, s)
		if seed%2 == 0 {
			out := make([]byte, z.Bound(len(want)))
			enc = out[:clib.NewPacker(level, crc).Pack(out, want)]
		}
		for try := range 20 {
			src := enc
			if try > 0 {
				src = damaged(r, enc)
			}
			a, b := make([]byte, len(want)+try%3), make([]byte, len(want)+try%3)
			n, ok := lib.Unpack(a, src)
			if try == 0 && (!ok || !bytes.Equal(a[:n], want)) {
				t.Fatalf("seed %d: the library gives %d bytes, %v", seed, n, ok)
			}
			if !ok || len(src) < 4 {
				continue
			}
			m, err := s.unz.decode(b, src)
			if err != nil && try > 0 { // the library does not look whether the bits of literals end where they should
				alone++
				continue
			}
			taken++
			if err != nil || n != m || !bytes.Equal(a[:n], b[:m]) {
				t.Fatalf("seed %d, try %d: the library gives %d bytes, we %d, %v", seed, try, n, m, err)
			}
		}
		if n, ok := lib.Unpack(make([]byte, len(want)-1), enc); ok {
			t.Fatalf("seed %d: a frame longer than its place gave %d bytes", seed, n)
		}
	}
	t.Logf("%d frames are taken by both, %d damaged ones by the library alone", taken, alone)
}

// Refused libraries are not called, and what has been written with them is read without.
func TestRefuseLibraries(t *testing.T) {
	s := Borrow()
	defer s.Return()
	want := sample(rand.New(rand.NewPCG(1, 13)), 200000)
	for _, name := range []string{"zlib", "gzip", "zstd"} {
		e, _ := ByName(name)
		st, err := e.New(Config{"level": int64(5)}, 1)
		if err != nil {
			t.Fatal(err)
		}
		for _, writing := range []bool{false, true} {
			RefuseLibraries(writing)
			enc, err := st.Encode(nil, want, s)
			RefuseLibraries(!writing)
			if err == nil {
				var got []byte
				if got, err = st.Decode(make([]byte, len(want)), enc, s); err == nil && !bytes.Equal(got, want) {
					t.Errorf("%s: other bytes", name)
				}
			}
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	RefuseLibraries(true)
	for _, l := range Libraries() {
		if l.Err == nil {
			t.Errorf("%s is refused, and there", l.File)
		}
	}
	RefuseLibraries(false)
}

// At the levels that look for the cheapest way, frames are at most 5% longer than the library's, with one exception.
func TestCheapestZstd(t *testing.T) {
	need(t, clib.LibZstd)
	s := Borrow()
	defer s.Return()
	for name, src := range levelArrays() {
		for _, level := range []int{17, 19} {
			if testing.Short() && level != 19 {
				continue
			}
			theirs := clib.NewPacker(level, false).Pack(make([]byte, zstdStage{}.Bound(len(src))), src)
			z := zstdStage{level: level}
			enc := z.encode(nil, src, s)
			got := make([]byte, len(src))
			if n, ok := clib.NewUnpacker().Unpack(got, enc); !ok || !bytes.Equal(got[:n], src) {
				t.Fatalf("%s, level %d: the library reads other bytes", name, level)
			}
			t.Logf("%s, level %d: %.3f", name, level, float64(len(enc))/float64(theirs))
			most := theirs + theirs/20 + 128 + zstdExcess[strings.TrimSuffix(name, "-plain")]
			if name == "smooth-plain" { // trees of all places find longer matches than rows of the last 64
				most = theirs * 6 / 5
			}
			if len(enc) > most {
				t.Errorf("%s, level %d: %d bytes, want at most %d, theirs are %d", name, level, len(enc), most, theirs)
			}
		}
	}
}

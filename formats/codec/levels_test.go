// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"
)

// levelArrays makes the arrays of testdata/levels_golden.py, shuffled where the name does not say that they are plain.
func levelArrays() map[string][]byte {
	const frames, rows, columns = 4, 128, 256
	plain := map[string][]byte{}
	items := map[string]int{}
	put := func(name string, item int, bits uint64) {
		items[name] = item
		b := binary.LittleEndian.AppendUint64(nil, bits)
		plain[name] = append(plain[name], b[:item]...)
	}
	single := func(v float64) uint64 { return uint64(math.Float32bits(float32(v))) }
	now := int64(0)
	random := func(n int) uint64 { // splitmix64
		z := uint64(n)*0x9E3779B97F4A7C15 + 1
		z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
		z = (z ^ z>>27) * 0x94D049BB133111EB
		return z ^ z>>31
	}
	for n := range frames * rows * columns {
		t, y, x := n/(rows*columns), n/columns%rows, n%columns
		z := random(n)
		r := float64(z&0xffff+z>>16&0xffff+z>>32&0xffff+z>>48)/32768 - 4
		dx, dy := float64(x-128), float64(y-64)
		field := dx*dx/512 - dy*dy/256 + dx*dy/1024 + float64(t)/4
		put("smooth", 4, single(280+field))
		put("smooth8", 8, math.Float64bits(280+field*1.0009765625))
		put("noisy", 4, single(280+field+r))
		put("quantised", 4, single(math.Floor((280+field+r)*16)/16))
		masked := 280 + field + r
		if (x+2*y)/32%3 == 0 {
			masked = 1e20
		}
		put("masked", 4, single(masked))
		put("packed", 2, uint64(int64(math.Floor((field+r)*100))))
		put("counts", 4, z&1+z>>1&1+z>>2&1*uint64(x/16%3))
		now += 3600 + int64(z&3)
		put("times", 8, uint64(now))
		put("classes", 1, random(y/7*37+(x+3*t)/9)&255%29)
	}
	out := map[string][]byte{}
	for name, b := range plain {
		out[name+"-plain"] = b
		out[name], _ = shuffleStage{items[name]}.Encode(nil, b, nil)
	}
	return out
}

// zstdExcess is how many bytes more than 5% frames may have: what packs to a hundredth comes out longer by some hundred bytes than with
// the levels of the C library that look for the cheapest way through all matches.
var zstdExcess = map[string]int{"classes": 400}

// Packed bytes are at most 5% more than those of the C libraries at the same level, and shuffled numbers at zlib's level 4, which is
// what people write NetCDF with, are never more.
func TestLevels(t *testing.T) {
	text, err := os.ReadFile("testdata/levels.txt")
	if err != nil {
		t.Fatal(err)
	}
	RefuseLibraries(true)
	defer RefuseLibraries(false)
	s := Borrow()
	defer s.Return()
	arrays := levelArrays()
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		src := arrays[f[0]]
		if sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE(src))+1<<32, 16)[1:]; sum != f[2] || strconv.Itoa(len(src)) != f[3] {
			t.Fatalf("%s: %d bytes with CRC-32 %s, want %s with %s", f[0], len(src), sum, f[3], f[2])
		}
		e, _ := ByName(f[1])
		for i, text := range f[4:] {
			level := i + 1
			if testing.Short() && (level%3 != 1 || level > 13 && level != 19) {
				continue
			}
			theirs, err := strconv.Atoi(text)
			if err != nil {
				t.Fatal(err)
			}
			st, err := e.New(Config{"level": int64(level)}, 1)
			if err != nil {
				t.Fatal(err)
			}
			enc, err := st.Encode(nil, src, s)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := st.Decode(make([]byte, len(src)), enc, s); err != nil || !bytes.Equal(got, src) {
				t.Fatalf("%s, %s %d: %v, or other bytes", f[0], f[1], level, err)
			}
			most := theirs + theirs/20 + 128
			if f[1] == "zstd" {
				most += zstdExcess[f[0]]
			}
			if f[1] == "zlib" && level == 4 && !strings.Contains(f[0], "-plain") {
				most = theirs
			}
			t.Logf("%s, %s %d: %.3f", f[0], f[1], level, float64(len(enc))/float64(theirs))
			if len(enc) > most {
				t.Errorf("%s, %s %d: %d bytes, want at most %d, theirs are %d (%.3f)", f[0], f[1], level, len(enc), most, theirs, float64(len(enc))/float64(theirs))
			}
		}
	}
}

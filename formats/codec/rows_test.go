// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"math/rand"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// Chunks that are decoded into rows of larger arrays, short at an end or not, are what Decode makes of them, and nothing beside them changes.
func TestDecodeRows(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	dtypes := map[int]dtype.DType{1: dtype.Uint8, 2: dtype.Int16, 4: dtype.Float32, 8: dtype.Float64}
	chains := map[string][]Step{
		"none":             nil,
		"blosc lz4":        {{"blosc", Config{"cname": "lz4", "blocksize": int64(4096)}}},
		"blosc zstd":       {{"blosc", Config{"cname": "zstd"}}},
		"blosc bits":       {{"blosc", Config{"cname": "lz4", "shuffle": "bitshuffle", "blocksize": int64(8192)}}},
		"blosc no shuffle": {{"blosc", Config{"cname": "lz4", "shuffle": "noshuffle"}}},
		"zstd":             {{"zstd", nil}},
		"zstd checked":     {{"zstd", Config{"checksum": true}}},
		"shuffle zlib":     {{"shuffle", nil}, {"zlib", nil}},
		"gzip crc32c":      {{"gzip", nil}, {"crc32c", nil}},
		"delta big":        {{"bytes", Config{"endian": "big"}}, {"zlib", nil}},
	}
	s := new(Scratch)
	for name, steps := range chains {
		for trial := range 40 {
			item := 1 << r.Intn(4)
			full := make([]int64, 1+r.Intn(4))
			for i := range full {
				full[i] = 1 + r.Int63n([]int64{0, 90000, 300, 40, 16}[len(full)]/int64(item)+1)
			}
			l := Layout{ItemBytes: item, DType: dtypes[item], Rank: len(full)}
			if item > 1 {
				l.Units = []Unit{{Off: 0, Width: item, Count: 1}}
			}
			chain, err := NewChain(steps, l)
			if err != nil {
				t.Fatal(err)
			}
			chain.Finish()
			n := int(chunk.Shape(full).Size()) * item
			values := make([]byte, n)
			for i := range values {
				values[i] = byte(i / item / 7 >> (i % item * 4) & (1<<r.Intn(4) - 1))
			}
			stored, err := chain.Encode(nil, bytes.Clone(values), s)
			if err != nil {
				t.Fatal(name, err)
			}
			want := make([]byte, n)
			if err := chain.Decode(want, stored, s); err != nil {
				t.Fatal(name, err)
			}
			// the place: a part of a larger array, and sometimes of the chunk
			outer, box := make(chunk.Shape, len(full)), chunk.Region{Lo: make(chunk.Shape, len(full)), Hi: make(chunk.Shape, len(full))}
			for i := range outer {
				wanted := full[i]
				if r.Intn(3) == 0 {
					wanted = 1 + r.Int63n(full[i])
				}
				outer[i] = wanted
				if r.Intn(2) == 0 {
					outer[i] += 16 * r.Int63n(3)
					box.Lo[i] = r.Int63n(outer[i] - wanted + 1)
				}
				box.Hi[i] = box.Lo[i] + wanted
			}
			room := bytes.Repeat([]byte{0xA5}, int(outer.Size())*item)
			whole := &chunk.Chunk{DType: l.DType, ItemBytes: int32(item), Shape: outer, Strides: outer.RowMajor(), Block: mem.Wrap(room)}
			rows, ok := RowsOf(whole.Sub(box), full)
			if !ok {
				t.Fatalf("%v in %v of %v are not rows", full, box, outer)
			}
			rows.stream = trial%2 == 0
			if err := chain.DecodeRows(&rows, n, stored, s); err != nil {
				t.Fatal(name, err)
			}
			expect := bytes.Repeat([]byte{0xA5}, len(room))
			at := make([]int64, len(full))
			for i := range n / item {
				for rest, k := int64(i), len(full)-1; k >= 0; k-- {
					at[k] = rest % full[k]
					rest /= full[k]
				}
				inside, to := true, int64(0)
				for k, x := range at {
					inside = inside && x < box.Hi[k]-box.Lo[k]
					to = to*outer[k] + x + box.Lo[k]
				}
				if inside {
					copy(expect[int(to)*item:int(to+1)*item], want[i*item:])
				}
			}
			if !bytes.Equal(room, expect) {
				t.Fatalf("%s: %v of items of %d bytes in %v of %v: the rows differ from Decode's", name, full, item, box, outer)
			}
			// damage is found, or changes values only
			if len(stored) > 8 && name != "none" {
				if err := chain.DecodeRows(&rows, n, stored[:len(stored)/2], s); err == nil {
					t.Fatalf("%s: half of the stored bytes decode without an error", name)
				}
			}
		}
	}
}

func TestRowsRefused(t *testing.T) {
	c := &chunk.Chunk{DType: dtype.Int16, ItemBytes: 2, Shape: chunk.Shape{4, 6}, Strides: []int64{12, 2}, Block: mem.Wrap(make([]byte, 96))}
	if _, ok := RowsOf(c, []int64{4, 6}); ok {
		t.Error("elements that are apart count as rows")
	}
	c.Strides, c.Offset = []int64{-12, 1}, 36
	if _, ok := RowsOf(c, []int64{4, 6}); ok {
		t.Error("an axis that runs backwards counts as rows")
	}
}

// FuzzRows gives any bytes to the decoders that work part by part: they make of them what the others make, and nothing beside the rows.
func FuzzRows(f *testing.F) {
	const item, width, height, pitch = 4, 96, 160, 128
	full := []int64{height, width}
	var chains []*Chain
	s := new(Scratch)
	for i, steps := range [][]Step{{{"blosc", Config{"blocksize": int64(8192)}}}, {{"blosc", Config{"cname": "zstd", "shuffle": "bitshuffle"}}}, {{"zstd", nil}}, {{"shuffle", nil}, {"zlib", nil}}} {
		c, err := NewChain(steps, Layout{ItemBytes: item, DType: dtype.Float32, Rank: 2, Units: []Unit{{Width: item, Count: 1}}})
		if err != nil {
			f.Fatal(err)
		}
		c.Finish()
		chains = append(chains, c)
		values := make([]byte, width*height*item)
		for k := range values {
			values[k] = byte(k / item / 5 >> (k % item * 4))
		}
		b, err := c.Encode(nil, values, s)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(uint8(i), b)
	}
	f.Fuzz(func(t *testing.T, which uint8, src []byte) {
		c := chains[int(which)%len(chains)]
		want := make([]byte, width*height*item)
		failed := c.Decode(want, src, s)
		room := bytes.Repeat([]byte{0xA5}, pitch*height*item)
		to := &chunk.Chunk{DType: dtype.Float32, ItemBytes: item, Shape: full, Strides: []int64{pitch, 1}, Block: mem.Wrap(room)}
		rows, ok := RowsOf(to, full)
		if !ok {
			t.Fatal("the place is not made of rows")
		}
		rows.stream = which&128 != 0
		if err := c.DecodeRows(&rows, len(want), src, s); (err == nil) != (failed == nil) {
			t.Fatalf("got %v, Decode %v", err, failed)
		}
		for i := range height {
			line := room[i*pitch*item : (i+1)*pitch*item]
			if failed == nil && !bytes.Equal(line[:width*item], want[i*width*item:(i+1)*width*item]) {
				t.Fatalf("row %d differs from Decode's", i)
			}
			if !bytes.Equal(line[width*item:], bytes.Repeat([]byte{0xA5}, (pitch-width)*item)) {
				t.Fatalf("bytes beside row %d are written", i)
			}
		}
	})
}

// Chunks that are encoded from rows of larger arrays are what Encode makes of a copy.
func TestEncodeRows(t *testing.T) {
	r := rand.New(rand.NewSource(2))
	s, taken := new(Scratch), 0
	for trial := range 200 {
		steps := []Step{{"blosc", Config{"cname": []string{"lz4", "zstd"}[trial%2], "shuffle": []string{"shuffle", "bitshuffle", "noshuffle"}[trial%3], "blocksize": int64(trial % 5 * 3000)}}}
		if trial%10 == 0 {
			steps = append(steps, Step{"crc32c", nil}) // which has bytes of all blocks
		}
		full, outer := make(chunk.Shape, 1+r.Intn(4)), chunk.Shape{}
		box := chunk.Region{Lo: make(chunk.Shape, len(full)), Hi: make(chunk.Shape, len(full))}
		for i := range full {
			full[i] = 1 + r.Int63n([]int64{0, 40000, 400, 60, 24}[len(full)])
			outer = append(outer, full[i]+r.Int63n(3)*r.Int63n(9))
			box.Lo[i] = r.Int63n(outer[i] - full[i] + 1)
			box.Hi[i] = box.Lo[i] + full[i]
		}
		chain, err := NewChain(steps, Layout{ItemBytes: 4, DType: dtype.Float32, Rank: len(full), Units: []Unit{{Off: 0, Width: 4, Count: 1}}})
		if err != nil {
			t.Fatal(err)
		}
		chain.Finish()
		room := make([]byte, 4*outer.Size())
		for i := range room {
			room[i] = byte(r.Intn(1 + 255*(trial/4%2))) // zeros, or what is stored as it is
		}
		place := (&chunk.Chunk{DType: dtype.Float32, ItemBytes: 4, Shape: outer, Strides: outer.RowMajor(), Block: mem.Wrap(room)}).Sub(box)
		rows, ok := RowsOf(place, full)
		if !ok {
			t.Fatalf("%v in %v of %v are not rows", full, box, outer)
		}
		plain := make([]byte, 4*full.Size())
		formats.CopyElems(&chunk.Chunk{DType: dtype.Float32, ItemBytes: 4, Shape: full, Strides: full.RowMajor(), Block: mem.Wrap(plain)}, place)
		whole := make([]byte, len(plain))
		if rows.Get(whole, 0); !bytes.Equal(whole, plain) {
			t.Fatalf("%v in %v of %v: the rows are other bytes than the elements", full, box, outer)
		}
		if !chain.EncodesRows(&rows) {
			continue
		}
		taken++
		want, err := chain.Encode(nil, plain, s)
		if err != nil {
			t.Fatal(err)
		}
		got, err := chain.EncodeRows(nil, &rows, len(plain), s)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%v of %v with %v: %d bytes, %v, want %d", full, outer, steps, len(got), err, len(want))
		}
	}
	if taken < 40 || taken > 180 {
		t.Errorf("%d of 200 are encoded from rows", taken)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func openBytes(b []byte) (*formats.Group, error) {
	open := openIPCAt
	if Parquet.Detect(b, "") {
		open = openParquetAt
	}
	return open(context.Background(), bytes.NewReader(b), int64(len(b)), "bytes")
}

// TestGolden reads what pyarrow wrote: every column of every file has the values it says.
func TestGolden(t *testing.T) {
	var want map[string]map[string]*string
	b, err := os.ReadFile("testdata/expect.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	seen := 0
	for name, cols := range want {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		if !Parquet.Detect(b, "") && !IPC.Detect(b, "") {
			t.Errorf("%s: nobody knows it", name)
		}
		g, err := openBytes(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if title, _ := g.Attrs.Get("title"); title != "made" {
			t.Errorf("%s: title = %v, want made", name, title)
		}
		for _, v := range g.Vars {
			sum, ok := cols[v.Name]
			if !ok || sum == nil { // lists
				if !errors.Is(v.Err, formats.ErrFormat) {
					t.Errorf("%s: %s: error %v, want ErrFormat", name, v.Name, v.Err)
				}
				continue
			}
			if v.Err != nil {
				t.Errorf("%s: %s: %v", name, v.Name, v.Err)
				continue
			}
			c, err := formattest.ReadAll(context.Background(), v.Source)
			if err != nil {
				t.Errorf("%s: %s: %v", name, v.Name, err)
				continue
			}
			if got := checksum(c); got != *sum {
				t.Errorf("%s: %s: MD5 %s, want %s", name, v.Name, got, *sum)
			}
			seen++
		}
	}
	if seen < 300 {
		t.Errorf("%d columns were read, want 300 and more", seen)
	}
}

func checksum(c *chunk.Chunk) string {
	h := md5.New()
	if c.DType != dtype.String {
		h.Write(c.Bytes())
	} else {
		for i := range c.Shape.Size() {
			if i > 0 {
				h.Write([]byte{0})
			}
			h.Write(formats.Text(c, i))
		}
	}
	return hex.EncodeToString(h.Sum(nil))
}

// What the units of times and the fill value of nulls are.
func TestAttributesOfTypes(t *testing.T) {
	for _, name := range []string{"zstd.parquet", "zstd.arrow"} {
		b, err := os.ReadFile(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		g, err := openBytes(b)
		if err != nil {
			t.Fatal(err)
		}
		for _, x := range []struct {
			col, attr string
			want      any
		}{{"tsns", "units", "nanoseconds since 1970-01-01"}, {"tsz", "timezone", "Europe/Berlin"}, {"dus", "units", "microseconds"},
			{"date", "units", "days since 1970-01-01"}, {"int16_n", "_FillValue", int16(-32768)}, {"uint32_n", "_FillValue", uint32(4294967295)},
			{"int16", "_FillValue", nil}, {"b_n", "_FillValue", int8(-1)}} {
			for _, v := range g.Vars {
				if got, _ := v.Attrs.Get(x.attr); v.Name == x.col && got != x.want {
					t.Errorf("%s: %s has %s = %v, want %v", name, x.col, x.attr, got, x.want)
				}
			}
		}
	}
}

// try opens b and reads the first and last chunk of every column; errors must be one of the two a damaged file may give.
func try(t *testing.T, b []byte) {
	ok := func(err error) {
		if err != nil && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%v: want an error wrapping ErrCorrupt or ErrFormat", err)
		}
	}
	g, err := openBytes(b)
	ok(err)
	if err != nil {
		return
	}
	for _, v := range g.Vars {
		ok(v.Err)
		if v.Err != nil || v.Source.Meta().Shape.Size() == 0 {
			continue
		}
		m := v.Source.Meta()
		k := make(chunk.Key, len(m.Shape))
		for range 2 {
			shape := m.Grid.Region(k).Shape()
			if n, err := shape.Bytes(int64(m.ItemBytes)); err == nil && n < 1<<20 && v.Source.ScratchBytes() < 1<<24 {
				_, err := v.Source.ReadChunk(context.Background(), k, formattest.New(m.DType, m.ItemBytes, shape))
				ok(err)
			}
			for i, a := range m.Grid.Axes {
				k[i] = a.Count() - 1
			}
		}
	}
}

// Damaged files end in errors, soon.
func TestDamage(t *testing.T) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range names {
		good, err := os.ReadFile(n)
		if err != nil {
			t.Fatal(err)
		}
		for range 40 {
			b := bytes.Clone(good)
			for range 1 + r.IntN(3) {
				at := r.IntN(len(b))
				if r.IntN(2) == 0 { // where footers and headers of pages are
					at = len(b) - 1 - r.IntN(min(len(b), 6000))
				}
				b[at] = byte(r.Uint32())
			}
			start := time.Now()
			try(t, b)
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("%s: a damaged file took %v", n, d)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	names, err := filepath.Glob("testdata/*.*")
	if err != nil {
		f.Fatal(err)
	}
	for _, n := range names {
		b, err := os.ReadFile(n)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) { try(t, b) })
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"math/rand"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// allowed reports whether err is one that a damaged file may give.
func allowed(err error) bool {
	return err == nil || errors.Is(err, formats.ErrCorrupt) || errors.Is(err, formats.ErrFormat)
}

// visit walks a file and reads the first and the last chunk of every dataset.
func visit(t *testing.T, b []byte) {
	f, err := New(bytes.NewReader(b), int64(len(b)))
	if !allowed(err) {
		t.Errorf("New = %v", err)
	}
	if err != nil {
		return
	}
	f.Beside("a.h5", func(string) (io.ReaderAt, int64, error) { return nil, 0, fs.ErrNotExist })
	seen := map[uint64]bool{}
	var walk func(addr uint64)
	walk = func(addr uint64) {
		if seen[addr] || addr == Undef || len(seen) > 1000 {
			return
		}
		seen[addr] = true
		o, err := f.Object(addr)
		if !allowed(err) {
			t.Errorf("Object = %v", err)
		}
		if err != nil {
			return
		}
		for i := range o.Attrs {
			f.Value(&o.Attrs[i])
			f.References(&o.Attrs[i])
		}
		for _, l := range o.Links {
			if l.Addr == Undef && len(seen) < 100 {
				if _, err := o.Follow(l); !allowed(err) && !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("Follow = %v", err)
				}
			}
			walk(l.Addr)
		}
		if !o.Dataset() {
			return
		}
		src, err := o.Source(nil)
		if !allowed(err) {
			t.Errorf("Source = %v", err)
		}
		if err != nil {
			return
		}
		m := src.Meta()
		if m.Grid.Len() <= 0 || m.Shape.Size() <= 0 {
			return
		}
		k := make(chunk.Key, len(m.Shape))
		for range 2 {
			shape := m.Grid.Region(k).Shape()
			if n, err := shape.Bytes(int64(m.ItemBytes)); err == nil && n < 1<<20 {
				c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n))}
				if _, err := src.ReadChunk(context.Background(), k, c); !allowed(err) {
					t.Errorf("ReadChunk = %v", err)
				}
			}
			for i, a := range m.Grid.Axes {
				k[i] = a.Count() - 1
			}
		}
	}
	walk(f.root)
}

// FuzzFile reads damaged files, checksums of metadata ignored.
func FuzzFile(f *testing.F) {
	for _, p := range []string{"written/*.h5", "written/*.nc", "netcdf-c/*", "hdf5/*5", "hdf5-filters/*.h5"} {
		names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", p))
		for _, n := range names {
			if st, err := os.Stat(n); err == nil && st.Mode().IsRegular() && st.Size() < 16<<10 {
				b, _ := os.ReadFile(n)
				f.Add(b)
			}
		}
	}
	virtual, _ := filepath.Glob("testdata/virtual/*.h5")
	virtual = append(virtual, "testdata/shared.h5")
	for _, n := range virtual {
		b, _ := os.ReadFile(n)
		f.Add(b)
	}
	f.Add([]byte(signature))
	verify = false
	f.Cleanup(func() { verify = true })
	f.Fuzz(visit)
}

// TestDamaged flips bytes of corpus files with checksums ignored; ARRAYRUN_DAMAGE multiplies the tries.
func TestDamaged(t *testing.T) {
	dir := formattest.Corpus(t)
	verify = false
	defer func() { verify = true }()
	tries, err := strconv.Atoi(os.Getenv("ARRAYRUN_DAMAGE"))
	if err != nil {
		tries = 1
	}
	r := rand.New(rand.NewSource(int64(tries)))
	n, slowest := 0, time.Duration(0)
	own, err := filepath.Abs("testdata")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"hdf5/*", "hdf5-filters/*", "netcdf-c/*", "written/*.h5", "written/*.nc", "climate/*.nc", "virtual/*"} {
		if p == "virtual/*" {
			dir = own
		}
		names, _ := filepath.Glob(filepath.Join(dir, p))
		for _, name := range names {
			st, err := os.Stat(name)
			if err != nil || !st.Mode().IsRegular() || st.Size() > 64<<10 || filepath.Ext(name) == ".json" {
				continue
			}
			good, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			for range 3 * tries {
				b := bytes.Clone(good)
				for range 1 + r.Intn(16) {
					// most metadata lie at the start
					at := r.Intn(1 + r.Intn(len(b)))
					switch r.Intn(3) {
					case 0:
						b[at] = byte(r.Intn(256))
					case 1:
						b[at] ^= 1 << r.Intn(8)
					default:
						from := r.Intn(len(b))
						copy(b[at:], b[from:min(len(b), from+8)])
					}
				}
				start := time.Now()
				visit(t, b)
				if d := time.Since(start); d > slowest {
					slowest = d
					if d > time.Second {
						os.WriteFile(filepath.Join(os.TempDir(), "slow.h5"), b, 0o666)
						t.Logf("%s: %v", name, d)
					}
				}
				n++
			}
		}
	}
	t.Logf("%d damaged files, the slowest took %v", n, slowest)
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// visit reads a little of every variable, whatever the file says about sizes.
func visit(g *formats.Group) {
	for _, v := range g.Vars {
		if v.Source == nil {
			continue
		}
		m := v.Source.Meta()
		if m.Shape.Size() == 0 || m.Grid.Len() == 0 {
			continue
		}
		k := make(chunk.Key, len(m.Shape))
		for range 2 {
			shape := m.Grid.Region(k).Shape()
			if n, err := shape.Bytes(int64(m.ItemBytes)); err == nil && n < 1<<20 {
				c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n))}
				v.Source.ReadChunk(context.Background(), k, c)
			}
			for i, a := range m.Grid.Axes {
				k[i] = a.Count() - 1
			}
		}
	}
	for _, s := range g.Groups {
		visit(s.Group)
	}
}

// tryOpen fails on an error that is neither of the two a damaged file may give.
func tryOpen(t *testing.T, b []byte, open func(io.ReaderAt, int64) (*formats.Group, error)) {
	g, err := open(bytes.NewReader(b), int64(len(b)))
	if err != nil {
		if !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
			t.Errorf("open = %v, want an error wrapping ErrCorrupt or ErrFormat", err)
		}
		return
	}
	visit(g)
}

// seeds are small files of the corpus and one of our own writing.
func seeds(f *testing.F, pattern ...string) {
	for _, p := range pattern {
		names, _ := filepath.Glob(filepath.Join("..", "..", "..", "shared", "corpus", p))
		for _, n := range names {
			if st, err := os.Stat(n); err == nil && st.Mode().IsRegular() && st.Size() < 16<<10 {
				b, _ := os.ReadFile(n)
				f.Add(b)
			}
		}
	}
}

func FuzzClassic(f *testing.F) {
	seeds(f, "written/cdf*.nc", "written/classic.nc", "netcdf-c/ref_nctest_classic.nc", "climate/units.nc")
	f.Add([]byte("CDF\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Fuzz(func(t *testing.T, b []byte) { tryOpen(t, b, openClassic) })
}

func FuzzHDF5(f *testing.F) {
	seeds(f, "written/*.h5", "written/*.nc", "netcdf-c/*", "hdf5/*5", "hdf5-filters/*.h5")
	spec := sampleSpec()
	spec.Attrs = nil
	path := filepath.Join(f.TempDir(), "s.nc")
	r := rand.New(rand.NewSource(1))
	var data []*chunk.Chunk
	for _, v := range spec.Vars {
		data = append(data, array(r, v))
	}
	write(f, path, spec, data)
	b, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Fuzz(func(t *testing.T, b []byte) { tryOpen(t, b, openHDF5) })
}

// TestDamaged flips bytes of corpus files, as the fuzz targets do at length.
func TestDamaged(t *testing.T) {
	dir := formattest.Corpus(t)
	r := rand.New(rand.NewSource(1))
	n := 0
	for _, p := range []string{"hdf5/*", "hdf5-filters/*", "netcdf-c/*", "written/*.h5", "written/*.nc", "climate/*.nc"} {
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
			for range 5 {
				b := bytes.Clone(good)
				for range 1 + r.Intn(16) {
					// most of a file's metadata lie at its start
					b[r.Intn(1+r.Intn(len(b)))] = byte(r.Intn(256))
				}
				if r.Intn(10) == 0 {
					b = b[:r.Intn(len(b))]
				}
				open := openHDF5
				if isClassic(good) {
					open = openClassic
				}
				tryOpen(t, b, open)
				n++
			}
		}
	}
	t.Logf("%d damaged files", n)
}

// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bytes"
	"context"
	"errors"
	"math/rand"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// try opens b and reads a little of every variable; errors must be one of the two a damaged file may give.
func try(t *testing.T, b []byte) {
	g, err := open(bytes.NewReader(b), int64(len(b)), nil)
	ok := func(err error) {
		if err != nil && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%v: want an error wrapping ErrCorrupt or ErrFormat", err)
		}
	}
	ok(err)
	if err != nil {
		return
	}
	for _, v := range g.Vars {
		ok(v.Err)
		m := v.Source.Meta()
		if m.Shape.Size() == 0 {
			continue
		}
		k := make(chunk.Key, len(m.Shape))
		for range 2 {
			shape := m.Grid.Region(k).Shape()
			if n, err := shape.Bytes(int64(m.ItemBytes)); err == nil && n < 1<<20 && v.Source.ScratchBytes() < 1<<24 {
				c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n))}
				_, err := v.Source.ReadChunk(context.Background(), k, c)
				ok(err)
			}
			for i, a := range m.Grid.Axes {
				k[i] = a.Count() - 1
			}
		}
	}
}

// seeds calls f with small files.
func seeds(f func(b []byte)) {
	for _, p := range []string{"testdata/made/*", "../../../shared/corpus/tiff/*.tif*", "../../../shared/corpus/geo/*.tif"} {
		names, _ := filepath.Glob(p)
		for _, n := range names {
			if st, err := os.Stat(n); err == nil && st.Size() < 16<<10 && filepath.Ext(n) != ".json" {
				b, _ := os.ReadFile(n)
				f(b)
			}
		}
	}
}

func FuzzOpen(f *testing.F) {
	seeds(func(b []byte) { f.Add(b) })
	f.Fuzz(func(t *testing.T, b []byte) { try(t, b) })
}

// TestDamaged flips and cuts bytes, as the fuzz target does at length.
func TestDamaged(t *testing.T) {
	r := rand.New(rand.NewSource(1))
	seeds(func(good []byte) {
		for range 20 {
			b := bytes.Clone(good)
			for range 1 + r.Intn(8) {
				b[r.Intn(1+r.Intn(len(b)))] = byte(r.Intn(256))
			}
			if r.Intn(4) == 0 {
				b = b[:r.Intn(len(b))]
			}
			try(t, b)
		}
	})
}

// TestRegions reads boxes of arrays of every layout from several goroutines and compares them with the whole.
func TestRegions(t *testing.T) {
	for _, name := range []string{"zstd_tiles_be", "planar_tiles", "imagej_be", "big_pages", "shaped", "lzw_pred3_le", "pyramid.ome", "mask", "jpeg_420"} {
		g, err := Open(context.Background(), "testdata/made/"+name+".tif")
		if err != nil {
			t.Fatal(err)
		}
		src := g.Vars[0].Source
		whole, err := readAll(src)
		if err != nil {
			t.Fatal(err)
		}
		var wg sync.WaitGroup
		for i := range 30 {
			r := rand.New(rand.NewSource(int64(i)))
			wg.Go(func() {
				box := chunk.Region{}
				for _, n := range whole.Shape {
					lo := r.Int63n(n)
					box.Lo = append(box.Lo, lo)
					box.Hi = append(box.Hi, lo+1+r.Int63n(n-lo))
				}
				shape := box.Shape()
				got := &chunk.Chunk{DType: whole.DType, ItemBytes: whole.ItemBytes, Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*int64(whole.ItemBytes)))}
				want := &chunk.Chunk{DType: whole.DType, ItemBytes: whole.ItemBytes, Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*int64(whole.ItemBytes)))}
				formats.CopyElems(want, whole.Sub(box))
				if _, err := formats.ReadRegion(context.Background(), src, box, got); err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
					t.Errorf("%s region %v: %v, or other values than the whole has", name, box, err)
				}
			})
		}
		wg.Wait()
		g.Close()
	}
}

func TestAttributes(t *testing.T) {
	for _, c := range []struct {
		file, attr string
		want       any
	}{
		{"cog", "GTModelTypeGeoKey", int64(2)}, {"cog", "GeographicTypeGeoKey", int64(4326)}, {"cog", "GeogCitationGeoKey", "WGS 84"},
		{"cog", "GeogSemiMajorAxisGeoKey", 6378137.0}, {"cog", "ModelPixelScale", []float64{0.5, 0.25, 0}}, {"cog", "_FillValue", int16(-32768)},
		{"cog", "scale_factor", 0.01}, {"cog", "add_offset", 273.15}, {"cog", "SENSOR", "MSI & more"},
		{"imagej_le", "unit", "um"}, {"imagej_le", "spacing", 0.5}, {"imagej_le", "channels", int64(4)},
		{"ome.ome", "PhysicalSizeX", 0.25}, {"ome.ome", "PhysicalSizeXUnit", "µm"}, {"ome.ome", "ChannelNames", []string{"a", "b", "c"}},
	} {
		g, err := Open(context.Background(), "testdata/made/"+c.file+".tif")
		if err != nil {
			t.Fatal(err)
		}
		if got, _ := g.Vars[0].Attrs.Get(c.attr); !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: attribute %s = %T %v, want %T %v", c.file, c.attr, got, got, c.want, c.want)
		}
		g.Close()
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/netcdf"
)

func goChunk(dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	n := shape.Size() * int64(dt.Size())
	return &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, n, n+mem.Align))}
}

// writeNetCDF writes a float32 variable of 7 x 30 in chunks of 3 x 8 with a codec.
func writeNetCDF(t *testing.T, format, codecName string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "a.nc")
	ctx := context.Background()
	grid := chunk.Regular(chunk.Shape{7, 30}, 3, 8)
	w, err := netcdf.Create(ctx, path, formats.Spec{Format: format, Vars: []formats.VarSpec{
		{Name: "a", Dims: []string{"y", "x"}, Shape: grid.Shape, DType: dtype.Float32, Grid: &grid, Codec: codecName}},
		Dims: []formats.Dim{{Name: "y", Size: 7}, {Name: "x", Size: 30}}})
	if err != nil {
		t.Fatal(err)
	}
	g := w.Sink(0).Grid()
	for k := range g.Covering(chunk.Whole(g.Shape)) {
		c := goChunk(dtype.Float32, g.Region(k).Shape())
		for i, v := 0, chunk.Slice[float32](c); i < len(v); i++ {
			v[i] = float32(i)*1.25 + float32(k[0]*100+k[1]*1000)
		}
		if _, err := w.Sink(0).WriteChunk(ctx, k, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	return path
}

// writeZarr writes a zarr v2 float32 array of 7 x 30 in chunks of 3 x 8, all but one.
func writeZarr(t *testing.T, order binary.ByteOrder, shuffled bool) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "a.zarr")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	typ, filters, compressor := "<f4", "null", "null"
	if order == binary.BigEndian {
		typ = ">f4"
	}
	if shuffled {
		filters, compressor = `[{"id":"shuffle","elementsize":4}]`, `{"id":"zlib","level":1}`
	}
	meta := `{"zarr_format":2,"shape":[7,30],"chunks":[3,8],"dtype":"` + typ + `","compressor":` + compressor + `,"fill_value":2.5,"order":"C","filters":` + filters + `}`
	if err := os.WriteFile(filepath.Join(dir, ".zarray"), []byte(meta), 0o644); err != nil {
		t.Fatal(err)
	}
	for y := range 3 {
		for x := range 4 {
			if y == 1 && x == 2 {
				continue
			}
			b := make([]byte, 3*8*4)
			for i := range 24 {
				order.PutUint32(b[4*i:], math.Float32bits(float32(i)*0.75+float32(100*y+1000*x)))
			}
			if shuffled {
				turned := make([]byte, len(b))
				codec.Shuffle(turned, b, 4)
				var z bytes.Buffer
				w := zlib.NewWriter(&z)
				w.Write(turned)
				w.Close()
				b = z.Bytes()
			}
			if err := os.WriteFile(filepath.Join(dir, string(rune('0'+y))+"."+string(rune('0'+x))), b, 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	return dir
}

// TestPacked: what sources leave to their reader is the last step of decoding and nothing else.
func TestPacked(t *testing.T) {
	ctx := context.Background()
	for name, c := range map[string]struct {
		path string
		want formats.Packing
	}{
		"netcdf3":          {writeNetCDF(t, "netcdf3", ""), formats.Swapped},
		"netcdf4 zlib":     {writeNetCDF(t, "", "zlib:1"), formats.Shuffled},
		"netcdf4 plain":    {writeNetCDF(t, "", "none"), formats.Native},
		"zarr big endian":  {writeZarr(t, binary.BigEndian, false), formats.Swapped},
		"zarr shuffled":    {writeZarr(t, binary.LittleEndian, true), formats.Shuffled},
		"zarr swapped too": {writeZarr(t, binary.BigEndian, true), formats.Swapped},
		"zarr plain":       {writeZarr(t, binary.LittleEndian, false), formats.Native},
	} {
		t.Run(name, func(t *testing.T) {
			g, err := all.Open(ctx, c.path)
			if err != nil {
				t.Fatal(err)
			}
			if g.Close != nil {
				defer g.Close()
			}
			src := g.Vars[len(g.Vars)-1].Source
			grid := src.Meta().Grid
			complete, packed := 0, 0
			for k := range grid.Covering(chunk.Whole(grid.Shape)) {
				r := grid.Region(k)
				want := goChunk(dtype.Float32, r.Shape())
				if _, err := src.ReadChunk(ctx, k, want); err != nil {
					t.Fatal(err)
				}
				var got *chunk.Chunk
				var left bool
				var pack formats.Packing
				switch s := src.(type) {
				case formats.PackedRegionReader:
					if got = goChunk(dtype.Float32, r.Shape()); s.Swapped() {
						pack = formats.Swapped
						left, _, err = s.ReadSwapped(ctx, r, got)
					}
				case formats.PackedReader:
					if got = goChunk(dtype.Float32, s.PackedShape(k)); s.Packing() != formats.Native {
						pack = s.Packing()
						left, _, err = s.ReadPacked(ctx, k, got)
					}
				}
				if err != nil {
					t.Fatal(err)
				}
				if pack != c.want {
					t.Fatalf("packing %d, want %d", pack, c.want)
				}
				if pack == formats.Native {
					continue
				}
				complete++
				if left {
					complete--
					packed++
					b := bytes.Clone(got.Block.Bytes())
					if pack == formats.Swapped {
						codec.ByteSwap(got.Block.Bytes(), b, 4)
					} else {
						codec.Unshuffle(got.Block.Bytes(), b, 4)
					}
				}
				have := goChunk(dtype.Float32, r.Shape())
				formats.CopyElems(have, got.Sub(formats.Shift(r, r.Lo)))
				if !bytes.Equal(have.Bytes(), want.Bytes()) {
					t.Errorf("chunk %v: %v, want %v", k, chunk.Slice[float32](have), chunk.Slice[float32](want))
				}
			}
			if c.want != formats.Native && packed == 0 {
				t.Error("no chunk was left packed")
			}
			t.Logf("%d packed, %d complete", packed, complete)
		})
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestWrite(t *testing.T) {
	formattest.Format(t, Format, formattest.Options{Ext: ".tif", One: true, Image: true, Codecs: []string{"", "none", "zstd:3"},
		DTypes: []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64,
			dtype.Float16, dtype.Float32, dtype.Float64, dtype.Complex64, dtype.Complex128}})
}

// written writes variables, whose values are given, and opens the file.
func written(t *testing.T, spec formats.Spec, big bool, data ...*chunk.Chunk) *formats.Group {
	t.Helper()
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.tif")
	w, err := Format.Create(ctx, path, spec)
	if err != nil {
		t.Fatal(err)
	}
	if big {
		w.(*writer).classic = 0
	}
	if err := formattest.Write(ctx, w, data); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if want := map[bool]string{false: "II*\x00", true: "II+\x00"}[big]; string(b[:4]) != want {
		t.Errorf("the file starts with %q, want %q", b[:4], want)
	}
	g, err := openBytes(b)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func openBytes(b []byte) (*formats.Group, error) { return open(bytes.NewReader(b), int64(len(b)), nil) }

func floats(shape chunk.Shape, f func(i int64) float64) *chunk.Chunk {
	c := formattest.New(dtype.Float64, 8, shape)
	for i := range chunk.Slice[float64](c) {
		chunk.Slice[float64](c)[i] = f(int64(i))
	}
	return c
}

// Overviews are means of what is not missing, or the first of four where values are categories; BigTIFF has the same.
func TestOverviews(t *testing.T) {
	for _, big := range []bool{false, true} {
		for _, flags := range []bool{false, true} {
			shape := chunk.Shape{1101, 601}
			data := formattest.New(dtype.Int16, 2, shape)
			in := chunk.Slice[int16](data)
			for i := range in {
				in[i] = int16(i*7919%1000 - 500)
				if i%5 == 0 {
					in[i] = -999
				}
			}
			v := formats.VarSpec{Name: "v", Dims: []string{"y", "x"}, Shape: shape, DType: dtype.Int16, Attrs: formats.Attrs{{Name: "_FillValue", Value: int16(-999)}}}
			if flags {
				v.Attrs = append(v.Attrs, formats.Attr{Name: "flag_values", Value: []int16{1, 2}})
			}
			g := written(t, formats.Spec{Vars: []formats.VarSpec{v}}, big, data)
			if len(g.Vars) != 3 || g.Vars[1].Name != "image_overview_1" || !g.Vars[2].Source.Meta().Shape.Equal(chunk.Shape{276, 151}) {
				t.Fatalf("levels are %+v", g.Vars)
			}
			if f, _ := g.Vars[0].Attrs.Get("_FillValue"); f != int16(-999) {
				t.Errorf("_FillValue = %v, want -999", f)
			}
			c, err := formattest.ReadAll(context.Background(), g.Vars[1].Source)
			if err != nil {
				t.Fatal(err)
			}
			for y := range int64(551) {
				for x := range int64(301) {
					sum, n := 0.0, 0.0
					for i := 2 * y; i < min(2*y+2, 1101); i++ {
						for j := 2 * x; j < min(2*x+2, 601); j++ {
							if v := in[i*601+j]; v != -999 {
								sum, n = sum+float64(v), n+1
							}
						}
					}
					want := int16(-999)
					if n > 0 {
						want = int16(math.Round(sum / n))
					}
					if flags {
						want = in[2*y*601+2*x]
					}
					if got := chunk.Slice[int16](c)[y*301+x]; got != want {
						t.Fatalf("flags %v: overview at (%d, %d) = %d, want %d", flags, y, x, got, want)
					}
				}
			}
		}
	}
}

// Coordinates become the georeference, other attributes come back, and GeoTIFF's own survive.
func TestGeoreference(t *testing.T) {
	shape := chunk.Shape{4, 6}
	spec := formats.Spec{Attrs: formats.Attrs{{Name: "title", Value: "a <map> & more"}}, Vars: []formats.VarSpec{
		{Name: "z", Dims: []string{"lat", "lon"}, Shape: shape, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "m"}, {Name: "scale_factor", Value: 0.1}}},
		{Name: "lat", Dims: []string{"lat"}, Shape: chunk.Shape{4}, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "degrees_north"}}},
		{Name: "lon", Dims: []string{"lon"}, Shape: chunk.Shape{6}, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "degrees_east"}}},
		{Name: "height", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.Float64}}}
	z := floats(shape, func(i int64) float64 { return float64(i) })
	lat := floats(chunk.Shape{4}, func(i int64) float64 { return 50 - 0.5*float64(i) })
	lon := floats(chunk.Shape{6}, func(i int64) float64 { return 10 + 0.25*float64(i) })
	g := written(t, spec, false, z, lat, lon, floats(chunk.Shape{}, func(int64) float64 { return 2 }))
	want := map[string]string{"ModelPixelScale": "[0.25 0.5 0]", "ModelTiepoint": "[0 0 0 9.875 50.25 0]", "GeographicTypeGeoKey": "4326", "units": "m",
		"scale_factor": "0.1", "title": "a <map> & more", "height": "2"}
	has := func(g *formats.Group) {
		t.Helper()
		for name, w := range want {
			if v, _ := g.Vars[0].Attrs.Get(name); fmt.Sprint(v) != w {
				t.Errorf("%s = %v, want %s", name, v, w)
			}
		}
	}
	has(g)
	// written again from what was read
	again := formats.Spec{Vars: []formats.VarSpec{{Name: "image", Dims: []string{"y", "x"}, Shape: shape, DType: dtype.Float64, Attrs: g.Vars[0].Attrs}}}
	has(written(t, again, false, z))
	// south comes first: a matrix
	south := floats(chunk.Shape{4}, func(i int64) float64 { return 48 + 0.5*float64(i) })
	g = written(t, spec, false, z, south, lon, floats(chunk.Shape{}, func(int64) float64 { return 2 }))
	if m, _ := g.Vars[0].Attrs.Get("ModelTransformation"); fmt.Sprint(m) != "[0.25 0 0 9.875 0 0.5 0 47.75 0 0 0 0 0 0 0 1]" {
		t.Errorf("ModelTransformation = %v", m)
	}
	// uneven coordinates place nothing
	uneven := floats(chunk.Shape{4}, func(i int64) float64 { return float64(i * i) })
	g = written(t, spec, false, z, uneven, lon, floats(chunk.Shape{}, func(int64) float64 { return 2 }))
	for _, name := range []string{"ModelTransformation", "ModelPixelScale", "GeographicTypeGeoKey"} {
		if m, ok := g.Vars[0].Attrs.Get(name); ok {
			t.Errorf("uneven coordinates give %s = %v", name, m)
		}
	}
	for name, want := range map[string]string{"lat": "0,1,4,9", "lat#units": "degrees_north", "lon": "10,10.25,10.5,10.75,11,11.25"} {
		if v, _ := g.Vars[0].Attrs.Get(name); v != want {
			t.Errorf("uneven coordinates: %s = %v, want %s", name, v, want)
		}
	}
}

// Bands keep the values of their coordinate, its units and its calendar; prints keep their resolution.
func TestBands(t *testing.T) {
	shape := chunk.Shape{2, 3, 5}
	spec := formats.Spec{Vars: []formats.VarSpec{
		{Name: "z", Dims: []string{"time", "y", "x"}, Shape: shape, DType: dtype.Float64, Attrs: formats.Attrs{
			{Name: "XResolution", Value: 0.1}, {Name: "YResolution", Value: 72.25}, {Name: "ResolutionUnit", Value: int64(3)}}},
		{Name: "time", Dims: []string{"time"}, Shape: chunk.Shape{2}, DType: dtype.Float64,
			Attrs: formats.Attrs{{Name: "units", Value: "days since 2000-01-01"}, {Name: "calendar", Value: "noleap"}}}}}
	g := written(t, spec, false, floats(shape, func(i int64) float64 { return float64(i) }), floats(chunk.Shape{2}, func(i int64) float64 { return 0.5 + float64(i) }))
	for name, want := range map[string]any{"DESCRIPTION_1": "time=1.5", "time#units": "days since 2000-01-01", "time#calendar": "noleap",
		"XResolution": 0.1, "YResolution": 72.25, "ResolutionUnit": int64(3)} {
		if v, _ := g.Vars[0].Attrs.Get(name); v != want {
			t.Errorf("%s = %v, want %v", name, v, want)
		}
	}
}

func TestRefusals(t *testing.T) {
	two := chunk.Shape{3, 4}
	v := func(name string, shape chunk.Shape, dt dtype.DType, codec string) formats.VarSpec {
		return formats.VarSpec{Name: name, Shape: shape, DType: dt, Codec: codec}
	}
	for name, vars := range map[string][]formats.VarSpec{
		"two images": {v("a", two, dtype.Int8, ""), v("b", two, dtype.Int8, "")},
		"a stranger": {v("a", two, dtype.Int8, ""), v("b", chunk.Shape{9}, dtype.Int8, "")},
		"a line":     {v("a", chunk.Shape{3}, dtype.Int8, "")},
		"4 axes":     {v("a", chunk.Shape{2, 3, 3, 4}, dtype.Int8, "")},
		"no pixels":  {v("a", chunk.Shape{0, 4}, dtype.Int8, "")},
		"texts":      {v("a", two, dtype.String, "")},
		"bfloat16":   {v("a", two, dtype.BFloat16, "")},
		"codec":      {v("a", two, dtype.Int8, "blosc")},
		"level":      {v("a", two, dtype.Int8, "zlib:x")},
	} {
		dir := t.TempDir()
		if _, err := Format.Create(context.Background(), filepath.Join(dir, "a.tif"), formats.Spec{Vars: vars}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
		if l, _ := os.ReadDir(dir); len(l) != 0 {
			t.Errorf("%s: %v is left behind", name, l)
		}
	}
}

// What samples mean survives, and so do bools as bits, palettes of fewer colours than a byte has, and overviews of both.
func TestMeanings(t *testing.T) {
	shape := chunk.Shape{600, 1100}
	bits, bytes := formattest.New(dtype.Bool, 1, shape), formattest.New(dtype.Uint8, 1, shape)
	for i := range shape.Size() {
		bits.Bytes()[i] = byte(i / 7 % 2)
		bytes.Bytes()[i] = byte(i % 11)
	}
	map4 := make([]uint16, 3*16)
	for i := range map4 {
		map4[i] = uint16(1000 * i)
	}
	for _, x := range []struct {
		name  string
		c     *chunk.Chunk
		attrs formats.Attrs
	}{
		{"bits", bits, nil},
		{"white bits", bits, formats.Attrs{{Name: "PhotometricInterpretation", Value: "MinIsWhite"}}},
		{"white", bytes, formats.Attrs{{Name: "PhotometricInterpretation", Value: "MinIsWhite"}}},
		{"palette", bytes, formats.Attrs{{Name: "PhotometricInterpretation", Value: "Palette"}, {Name: "ColorMap", Value: map4}}},
	} {
		g := written(t, formats.Spec{Vars: []formats.VarSpec{{Name: "a", Dims: []string{"y", "x"}, Shape: shape, DType: x.c.DType, Attrs: x.attrs}}}, false, x.c)
		if len(g.Vars) != 3 {
			t.Fatalf("%s: %d levels, want 3", x.name, len(g.Vars))
		}
		got, err := formattest.ReadAll(context.Background(), g.Vars[0].Source)
		if err != nil || got.DType != x.c.DType || !slices.Equal(got.Bytes(), x.c.Bytes()) {
			t.Errorf("%s: %v, other values: %v", x.name, got.DType, err)
		}
		half, err := formattest.ReadAll(context.Background(), g.Vars[1].Source)
		if err != nil {
			t.Fatal(err)
		}
		for i := range half.Shape.Size() {
			r, c := i/550, i%550
			// means of bytes that are no numbers of colours
			if x.name != "white" && half.Bytes()[i] != x.c.Bytes()[2*r*1100+2*c] {
				t.Fatalf("%s: pixel %d, %d of the first overview is %d", x.name, r, c, half.Bytes()[i])
			}
		}
		for _, a := range x.attrs {
			v, _ := g.Vars[0].Attrs.Get(a.Name)
			if m, ok := v.([]uint16); ok { // the blocks of red, green and blue are as long as a byte has values
				if len(m) != 3*256 || m[15] != 15000 || m[16] != 0 || m[256] != 16000 || m[2*256+15] != 47000 {
					t.Errorf("%s: %d colours, %v", x.name, len(m), m)
				}
			} else if v != a.Value {
				t.Errorf("%s: %s = %v, want %v", x.name, a.Name, v, a.Value)
			}
		}
	}
}

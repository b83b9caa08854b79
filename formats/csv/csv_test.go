// SPDX-License-Identifier: BSD-3-Clause

package csv

import (
	"context"
	"errors"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func written(t *testing.T, spec formats.Spec, data ...*chunk.Chunk) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "t.csv")
	w, err := Create(context.Background(), path, spec)
	if err == nil {
		err = formattest.Write(context.Background(), w, data)
	}
	if err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if l, _ := os.ReadDir(filepath.Dir(path)); len(l) != 1 {
		t.Errorf("%v are left beside the table", l)
	}
	return string(b)
}

func TestTable(t *testing.T) {
	v := formattest.New(dtype.Float32, 4, chunk.Shape{2, 3})
	copy(chunk.Slice[float32](v), []float32{0.1, 1, float32(math.NaN()), -2, 1e10, 3})
	lat := formattest.New(dtype.Float64, 8, chunk.Shape{2})
	copy(chunk.Slice[float64](lat), []float64{-10, 0.5})
	bnds := formattest.New(dtype.Float64, 8, chunk.Shape{2, 2})
	name := formattest.New(dtype.String, 16, chunk.Shape{3})
	for i, s := range []string{"a", `say "hi", x`, ""} {
		formats.SetText(name, int64(i), []byte(s))
	}
	height := formattest.New(dtype.Int16, 2, chunk.Shape{})
	chunk.Slice[int16](height)[0] = 2
	g := chunk.Regular(chunk.Shape{2, 3}, 1, 2)
	got := written(t, formats.Spec{Vars: []formats.VarSpec{
		{Name: "lat", Dims: []string{"lat"}, Shape: chunk.Shape{2}, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "bounds", Value: "lat_bnds"}}},
		{Name: "lat_bnds", Dims: []string{"lat", "nv"}, Shape: chunk.Shape{2, 2}, DType: dtype.Float64},
		{Name: "t", Dims: []string{"lat", "lon"}, Shape: chunk.Shape{2, 3}, DType: dtype.Float32, Grid: &g},
		{Name: "station", Dims: []string{"lon"}, Shape: chunk.Shape{3}, DType: dtype.String},
		{Name: "height", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.Int16},
	}}, lat, bnds, v, name, height)
	want := `lat,lon,t,station,height
-10,0,0.1,a,2
-10,1,1,"say ""hi"", x",2
-10,2,NaN,,2
0.5,0,-2,a,2
0.5,1,1e+10,"say ""hi"", x",2
0.5,2,3,,2
`
	if got != want {
		t.Errorf("table is\n%s\nwant\n%s", got, want)
	}
}

func TestMatrix(t *testing.T) {
	m := formattest.New(dtype.Int64, 8, chunk.Shape{2, 2})
	copy(chunk.Slice[int64](m), []int64{1, 2, 3, -4})
	if got := written(t, formats.Spec{Vars: []formats.VarSpec{{Name: "m", Shape: m.Shape, DType: m.DType}}}, m); got != "1,2\n3,-4\n" {
		t.Errorf("matrix is %q", got)
	}
	z := formattest.New(dtype.Complex128, 16, chunk.Shape{2})
	copy(chunk.Slice[complex128](z), []complex128{1 + 2i, -1.5i})
	if got := written(t, formats.Spec{Vars: []formats.VarSpec{{Name: "z", Shape: z.Shape, DType: z.DType}}}, z); got != "1+2j\n0-1.5j\n" {
		t.Errorf("complex numbers are %q", got)
	}
}

// TestRows: the dimension of a table's rows is no column, and a variable of its name keeps its place.
func TestRows(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	vars := []formats.VarSpec{
		{Name: "area", Dims: []string{"label"}, Shape: chunk.Shape{2}, DType: dtype.Int8},
		{Name: "label", Dims: []string{"label"}, Shape: chunk.Shape{2}, DType: dtype.Int8},
	}
	w, err := Create(context.Background(), path, formats.Spec{Vars: vars, Rows: "label"})
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range [][]byte{{3, 4}, {7, 9}} {
		c := &chunk.Chunk{DType: dtype.Int8, ItemBytes: 1, Shape: chunk.Shape{2}, Strides: []int64{1}, Block: mem.Wrap(v)}
		if _, err := w.Sink(i).WriteChunk(context.Background(), chunk.Key{0}, c); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(path); err != nil || string(b) != "area,label\n3,7\n4,9\n" {
		t.Errorf("the table is %q (%v)", b, err)
	}
}

func TestRefused(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "t.csv")
	for name, vars := range map[string][]formats.VarSpec{
		"large":       {{Name: "a", Shape: chunk.Shape{1 << 22}, DType: dtype.Float64}},
		"cube":        {{Name: "a", Shape: chunk.Shape{2, 2, 2}, DType: dtype.Int8}},
		"two unnamed": {{Name: "a", Shape: chunk.Shape{2}, DType: dtype.Int8}, {Name: "b", Shape: chunk.Shape{2}, DType: dtype.Int8}},
		"misfit":      {{Name: "a", Dims: []string{"x"}, Shape: chunk.Shape{2}, DType: dtype.Int8}, {Name: "b", Dims: []string{"y"}, Shape: chunk.Shape{2}, DType: dtype.Int8}},
		"nothing":     nil,
	} {
		if _, err := Create(ctx, path, formats.Spec{Vars: vars}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	os.WriteFile(path, nil, 0o666)
	if _, err := Create(ctx, path, formats.Spec{}); !errors.Is(err, formats.ErrExists) {
		t.Errorf("Create over a file = %v, want ErrExists", err)
	}
}

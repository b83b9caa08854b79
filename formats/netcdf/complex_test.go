// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"bytes"
	"context"
	"encoding/binary"
	"math"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestComplex: complex variables, contiguous and in compressed chunks, their fill values in every spelling, and complex attributes come back as such.
func TestComplex(t *testing.T) {
	ctx := context.Background()
	for _, d := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
		for _, fill := range []any{nil, complex128(1 - 2i), []float64{1, -2}, []any{int64(1), -2.0}} {
			path := filepath.Join(t.TempDir(), "a.nc")
			grid := chunk.Regular(chunk.Shape{3, 2}, 2, 2)
			spec := formats.Spec{Attrs: formats.Attrs{{Name: "z", Value: complex128(0.5 + 4i)}}, Dims: []formats.Dim{{Name: "x", Size: 3, Unlimited: true}, {Name: "y", Size: 2}}}
			plain := formats.VarSpec{Name: "plain", Dims: []string{}, Shape: chunk.Shape{}, DType: d}
			packed := formats.VarSpec{Name: "packed", Dims: []string{"x", "y"}, Shape: chunk.Shape{3, 2}, DType: d, Grid: &grid, Codec: "zlib:1"}
			if fill != nil {
				packed.Attrs = formats.Attrs{{Name: "_FillValue", Value: fill}}
			}
			spec.Vars = []formats.VarSpec{plain, packed}
			w, err := Create(ctx, path, spec)
			if err != nil {
				t.Fatal(err)
			}
			data := []*chunk.Chunk{formattest.New(d, d.Size(), plain.Shape), formattest.New(d, d.Size(), packed.Shape)}
			set := func(c *chunk.Chunk, i int, v complex128) {
				if d == dtype.Complex64 {
					chunk.Slice[complex64](c)[i] = complex64(v)
				} else {
					chunk.Slice[complex128](c)[i] = v
				}
			}
			set(data[0], 0, 7+0.25i)
			for i := range 6 {
				set(data[1], i, complex(float64(i), -0.5))
			}
			if err := formattest.Write(ctx, w, data); err != nil {
				t.Fatal(err)
			}
			g, err := NetCDF4.Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			if z, _ := g.Attrs.Get("z"); z != complex128(0.5+4i) {
				t.Errorf("%v: the attribute is %T %v", d, z, z)
			}
			for i, v := range g.Vars {
				c, err := formattest.ReadAll(ctx, v.Source)
				if err != nil {
					t.Fatal(err)
				}
				if c.DType != d || string(c.Bytes()) != string(data[i].Bytes()) {
					t.Errorf("%v, %s: got %v % x, want % x", d, v.Name, c.DType, c.Bytes(), data[i].Bytes())
				}
			}
			if fill != nil {
				want := formattest.New(d, d.Size(), chunk.Shape{})
				set(want, 0, 1-2i)
				if m := g.Vars[1].Source.Meta(); string(m.Fill) != string(want.Bytes()) || !m.FillSet {
					t.Errorf("%v, fill %v: % x, stated %v, want % x", d, fill, m.Fill, m.FillSet, want.Bytes())
				}
			}
			g.Close()
		}
	}
}

// TestComplexFields: complex numbers in records are records of r and i, of attributes too.
func TestComplexFields(t *testing.T) {
	stored := map[string]any{"fields": []any{[]any{"n", "int8"}, []any{"z", "complex64"}}}
	var b []byte
	for i := range 2 {
		b = append(b, byte(i))
		b = binary.NativeEndian.AppendUint32(b, math.Float32bits(1.5))
		b = binary.NativeEndian.AppendUint32(b, math.Float32bits(float32(-i)))
	}
	x := chunk.Shape{2}
	v := formats.VarSpec{Name: "r", Dims: []string{"x"}, Shape: x, DType: dtype.Raw, ItemBytes: 9, Stored: stored,
		Attrs: formats.Attrs{{Name: "like", Value: map[string]any{"n": int64(3), "z": complex64(2 - 1i)}, Type: stored}}}
	path := filepath.Join(t.TempDir(), "a.nc")
	write(t, path, formats.Spec{Vars: []formats.VarSpec{v}}, []*chunk.Chunk{{DType: dtype.Raw, ItemBytes: 9, Shape: x, Strides: x.RowMajor(), Block: mem.Wrap(b)}})
	g, err := openAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	c, err := readAll(g.Vars[0].Source)
	if got := typeKey(g.Vars[0].Source.Meta().Stored); err != nil || !bytes.Equal(c.Bytes(), b) || got != typeKey(stored) {
		t.Errorf("%v, %x, want %x, of type %s", err, c.Bytes(), b, got)
	}
	bin, err := exec.LookPath("ncdump")
	if err != nil {
		missing(t, "ncdump")
		return
	}
	got, err := exec.Command(bin, path).CombinedOutput()
	for _, want := range []string{"r_t r:like = {3, {2, -1}}", "{0, {1.5, 0}}, {1, {1.5, -1}}"} {
		if err != nil || !strings.Contains(string(got), want) {
			t.Errorf("ncdump: %v, no %s in\n%s", err, want, got)
		}
	}
}

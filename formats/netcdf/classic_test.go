// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"fmt"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestFormatClassic(t *testing.T) {
	for member, types := range map[string][]dtype.DType{
		"netcdf3":            {dtype.Int8, dtype.Int16, dtype.Int32, dtype.Float32, dtype.Float64, dtype.Uint16, dtype.Int64},
		"netcdf3-64bit":      {dtype.Int8, dtype.Int16, dtype.Int32, dtype.Float32, dtype.Float64},
		"netcdf3-64bit-data": {dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Float32, dtype.Float64},
	} {
		t.Run(member, func(t *testing.T) {
			formattest.Format(t, Classic, formattest.Options{Ext: ".nc", Member: member, Attrs: true, Dims: true, Codecs: []string{"", "none"}, DTypes: types})
		})
	}
}

// classicSpec has records, padding of every length, characters and each type of the version.
func classicSpec(format string) formats.Spec {
	types := []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Float32, dtype.Float64}
	if format == "netcdf3-64bit-data" {
		types = append(types, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Int64)
	}
	spec := formats.Spec{Format: format,
		Attrs: formats.Attrs{{Name: "title", Value: "Wetter über Köln"}, {Name: "empty", Value: ""}, {Name: "one", Value: int16(7)}, {Name: "list", Value: []float64{1, 2.5, -3}},
			{Name: "count", Value: int64(5)}, {Name: "flags", Value: []int8{1, 2, 3}}},
		Dims: []formats.Dim{{Name: "time", Size: 5, Unlimited: true}, {Name: "y", Size: 3}, {Name: "x", Size: 7}, {Name: "len", Size: 5}},
		Vars: []formats.VarSpec{
			{Name: "name", Dims: []string{"y", "len"}, Shape: chunk.Shape{3, 5}, DType: dtype.Raw, ItemBytes: 1, Stored: "S1"},
			{Name: "time", Dims: []string{"time"}, Shape: chunk.Shape{5}, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "days since 2001-01-01"}}},
			{Name: "crs", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.Int32},
			{Name: "mask", Dims: []string{"y", "x"}, Shape: chunk.Shape{3, 7}, DType: dtype.Bool},
		}}
	for _, d := range types {
		spec.Vars = append(spec.Vars,
			formats.VarSpec{Name: "f_" + d.String(), Dims: []string{"y", "x"}, Shape: chunk.Shape{3, 7}, DType: d, Attrs: formats.Attrs{{Name: "_FillValue", Value: 99}}},
			formats.VarSpec{Name: "r_" + d.String(), Dims: []string{"time", "y", "x"}, Shape: chunk.Shape{5, 3, 7}, DType: d})
	}
	return spec
}

func TestClassicRoundTrip(t *testing.T) {
	for format, want := range map[string]string{"netcdf3": "classic", "netcdf3-64bit": "64-bit offset", "netcdf3-64bit-data": "cdf5"} {
		path := filepath.Join(t.TempDir(), "a.nc")
		spec := classicSpec(format)
		r := rand.New(rand.NewSource(5))
		var data []*chunk.Chunk
		for _, v := range spec.Vars {
			data = append(data, array(r, v))
		}
		write(t, path, spec, data)
		g, err := openAny(path)
		if err != nil {
			t.Fatal(err)
		}
		if g.Format != format || !reflect.DeepEqual(g.Dims, spec.Dims) {
			t.Errorf("format %s, dims %v, want %s, %v", g.Format, g.Dims, format, spec.Dims)
		}
		for i, v := range g.Vars {
			got, err := readAll(v.Source)
			if err != nil || !reflect.DeepEqual(got.Bytes(), data[i].Bytes()) || v.Name != spec.Vars[i].Name || !reflect.DeepEqual(v.Dims, spec.Vars[i].Dims) {
				t.Errorf("%s: %s %v: %v, or other values than were written", format, v.Name, v.Dims, err)
			}
		}
		if v, _ := g.Attrs.Get("flags"); !reflect.DeepEqual(v, []int8{1, 2, 3}) {
			t.Errorf("%s: flags = %v", format, v)
		}
		g.Close()
		if bin, err := exec.LookPath("ncdump"); err != nil {
			missing(t, "ncdump")
		} else {
			out, err := exec.Command(bin, "-k", path).CombinedOutput()
			if err != nil || strings.TrimSpace(string(out)) != want {
				t.Errorf("ncdump -k = %s, %v, want %s", out, err, want)
			}
			if out, err := exec.Command(bin, path).CombinedOutput(); err != nil || !strings.Contains(string(out), "time = UNLIMITED ; // (5 currently)") {
				t.Errorf("ncdump: %v\n%.1000s", err, out)
			}
		}
	}
}

// One record variable alone is not padded, whatever its size.
func TestOneRecordVariable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	spec := formats.Spec{Format: "netcdf3", Dims: []formats.Dim{{Name: "t", Size: 4, Unlimited: true}},
		Vars: []formats.VarSpec{{Name: "v", Dims: []string{"t", "x"}, Shape: chunk.Shape{4, 3}, DType: dtype.Int8}}}
	c := array(rand.New(rand.NewSource(2)), spec.Vars[0])
	write(t, path, spec, []*chunk.Chunk{c})
	st, _ := os.Stat(path)
	g, err := openAny(path)
	if err != nil {
		t.Fatal(err)
	}
	got, err := readAll(g.Vars[0].Source)
	if err != nil || !reflect.DeepEqual(got.Bytes(), c.Bytes()) || st.Size()%4 != 0 && st.Size()%12 == 0 {
		t.Errorf("%v, %d bytes: %v", got.Bytes(), st.Size(), err)
	}
}

func TestClassicVersions(t *testing.T) {
	one := func(d dtype.DType, shape chunk.Shape, attrs ...formats.Attr) formats.VarSpec {
		v := formats.VarSpec{Name: "v", Shape: shape, DType: d, Attrs: attrs}
		for i := range shape {
			v.Dims = append(v.Dims, fmt.Sprintf("d%d", i))
		}
		return v
	}
	second := formats.VarSpec{Name: "w", Dims: []string{"d0"}, Shape: chunk.Shape{1 << 20}, DType: dtype.Int8}
	for _, c := range []struct {
		name   string
		format string
		vars   []formats.VarSpec
		want   byte // 0: refused
	}{
		{"small", "netcdf3", []formats.VarSpec{one(dtype.Float32, chunk.Shape{3})}, 1},
		{"unsigned", "netcdf3", []formats.VarSpec{one(dtype.Uint8, chunk.Shape{3})}, 5},
		{"unsigned in CDF-2", "netcdf3-64bit", []formats.VarSpec{one(dtype.Uint8, chunk.Shape{3})}, 0},
		{"long attribute", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{3}, formats.Attr{Name: "a", Value: int64(1 << 40)})}, 5},
		{"short attribute", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{3}, formats.Attr{Name: "a", Value: int64(1 << 20)})}, 1},
		{"3 GiB, last", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{1 << 20, 3 << 10})}, 1},
		{"3 GiB, not last", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{1 << 20, 3 << 10}), second}, 2},
		{"5 GiB, not last", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{1 << 20, 5 << 10}), second}, 5},
		{"5 GiB, last", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{1 << 20, 5 << 10})}, 1},
		{"long axis", "netcdf3", []formats.VarSpec{one(dtype.Int8, chunk.Shape{1 << 32})}, 5},
	} {
		path := filepath.Join(t.TempDir(), "a.nc")
		w, err := Create(context.Background(), path, formats.Spec{Format: c.format, Vars: c.vars})
		if c.want == 0 {
			if !errors.Is(err, formats.ErrFormat) {
				t.Errorf("%s: %v, want ErrFormat", c.name, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if v := w.(*classicWriter).version; v != c.want {
			t.Errorf("%s: CDF-%d, want CDF-%d", c.name, v, c.want)
		}
		w.Abort()
	}
}

func TestClassicRefusals(t *testing.T) {
	for name, spec := range map[string]formats.Spec{
		"texts":     {Vars: []formats.VarSpec{{Name: "v", Shape: chunk.Shape{2}, DType: dtype.String}}},
		"groups":    {Vars: []formats.VarSpec{{Name: "a/v", Shape: chunk.Shape{2}, DType: dtype.Int8}}},
		"codec":     {Vars: []formats.VarSpec{{Name: "v", Shape: chunk.Shape{2}, DType: dtype.Int8, Codec: "zlib:4"}}},
		"complex":   {Vars: []formats.VarSpec{{Name: "v", Shape: chunk.Shape{2}, DType: dtype.Complex64}}},
		"object":    {Attrs: formats.Attrs{{Name: "a", Value: struct{}{}}}},
		"unlimited": {Dims: []formats.Dim{{Name: "a", Unlimited: true}, {Name: "b", Unlimited: true}}},
		"not first": {Dims: []formats.Dim{{Name: "t", Size: 2, Unlimited: true}}, Vars: []formats.VarSpec{{Name: "v", Dims: []string{"x", "t"}, Shape: chunk.Shape{3, 2}, DType: dtype.Int8}}},
		"format":    {Format: "netcdf3-quad"},
	} {
		if spec.Format == "" {
			spec.Format = "netcdf3"
		}
		if _, err := Create(context.Background(), filepath.Join(t.TempDir(), "a.nc"), spec); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: Create = %v, want ErrFormat", name, err)
		}
	}
}

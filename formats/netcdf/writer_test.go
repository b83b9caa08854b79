// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// array returns a C-ordered chunk of random bytes (texts for String) of the variable's whole shape.
func array(r *rand.Rand, v formats.VarSpec) *chunk.Chunk {
	item := v.DType.Size()
	if v.DType == dtype.Raw {
		item = v.ItemBytes
	}
	b := make([]byte, v.Shape.Size()*int64(item))
	c := &chunk.Chunk{DType: v.DType, ItemBytes: int32(item), Shape: v.Shape, Strides: v.Shape.RowMajor(), Block: mem.Wrap(b)}
	switch v.DType {
	case dtype.String:
		for i := range v.Shape.Size() {
			formats.SetText(c, i, []byte(strings.Repeat("é", int(i)%4)+fmt.Sprint(i)))
		}
		if v.Shape.Size() > 0 {
			formats.SetText(c, 0, nil)
		}
	case dtype.Bool:
		for i := range b {
			b[i] = byte(r.Intn(2))
		}
	case dtype.Float64:
		x := chunk.Slice[float64](c)
		for i := range x {
			x[i] = float64(i)
		}
	case dtype.Float32:
		x := chunk.Slice[float32](c)
		for i := range x {
			x[i] = float32(math.Round(16*(280+20*math.Sin(float64(i)/50)+r.Float64()))) / 16
		}
	default:
		r.Read(b)
	}
	return c
}

// write makes a file of the variables' whole arrays, several chunks at a time and not in order.
func write(t testing.TB, path string, spec formats.Spec, data []*chunk.Chunk) {
	t.Helper()
	ctx := context.Background()
	w, err := Create(ctx, path, spec)
	if err != nil {
		t.Fatal(err)
	}
	for i := range spec.Vars {
		s := w.Sink(i)
		g := s.Grid()
		var wg sync.WaitGroup
		for _, j := range rand.New(rand.NewSource(1)).Perm(int(g.Len())) {
			wg.Go(func() {
				k := g.At(int64(j), nil)
				if _, err := s.WriteChunk(ctx, k, data[i].Sub(g.Region(k))); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
}

// sampleSpec has every storage, dtype and kind of attribute that is written.
func sampleSpec() formats.Spec {
	hint := chunk.Regular(chunk.Shape{10, 18, 36}, 3, 7, 36)
	spec := formats.Spec{
		Attrs: formats.Attrs{{Name: "title", Value: "Großwetterlage"}, {Name: "Conventions", Value: "CF-1.10"}, {Name: "empty", Value: ""},
			{Name: "names", Value: []string{"a", "", "ccc"}}, {Name: "one", Value: int16(7)}, {Name: "list", Value: []float64{1, 2.5, math.Inf(1)}},
			{Name: "long", Value: strings.Repeat("history line\n", 5000)}, {Name: "big", Value: uint64(1 << 63)}},
		Dims: []formats.Dim{{Name: "time", Size: 10, Unlimited: true}, {Name: "lat", Size: 18}, {Name: "lon", Size: 36}, {Name: "bnds", Size: 2}, {Name: "len", Size: 5}},
		Vars: []formats.VarSpec{
			{Name: "time", Dims: []string{"time"}, Shape: chunk.Shape{10}, DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "days since 2001-01-01"}, {Name: "calendar", Value: "noleap"}, {Name: "bounds", Value: "time_bnds"}}},
			{Name: "lat", Dims: []string{"lat"}, Shape: chunk.Shape{18}, DType: dtype.Float32, Attrs: formats.Attrs{{Name: "units", Value: "degrees_north"}}},
			{Name: "lon", Dims: []string{"lon"}, Shape: chunk.Shape{36}, DType: dtype.Float32, Attrs: formats.Attrs{{Name: "units", Value: "degrees_east"}}},
			{Name: "time_bnds", Dims: []string{"time", "bnds"}, Shape: chunk.Shape{10, 2}, DType: dtype.Float64},
			{Name: "tas", Dims: []string{"time", "lat", "lon"}, Shape: chunk.Shape{10, 18, 36}, DType: dtype.Float32, Codec: "zlib:4",
				Attrs: formats.Attrs{{Name: "_FillValue", Value: 1e20}, {Name: "units", Value: "K"}}},
			{Name: "pr", Dims: []string{"time", "lat", "lon"}, Shape: chunk.Shape{10, 18, 36}, DType: dtype.Float32, Grid: &hint, Codec: "zlib:1"},
			{Name: "plain", Dims: []string{"lat", "lon"}, Shape: chunk.Shape{18, 36}, DType: dtype.Int16, Attrs: formats.Attrs{{Name: "_FillValue", Value: -32768}, {Name: "flag_values", Value: []int16{1, 2, 3}}}},
			{Name: "mask", Dims: []string{"lat", "lon"}, Shape: chunk.Shape{18, 36}, DType: dtype.Bool, Codec: "zlib"},
			{Name: "station", Dims: []string{"lat", "len"}, Shape: chunk.Shape{18, 5}, DType: dtype.Raw, ItemBytes: 1, Stored: "S1"},
			{Name: "label", Dims: []string{"lat"}, Shape: chunk.Shape{18}, DType: dtype.String},
			{Name: "when", Dims: []string{"time"}, Shape: chunk.Shape{10}, DType: dtype.String, Codec: "zlib:1"},
			{Name: "crs", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.Int32, Attrs: formats.Attrs{{Name: "grid_mapping_name", Value: "latitude_longitude"}}},
			{Name: "bnds", Dims: []string{"lat", "bnds"}, Shape: chunk.Shape{18, 2}, DType: dtype.Int8},
		},
	}
	for i, c := range []string{"fletcher32", "zlib:4,fletcher32", "zstd,fletcher32"} {
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: fmt.Sprintf("sum_%d", i), Dims: []string{"lon", "lat"}, Shape: chunk.Shape{36, 18}, DType: dtype.Float64, Codec: c})
	}
	for _, d := range []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64, dtype.Float64} {
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: "v_" + d.String(), Dims: []string{"lon", "lat"}, Shape: chunk.Shape{36, 18}, DType: d, Codec: "zlib:6"})
	}
	return spec
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.nc")
	spec := sampleSpec()
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
	defer g.Close()
	if g.Format != "netcdf4" || !reflect.DeepEqual(g.Dims, spec.Dims) {
		t.Errorf("format %s, dims %v, want netcdf4, %v", g.Format, g.Dims, spec.Dims)
	}
	for _, a := range spec.Attrs {
		if got, _ := g.Attrs.Get(a.Name); !reflect.DeepEqual(got, a.Value) {
			t.Errorf("attribute %s = %T %.40v, want %T %.40v", a.Name, got, got, a.Value, a.Value)
		}
	}
	if len(g.Vars) != len(spec.Vars) {
		t.Fatalf("%d variables, want %d", len(g.Vars), len(spec.Vars))
	}
	for i, v := range g.Vars {
		want := spec.Vars[i]
		if v.Err != nil || v.Name != want.Name || !reflect.DeepEqual(v.Dims, want.Dims) || !v.Source.Meta().Shape.Equal(want.Shape) {
			t.Errorf("variable %s %v %v, want %s %v %v", v.Name, v.Dims, v.Err, want.Name, want.Dims, want.Shape)
			continue
		}
		for _, a := range want.Attrs {
			if got, _ := v.Attrs.Get(a.Name); a.Name != "_FillValue" && !reflect.DeepEqual(got, a.Value) {
				t.Errorf("%s: attribute %s = %v, want %v", v.Name, a.Name, got, a.Value)
			}
		}
		got, err := readAll(v.Source)
		if err != nil {
			t.Error(err)
			continue
		}
		if want.DType == dtype.String {
			for k := range want.Shape.Size() {
				if a, b := formats.Text(got, k), formats.Text(data[i], k); string(a) != string(b) {
					t.Errorf("%s[%d] = %q, want %q", v.Name, k, a, b)
				}
			}
			continue
		}
		if !reflect.DeepEqual(got.Bytes(), data[i].Bytes()) {
			t.Errorf("%s: other values than were written", v.Name)
		}
	}
	if v, _ := g.Vars[4].Attrs.Get("_FillValue"); v != float32(1e20) {
		t.Errorf("_FillValue of float32 = %T %v, want float32 1e20", v, v)
	}
}

// TestOtherTools lets the C tools and Python's libraries read what was written.
func TestOtherTools(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b.nc")
	spec := sampleSpec()
	r := rand.New(rand.NewSource(5))
	var data []*chunk.Chunk
	for _, v := range spec.Vars {
		data = append(data, array(r, v))
	}
	write(t, path, spec, data)
	for _, c := range []struct{ tool, args, want string }{
		{"ncdump", "-h", "float tas(time, lat, lon)"},
		{"ncdump", "-h", "time = UNLIMITED ; // (10 currently)"},
		{"ncdump", "-h", "bnds = 2 ;"},
		{"ncdump", "-h", "byte bnds(lat, bnds) ;"},
		{"ncdump", "-h", "string :names = \"a\", \"\", \"ccc\""},
		{"ncdump", "-v crs,tas,label,when,station", "}"},
		{"h5dump", "-d /tas -s 0,0,0 -c 1,1,2", "H5T_IEEE_F32LE"},
		{"ncdump", "-s -v sum_0,sum_1", "sum_1:_Fletcher32 = \"true\""},
		{"h5dump", "-p -H -d /sum_1", "CHECKSUM FLETCHER32"},
		{"h5dump", "-d /when", "H5T_CSET_UTF8"},
		{"cdo", "-s showname", "tas"},
		{"cdo", "-s ntime", "10"},
	} {
		bin, err := exec.LookPath(c.tool)
		if err != nil {
			missing(t, c.tool)
			continue
		}
		out, err := exec.Command(bin, append(strings.Fields(c.args), path)...).CombinedOutput()
		if err != nil || !strings.Contains(string(out), c.want) {
			t.Errorf("%s %s: %v, no %q in\n%.2000s", c.tool, c.args, err, c.want, out)
		}
	}
}

// missing says that a tool is not there: a failure where every check must run.
func missing(t *testing.T, tool string) {
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		t.Errorf("%s is not installed", tool)
		return
	}
	t.Logf("skipped: %s is not installed", tool)
}

func TestRefusals(t *testing.T) {
	dir, ctx := t.TempDir(), context.Background()
	path := filepath.Join(dir, "c.nc")
	one := func(v formats.VarSpec) formats.Spec { return formats.Spec{Vars: []formats.VarSpec{v}} }
	for name, c := range map[string]struct {
		spec formats.Spec
		want error
	}{
		"bfloat16":  {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.BFloat16}), formats.ErrFormat},
		"half":      {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Float16}), formats.ErrFormat},
		"wide":      {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Raw, ItemBytes: 12, Stored: "U3"}), formats.ErrFormat},
		"name":      {one(formats.VarSpec{Name: "a//b", Shape: chunk.Shape{2}, DType: dtype.Int8}), formats.ErrFormat},
		"codec":     {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8, Codec: "blosc-lz4"}), formats.ErrFormat},
		"struct":    {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8, Attrs: formats.Attrs{{Name: "a", Value: struct{}{}}}}), formats.ErrFormat},
		"fill":      {one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8, Attrs: formats.Attrs{{Name: "_FillValue", Value: 300}}}), formats.ErrFormat},
		"dimension": {formats.Spec{Dims: []formats.Dim{{Name: "a", Size: 3}}, Vars: []formats.VarSpec{{Name: "x", Dims: []string{"a"}, Shape: chunk.Shape{2}, DType: dtype.Int8}}}, chunk.ErrShape},
		"inside":    {formats.Spec{Vars: []formats.VarSpec{{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8}, {Name: "x/y", Shape: chunk.Shape{2}, DType: dtype.Int8}}}, formats.ErrFormat},
		"twice":     {formats.Spec{Vars: []formats.VarSpec{{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8}, {Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8}}}, formats.ErrFormat},
	} {
		if _, err := Create(ctx, path, c.spec); !errors.Is(err, c.want) {
			t.Errorf("%s: Create = %v, want an error wrapping %v", name, err, c.want)
		}
	}
	ok := one(formats.VarSpec{Name: "x", Shape: chunk.Shape{2}, DType: dtype.Int8})
	w, err := Create(ctx, path, ok)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); err == nil {
		t.Error("Commit without its chunks succeeded")
	}
	if w, err = Create(ctx, path, ok); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Error(err)
	}
	left, _ := os.ReadDir(dir)
	if len(left) != 0 {
		t.Errorf("files left behind: %v", left)
	}
	os.WriteFile(path, []byte("old"), 0o666)
	if _, err := Create(ctx, path, ok); !errors.Is(err, formats.ErrExists) {
		t.Errorf("Create over a file = %v, want ErrExists", err)
	}
	ok.Overwrite = true
	write(t, path, ok, []*chunk.Chunk{array(rand.New(rand.NewSource(1)), ok.Vars[0])})
	if _, err := openAny(path); err != nil {
		t.Errorf("after overwriting: %v", err)
	}
}

// TestOverFolder: a folder is refused before anything is computed, whatever may be replaced.
func TestOverFolder(t *testing.T) {
	for _, create := range []func(context.Context, string, formats.Spec) (formats.Writer, error){Create, CreateClassic} {
		spec := formats.Spec{Overwrite: true, Vars: []formats.VarSpec{{Name: "v", Dims: []string{"x"}, Shape: chunk.Shape{3}, DType: dtype.Float32}}}
		if _, err := create(context.Background(), t.TempDir(), spec); !errors.Is(err, formats.ErrExists) {
			t.Errorf("got %v, want an error wrapping ErrExists", err)
		}
	}
}

func TestGroups(t *testing.T) {
	path := filepath.Join(t.TempDir(), "g.nc")
	spec := formats.Spec{Vars: []formats.VarSpec{
		{Name: "a/b/v", Dims: []string{"x"}, Shape: chunk.Shape{3}, DType: dtype.Float32},
		{Name: "x", Dims: []string{"x"}, Shape: chunk.Shape{3}, DType: dtype.Float32},
		{Name: "a/x", Dims: []string{"x"}, Shape: chunk.Shape{3}, DType: dtype.Int16},
	}}
	var data []*chunk.Chunk
	for _, v := range spec.Vars {
		data = append(data, array(rand.New(rand.NewSource(1)), v))
	}
	write(t, path, spec, data)
	g, err := openAny(path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if len(g.Groups) != 1 || g.Groups[0].Name != "a" || len(g.Groups[0].Group.Groups) != 1 || len(g.Vars) != 1 || len(g.Dims) != 1 {
		t.Fatalf("groups %v, vars %v", g.Groups, g.Vars)
	}
	for i, v := range []formats.Var{g.Groups[0].Group.Groups[0].Group.Vars[0], g.Vars[0], g.Groups[0].Group.Vars[0]} {
		c, err := readAll(v.Source)
		if err != nil || !reflect.DeepEqual(c.Bytes(), data[i].Bytes()) || v.Dims[0] != "x" {
			t.Errorf("%s %v: %v, or other values than were written", v.Name, v.Dims, err)
		}
	}
	if bin, err := exec.LookPath("ncdump"); err != nil {
		missing(t, "ncdump")
	} else if out, err := exec.Command(bin, path).CombinedOutput(); err != nil || !strings.Contains(string(out), "group: b {") {
		t.Errorf("ncdump: %v\n%s", err, out)
	}
}

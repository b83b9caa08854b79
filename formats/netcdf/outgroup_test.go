// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"math/rand"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// grouped has dimensions in several groups, one hiding another, a group of attributes alone, and a scalar named like a dimension.
func grouped() formats.Spec {
	return formats.Spec{
		Dims: []formats.Dim{{Name: "time", Size: 3, Unlimited: true}, {Name: "x", Size: 2}},
		Groups: []formats.GroupSpec{
			{Path: "fc", Attrs: formats.Attrs{{Name: "model", Value: "IFS"}}, Dims: []formats.Dim{{Name: "x", Size: 5}, {Name: "run", Size: 4, Unlimited: true}}},
			{Path: "fc/members", Attrs: formats.Attrs{{Name: "n", Value: int32(2)}}},
		},
		Vars: []formats.VarSpec{
			{Name: "time", Dims: []string{"time"}, Shape: chunk.Shape{3}, DType: dtype.Float64},
			{Name: "fc/x", Dims: []string{"x"}, Shape: chunk.Shape{5}, DType: dtype.Float64},
			{Name: "fc/t", Dims: []string{"time", "run", "x"}, Shape: chunk.Shape{3, 4, 5}, DType: dtype.Float32},
			{Name: "fc/members/run", Shape: chunk.Shape{}, DType: dtype.Int32},
			{Name: "fc/run", Dims: []string{"run", "x"}, Shape: chunk.Shape{4, 5}, DType: dtype.Int16},
		},
	}
}

func TestGroupsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "g.nc")
	spec := grouped()
	var data []*chunk.Chunk
	for _, v := range spec.Vars {
		data = append(data, array(rand.New(rand.NewSource(1)), v))
	}
	write(t, path, spec, data)
	g, err := NetCDF4.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	fc := g.Groups[0].Group
	if !reflect.DeepEqual(g.Dims, spec.Dims) || !reflect.DeepEqual(fc.Dims, spec.Groups[0].Dims) || !reflect.DeepEqual(fc.Attrs, spec.Groups[0].Attrs) ||
		!reflect.DeepEqual(fc.Groups[0].Group.Attrs, spec.Groups[1].Attrs) {
		t.Errorf("read back as %+v, %+v", g, fc)
	}
	bin, err := exec.LookPath("ncdump")
	if err != nil {
		missing(t, "ncdump")
		return
	}
	out, err := exec.Command(bin, "-h", path).CombinedOutput()
	if err != nil {
		t.Fatalf("ncdump: %v\n%s", err, out)
	}
	for _, want := range []string{"time = UNLIMITED ; // (3 currently)", "group: fc {", "x = 5 ;", "run = UNLIMITED ; // (4 currently)", "float t(time, run, x) ;",
		"short run(run, x) ;", ":model = \"IFS\"", "group: members {", "int run ;", ":n = 2 ;"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("ncdump does not show %q:\n%s", want, out)
		}
	}
}

func TestGroupsRefused(t *testing.T) {
	for _, c := range []struct{ format, path string }{{"netcdf3", "g"}, {"netcdf4", "a//b"}, {"netcdf4", "/"}} {
		spec := formats.Spec{Format: c.format, Groups: []formats.GroupSpec{{Path: c.path}}}
		if w, err := Create(context.Background(), filepath.Join(t.TempDir(), "x.nc"), spec); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("group %q in %s: %v, %v, want ErrFormat", c.path, c.format, w, err)
		}
	}
}

// TestEmptyChunks: axes that will grow have chunks of 512 elements, fewer where that would make more than 4 MiB, and those asked for.
func TestEmptyChunks(t *testing.T) {
	asked := chunk.Grid{Shape: chunk.Shape{0, 3}, Axes: []chunk.Axis{{Step: 100}, {Len: 3, Step: 2}}}
	for _, c := range []struct {
		shape chunk.Shape
		grid  *chunk.Grid
		want  []int64
	}{
		{chunk.Shape{0, 3}, nil, []int64{512, 3}}, {chunk.Shape{0, 3}, &asked, []int64{100, 2}},
		{chunk.Shape{0, 0, 0}, nil, []int64{64, 64, 128}}, {chunk.Shape{0, 1000, 2000}, nil, []int64{1, 262, 2000}},
	} {
		spec := formats.Spec{Vars: []formats.VarSpec{{Name: "v", Shape: c.shape, DType: dtype.Float64, Grid: c.grid}}}
		for i, n := range c.shape {
			name := string(rune('a' + i))
			spec.Dims = append(spec.Dims, formats.Dim{Name: name, Size: n, Unlimited: n == 0})
			spec.Vars[0].Dims = append(spec.Vars[0].Dims, name)
		}
		path := filepath.Join(t.TempDir(), "x.nc")
		write(t, path, spec, []*chunk.Chunk{array(rand.New(rand.NewSource(1)), spec.Vars[0])})
		g, err := openAny(path)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for _, a := range g.Vars[0].Source.Meta().Grid.Axes {
			got = append(got, a.Step)
		}
		if !reflect.DeepEqual(got, c.want) {
			t.Errorf("%v: chunks %v, want %v", c.shape, got, c.want)
		}
		if err := g.Close(); err != nil {
			t.Error(err)
		}
	}
}

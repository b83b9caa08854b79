// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestConvertLossyShapes: what has no place beside the other variables of a table, an image or a classic file is an error that names it, and is
// left out with a warning where that is asked for.
func TestConvertLossyShapes(t *testing.T) {
	ctx, dir := context.Background(), t.TempDir()
	in := filepath.Join(dir, "in.nc")
	spec := formats.Spec{Dims: []formats.Dim{{Name: "lat", Size: 3}, {Name: "time", Size: 2, Unlimited: true}, {Name: "nil", Size: 0, Unlimited: true}}}
	for _, v := range []struct{ name, dims string }{{"lat", "lat"}, {"time", "time"}, {"mean", "time"}, {"map", "time lat"}, {"late", "lat time"}, {"odd", "lat nil"}, {"one", ""}} {
		s := formats.VarSpec{Name: v.name, DType: dtype.Float32, Dims: strings.Fields(v.dims)}
		for _, d := range s.Dims {
			s.Shape = append(s.Shape, map[string]int64{"lat": 3, "time": 2}[d])
		}
		spec.Vars = append(spec.Vars, s)
	}
	w, err := all.Create(ctx, in, spec)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range spec.Vars {
		s := w.Sink(i)
		for k := range s.Grid().Covering(chunk.Whole(v.Shape)) {
			shape := s.Grid().Region(k).Shape()
			if _, err := s.WriteChunk(ctx, k, formattest.New(v.DType, v.DType.Size(), shape)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		out, format string
		refused     string
		left        []string
	}{
		{"t.parquet", "", `variable "lat": it has 3 elements, time has 2`, []string{"time", "mean", "one"}},
		{"t.arrow", "", `variable "lat": it has 3 elements, time has 2`, []string{"time", "mean", "one"}},
		{"t.tif", "", `variable "late": map is there already`, []string{"image"}},
		{"t.nc", "netcdf3", `dimension "time" is unlimited`, []string{"lat", "time", "mean", "map", "late", "one"}},
		{"t.csv", "", `variable "odd": dimensions [lat nil] do not fit rows of [time lat]`, nil},
	} {
		out := filepath.Join(dir, c.out)
		args := []string{"convert", in, out}
		if c.format != "" {
			args = append(args, "--format", c.format)
		}
		if code, _, errs := arrayrun(t, args...); code != exitUsage || !strings.Contains(errs, c.refused) || !strings.Contains(errs, "--lossy") {
			t.Errorf("%s: exit %d, %s, want %s and --lossy", c.out, code, errs, c.refused)
		}
		code, _, errs := arrayrun(t, append(args, "--lossy")...)
		if code != 0 || !strings.Contains(errs, `"odd"`) && !strings.Contains(errs, `"nil"`) {
			t.Errorf("%s: lossy: exit %d, %s", c.out, code, errs)
			continue
		}
		if c.left == nil {
			continue
		}
		g, err := all.Open(ctx, out)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, v := range g.Vars {
			got = append(got, v.Name)
		}
		if !slices.Equal(got, c.left) {
			t.Errorf("%s holds %q, want %q", c.out, got, c.left)
		}
		if g.Close != nil {
			err = errors.Join(err, g.Close())
		}
		if err != nil {
			t.Error(err)
		}
	}
	// where nothing would be left it stays an error
	if code, _, errs := arrayrun(t, "convert", in, filepath.Join(dir, "n.tif"), "--var", "mean", "--lossy"); code == 0 {
		t.Errorf("an image of nothing: exit %d, %s", code, errs)
	}
}

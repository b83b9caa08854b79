// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/arrow"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestCopyTimes: the timestamps of a table, whose units its reader says, go to every kind of NetCDF that has 64-bit integers.
func TestCopyTimes(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "a.parquet")
	units := formats.Attrs{{Name: "units", Value: "milliseconds since 1970-01-01"}}
	w, err := arrow.Parquet.Create(ctx, path, formats.Spec{Vars: []formats.VarSpec{{Name: "time", Dims: []string{"row"}, Shape: chunk.Shape{3}, DType: dtype.Int64, Attrs: units}}})
	if err != nil {
		t.Fatal(err)
	}
	c := formattest.New(dtype.Int64, 8, chunk.Shape{3})
	copy(chunk.Slice[int64](c), []int64{5, -1, 1e12})
	if err := formattest.Write(ctx, w, []*chunk.Chunk{c}); err != nil {
		t.Fatal(err)
	}
	g, err := all.Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	defer g.Close()
	if s := g.Vars[0].Source.Meta().Stored; s != "datetime64[ms]" {
		t.Fatalf("the column is %v", s)
	}
	for _, format := range []string{"netcdf4", "netcdf3-64bit-data"} {
		p, err := PlanCopy(ctx, g, filepath.Join(t.TempDir(), "b.nc"), CopyOptions{Format: format})
		if err != nil {
			t.Errorf("%s: %v", format, err)
			continue
		}
		v := p.Spec.Vars[0]
		if u, _ := v.Attrs.Get("units"); v.DType != dtype.Int64 || v.Stored != nil || u != units[0].Value {
			t.Errorf("%s: %v, stored %v, units %v", format, v.DType, v.Stored, u)
		}
	}
}

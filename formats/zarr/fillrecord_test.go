// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// TestFillRecord: _FillValue of records, a list of one as NetCDF-4 has it, is version 2's fill value.
func TestFillRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zarr")
	record := map[string]any{"fields": []any{[]any{"a", "int16"}, []any{"b", "uint8"}}}
	w, err := Format.Create(context.Background(), path, formats.Spec{Format: "zarr2", Vars: []formats.VarSpec{{Name: "v", Dims: []string{"x"}, Shape: chunk.Shape{0},
		DType: dtype.Raw, ItemBytes: 3, Stored: record, Attrs: formats.Attrs{{Name: "_FillValue", Value: []any{map[string]any{"a": int64(-2), "b": int64(7)}}}}}}})
	if err == nil {
		err = w.Commit(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := Format.Open(context.Background(), path)
	if err != nil {
		t.Fatal(err)
	}
	if m := g.Vars[0].Source.Meta(); string(m.Fill) != "\xfe\xff\x07" || !m.FillSet {
		t.Errorf("fill % x, stated %v, want fe ff 07", m.Fill, m.FillSet)
	}
}

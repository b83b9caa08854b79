// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"path/filepath"
	"reflect"
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

// TestFillAttr: fill values of types that no dtype says are attributes and fill values by turns.
func TestFillAttr(t *testing.T) {
	record := map[string]any{"fields": []any{[]any{"a", "int16"}, []any{"c", "complex64"}, []any{"h", "float16"}, []any{"yes", "bool"}, []any{"s", "S1", []any{int64(4)}},
		[]any{"m", "float32", []any{int64(2), int64(1)}}, []any{"u", "U2"}, []any{"o", "opaque2"}, []any{"in", map[string]any{"fields": []any{[]any{"x", "uint64"}, []any{"t", "datetime64[s]"}}}}}}
	value := map[string]any{"a": int16(-2), "c": complex64(complex(1.5, -2)), "h": float32(0.5), "yes": true, "s": "ab", "m": []any{float32(1), float32(-1)}, "u": "é",
		"o": "0aff", "in": map[string]any{"x": uint64(1<<64 - 1), "t": int64(-1 << 63)}}
	for _, c := range []struct {
		stored any
		item   int
		value  any
	}{
		{record, 2 + 8 + 2 + 1 + 4 + 8 + 8 + 2 + 16, []any{value}}, {"S3", 3, "ab"}, {"U3", 12, "é"}, {"opaque3", 3, []any{"0102ff"}},
	} {
		path := filepath.Join(t.TempDir(), "a.zarr")
		w, err := Format.Create(context.Background(), path, formats.Spec{Format: "zarr2", Vars: []formats.VarSpec{{Name: "v", Dims: []string{"x"}, Shape: chunk.Shape{0},
			DType: dtype.Raw, ItemBytes: c.item, Stored: c.stored, Attrs: formats.Attrs{{Name: "_FillValue", Value: c.value}}}}})
		if err == nil {
			err = w.Commit(context.Background())
		}
		if err != nil {
			t.Fatalf("%v: %v", c.stored, err)
		}
		g, err := Format.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		if a, ok := FillAttr(g.Vars[0].Source.Meta()); !ok || !reflect.DeepEqual(a.Value, c.value) {
			t.Errorf("%v: fill value comes back as %v (%v), want %v", c.stored, a.Value, ok, c.value)
		}
	}
	for _, bad := range []any{nil, "zz", int64(3), []any{"01"}, []string{"010203", "010203"}} {
		e := fixed('V', 3)
		if b, err := e.ofAttr(bad); err == nil {
			t.Errorf("%v is taken for an opaque value, % x", bad, b)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
)

// longTime writes a group whose time coordinate claims n steps that were never written, as a damaged header does.
func longTime(t *testing.T, n int64) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "long.zarr")
	array := `{"zarr_format":3,"node_type":"array","shape":[%d],"data_type":"float64","chunk_grid":{"name":"regular","configuration":{"chunk_shape":[1000]}},` +
		`"chunk_key_encoding":{"name":"default"},"fill_value":1,"codecs":[{"name":"bytes","configuration":{"endian":"little"}}],"attributes":{},"dimension_names":["time"]}`
	for name, text := range map[string]string{
		"zarr.json":      `{"zarr_format":3,"node_type":"group","attributes":{}}`,
		"time/zarr.json": fmt.Sprintf(array, n),
		"v/zarr.json":    fmt.Sprintf(array, n),
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func TestLabelsBeyondTheBudget(t *testing.T) {
	dir := longTime(t, 1<<40)
	ds, other := open(t, dir, ndarray.Budget(64<<20)), open(t, dir, ndarray.Budget(64<<20))
	v := ds.Var("v")
	if err := v.Err(); err != nil {
		t.Fatal(err)
	}
	part := v.ISel("time", ndarray.Range{Lo: ptr(5), Hi: ptr(8)})
	if got := part.Shape(); part.Err() != nil || got.Size() != 3 {
		t.Errorf("three positions = shape %v, error %v", got, part.Err())
	}
	for name, got := range map[string]ndarray.Variable{
		"sel":   v.Sel(ndarray.Label("time", 3.0)),
		"align": v.Add(other.Var("v")),
	} {
		if err := got.Err(); !errors.Is(err, ndarray.ErrLabels) {
			t.Errorf("%s: got error %v, want one wrapping ErrLabels", name, err)
		}
	}
	if err := v.Add(v).Err(); err != nil {
		t.Errorf("v + v: %v", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/zarr"
	"github.com/arrayrun/arrayrun/ndarray"
)

// The axes of an image have the coordinates that its scales and translations mean, each level its own; what is computed from it keeps them.
func TestImageCoordinates(t *testing.T) {
	ctx := context.Background()
	eng := newEngine(t)
	path := filepath.Join(t.TempDir(), "a.ome.zarr")
	w, err := zarr.OME.Create(ctx, path, formats.Spec{Vars: []formats.VarSpec{
		{Name: "image", Dims: []string{"c", "y", "x"}, Shape: chunk.Shape{2, 600, 4}, DType: dtype.Float64},
		{Name: "y", Dims: []string{"y"}, Shape: chunk.Shape{600}, DType: dtype.Float64, Attrs: attrs("units", "um")},
	}})
	if err != nil {
		t.Fatal(err)
	}
	image := ndarray.Arange(0, 4800, 1, dtype.Float64).Reshape(2, 600, 4)
	y := ndarray.Arange(0, 600, 1, dtype.Float64).Mul(0.5).Add(10.0)
	if err := eng.Run(ctx, []ndarray.Output{{Array: image, To: w.Sink(0)}, {Array: y, To: w.Sink(1)}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	ds := open(t, path)
	for level, want := range map[string]string{"0": "[10 10.5 11]", "1": "[10.25 11.25 12.25]"} {
		c := ds.Var(level).CoordOf("y")
		if c == nil {
			t.Fatalf("level %s has no coordinate y", level)
		}
		if got := fmt.Sprint(c.Labels().Float[:3]); got != want {
			t.Errorf("level %s: y = %s, want %s", level, got, want)
		}
		if u, _ := c.Attrs().Get("units"); u != "micrometer" {
			t.Errorf("level %s: units %v", level, u)
		}
	}
	if c := ds.Var("0").CoordOf("c"); c != nil {
		t.Errorf("channels have the coordinate %v", c.Labels())
	}
	if got := floats(t, eng, ds.Var("0").Sel(ndarray.Between("y", 11.0, 11.5)).Array()); len(got) != 2*2*4 || got[0] != 8 {
		t.Errorf("Sel = %v", got)
	}
	out := filepath.Join(t.TempDir(), "o.zarr")
	if err := store(t, eng, ndarray.To(out, ds.Var("1").Rename("v").Mean("c"))); err != nil {
		t.Fatal(err)
	}
	if got := floats(t, eng, open(t, out).Var("y").Array()); got[0] != 10.25 {
		t.Errorf("the output's y starts at %v", got[0])
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestRequests counts what opening a NetCDF-4 file on a server and reading one of its variables asks for: each request may take
// as long as reading a megabyte.
func TestRequests(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	shape := chunk.Shape{64, 128, 64}
	g := chunk.Regular(shape, 4, 128, 64) // chunks of 128 KiB: half a page
	spec := formats.Spec{}
	var data []*chunk.Chunk
	for v := range 12 {
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: fmt.Sprint("v", v), Dims: []string{"t", "y", "x"}, Shape: shape, DType: dtype.Float32, Grid: &g, Codec: "none",
			Attrs: formats.Attrs{{Name: "units", Value: "K"}}})
		c := formattest.New(dtype.Float32, 4, shape)
		for i := range chunk.Slice[float32](c) {
			chunk.Slice[float32](c)[i] = float32(i * v)
		}
		data = append(data, c)
	}
	w, err := all.Create(ctx, filepath.Join(dir, "a.nc"), spec)
	if err == nil {
		err = formattest.Write(ctx, w, data)
	}
	if err != nil {
		t.Fatal(err)
	}
	var n atomic.Int64
	files := http.FileServer(http.Dir(dir))
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.Add(1)
		files.ServeHTTP(w, r)
	}))
	defer s.Close()
	gr, err := all.Open(ctx, s.URL+"/a.nc")
	if err != nil {
		t.Fatal(err)
	}
	if n := n.Load(); n > 11 { // one each without pages ahead
		t.Errorf("opening 12 variables took %d requests, want fewer than there are variables", n)
	}
	n.Store(0)
	for _, v := range gr.Vars {
		if v.Name != "v7" {
			continue
		}
		got, err := formattest.ReadAll(ctx, v.Source)
		if err != nil || chunk.Slice[float32](got)[1000] != 7000 {
			t.Errorf("v7: %v, or other values than were written", err)
		}
		// 2 MiB in 16 chunks, read one after the other: a request each without pages ahead, whose number depends on who is faster
		if n := n.Load(); n > 12 {
			t.Errorf("reading 16 chunks of 128 KiB took %d requests, want at most 12", n)
		}
		return
	}
	t.Error("v7 is missing")
}

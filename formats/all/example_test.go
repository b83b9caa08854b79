// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// Write a small array chunk by chunk, then read a window of it.
func Example() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	pool := mem.NewPool()
	defer pool.Close()

	shape := chunk.Shape{4, 6}
	grid := chunk.Regular(shape, 2, 6)
	w, err := all.Create(ctx, filepath.Join(dir, "t.zarr"), formats.Spec{
		Vars: []formats.VarSpec{{Name: "t2m", Dims: []string{"lat", "lon"}, Shape: shape, DType: dtype.Float32, Grid: &grid,
			Attrs: formats.Attrs{{Name: "units", Value: "K"}}}},
	})
	if err != nil {
		panic(err)
	}
	sink := w.Sink(0)
	for n := range sink.Grid().Len() {
		k := sink.Grid().At(n, nil)
		c, err := chunk.New(pool, dtype.Float32, 0, sink.Grid().Region(k).Shape())
		if err != nil {
			panic(err)
		}
		for i := range chunk.Slice[float32](c) {
			chunk.Slice[float32](c)[i] = float32(n*100 + int64(i))
		}
		if _, err := sink.WriteChunk(ctx, k, c); err != nil {
			panic(err)
		}
		c.Release()
	}
	if err := w.Commit(ctx); err != nil {
		panic(err)
	}

	g, err := all.Open(ctx, filepath.Join(dir, "t.zarr"))
	if err != nil {
		panic(err)
	}
	v := g.Vars[0]
	m := v.Source.Meta()
	fmt.Println(g.Format, v.Name, v.Dims, m.Shape, m.DType, m.Codecs)
	window := chunk.Region{Lo: chunk.Shape{1, 2}, Hi: chunk.Shape{3, 4}}
	dst, err := chunk.New(pool, m.DType, m.ItemBytes, window.Shape())
	if err != nil {
		panic(err)
	}
	defer dst.Release()
	if _, err := formats.ReadRegion(ctx, v.Source, window, dst); err != nil {
		panic(err)
	}
	fmt.Println(chunk.Slice[float32](dst))
	// Output:
	// zarr3 t2m [lat lon] [4 6] float32 [bytes zstd]
	// [8 9 102 103]
}

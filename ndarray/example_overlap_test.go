// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// A Go function over chunks with a halo of 1: in[0] is out's region grown by Depth, edges reflected.
func ExampleMapOverlap() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()
	dem := ndarray.NewVariable("dem", ndarray.FromSlice([]int16{
		1, 2, 4, 7,
		2, 3, 5, 8,
		4, 5, 9, 9,
	}, 3, 4).Rechunk(2, 2), []string{"y", "x"}, nil)

	rough := ndarray.ChunkFunc{
		Name:  "roughness/1", // identity: functions cannot be compared, names can
		DType: dtype.Float32, Depth: ndarray.Depth{"y": 1, "x": 1}, Boundary: ndarray.Reflect,
		Scratch: func(out chunk.Shape) int64 { return 0 }, // bytes it allocates: counted in its task's bill
		Run: func(ctx context.Context, at chunk.Region, out *chunk.Chunk, in []*chunk.Chunk) error {
			s, d := chunk.View[float32](in[0]), chunk.View[float32](out) // borrowed until return; runs concurrently
			for y := range out.Shape[0] {
				for x := range out.Shape[1] {
					d.Set(s.At(y+2, x+1)-s.At(y, x+1)+s.At(y+1, x+2)-s.At(y+1, x), y, x)
				}
			}
			return nil // an error stops the run and names chunk and function
		},
	}
	path := filepath.Join(dir, "rough.zarr")
	check(eng.Store(ctx, ndarray.To(path, ndarray.MapOverlap(rough, dem.AsType(dtype.Float32)))))

	ds, err := ndarray.Open(ctx, path)
	check(err)
	defer ds.Close()
	v, err := ndarray.Values[float32](ctx, eng, ds.Var("dem").Array())
	check(err)
	fmt.Println(v)
	// Output: [2 4 6 4 4 6 10 5 3 7 8 1]
}

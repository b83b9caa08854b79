// SPDX-License-Identifier: BSD-3-Clause

package ndimage_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
	"github.com/arrayrun/arrayrun/sched"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

// writeCells writes a stack of two channels: the second has four bright cells of different sizes on a dim ground.
func writeCells(ctx context.Context, eng *sched.Engine, path string) {
	const channels, depth, height, width = 2, 8, 48, 64
	x := make([]uint16, channels*depth*height*width)
	for _, cell := range [][5]int{{4, 10, 12, 5, 900}, {3, 30, 20, 7, 700}, {5, 14, 44, 6, 1200}, {4, 36, 50, 4, 800}} {
		for i := range x {
			c, z, y, x0 := i/(depth*height*width), i/(height*width)%depth, i/width%height, i%width
			dz, dy, dx := 2*(z-cell[0]), y-cell[1], x0-cell[2]
			if c == 1 && dz*dz+dy*dy+dx*dx <= cell[3]*cell[3] {
				x[i] = uint16(cell[4])
			}
		}
	}
	for i := range x {
		x[i] += uint16(i * 7919 % 97)
	}
	v := ndarray.NewVariable("image", ndarray.FromSlice(x, channels, depth, height, width).Rechunk(1, 4, 32, 32), []string{"c", "z", "y", "x"}, nil)
	check(eng.Store(ctx, ndarray.To(path, v)))
}

// Image to label table. The row count is known only after the run, so Measure gives a Table, never an Array.
func ExampleMeasure() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()
	writeCells(ctx, eng, filepath.Join(dir, "stack.zarr"))
	img, err := ndarray.Open(ctx, filepath.Join(dir, "stack.zarr"))
	check(err)
	defer img.Close()

	vol := img.Var("image").ISel("c", 1).AsType(dtype.Float32)             // z, y, x
	smooth := ndimage.Gaussian(vol, ndimage.Sigma{"z": 1, "y": 2, "x": 2}) // SciPy: reflect, truncate 4
	labels := ndimage.Label(smooth.Greater(ndimage.Otsu(smooth)))          // lazy 0-d Otsu; int32, connectivity 1
	cells := ndimage.Measure(labels, vol, "area", "intensity_mean", "centroid")
	parquet, zarr := filepath.Join(dir, "cells.parquet"), filepath.Join(dir, "labels.zarr")
	check(eng.Store(ctx, ndarray.To(parquet, cells), ndarray.To(zarr, labels))) // labels made once

	table, err := ndarray.Open(ctx, parquet)
	check(err)
	defer table.Close()
	for _, name := range cells.Columns() {
		v, err := ndarray.Values[float64](ctx, eng, table.Var(name).Array())
		check(err)
		fmt.Printf("%-14s %8.2f\n", name, v)
	}
	stored, err := ndarray.Open(ctx, zarr)
	check(err)
	defer stored.Close()
	last, err := ndarray.Values[int32](ctx, eng, stored.Var("image").Array().Max())
	check(err)
	fmt.Println(stored.Var("image").Dims(), "up to", last[0])
	// Output:
	// label          [    1.00     2.00     3.00     4.00]
	// area           [  735.00   301.00   666.00    99.00]
	// intensity_mean [  723.10   874.00   864.02   846.01]
	// centroid-0     [    2.90     4.00     4.95     4.00]
	// centroid-1     [   30.00    10.00    14.00    36.06]
	// centroid-2     [   20.00    12.00    44.00    49.94]
	// [z y x] up to 4
}

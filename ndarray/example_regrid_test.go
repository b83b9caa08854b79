// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/regrid"
	"github.com/arrayrun/arrayrun/sched"
)

// Means over cells of 90 degrees: each is made of four cells of the source, weighted by their areas on the sphere.
func ExampleVariable_Regrid() {
	ctx := context.Background()
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()
	rain := ndarray.NewVariable("rain", ndarray.FromSlice([]float64{
		1, 3, 0, 0, 0, 0, 0, 2,
		1, 1, 0, 0, 4, 4, 0, 0,
		0, 0, 5, 5, 0, 0, 0, 0,
		0, 0, 1, 1, 0, 0, 8, 8,
	}, 4, 8), []string{"lat", "lon"}, nil).
		WithCoord(ndarray.NewVariable("lat", ndarray.FromSlice([]float64{-67.5, -22.5, 22.5, 67.5}), []string{"lat"}, nil)).
		WithCoord(ndarray.NewVariable("lon", ndarray.FromSlice([]float64{22.5, 67.5, 112.5, 157.5, 202.5, 247.5, 292.5, 337.5}), []string{"lon"}, nil))
	coarse := rain.Regrid(ndarray.LatLonGrid([]float64{-45, 45}, []float64{45, 135, 225, 315}), regrid.Conservative, ndarray.RegridOptions{})
	v, err := ndarray.Values[float64](ctx, eng, coarse.Array())
	check(err)
	fmt.Println(coarse)
	fmt.Printf("%.3f\n%.3f\n", v[:4], v[4:])
	// Output:
	// rain float64(lat: 2, lon: 4)
	// [1.293 0.000 2.828 0.293]
	// [0.000 3.828 0.000 2.343]
}

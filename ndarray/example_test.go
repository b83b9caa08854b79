// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"path/filepath"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// check ends an example that cannot go on.
func check(err error) {
	if err != nil {
		panic(err)
	}
}

// temperatures writes two years of monthly temperatures on a small grid to dir/tas.nc: warm at the equator, a
// seasonal cycle, the second year one degree warmer.
func temperatures(ctx context.Context, eng *sched.Engine, dir string) string {
	lats, lons := []float64{-45, 0, 45}, []float64{0, 90, 180, 270}
	var vals []float32
	var days []float64
	for m := range 24 {
		days = append(days, float64(m)*30.4375+15)
		for _, lat := range lats {
			for range lons {
				season := math.Cos(2*math.Pi*float64(m)/12) * -lat / 10
				vals = append(vals, float32(300-math.Abs(lat)/3+season+float64(m/12)))
			}
		}
	}
	coord := func(name, units string, v []float64) ndarray.Variable {
		return ndarray.NewVariable(name, ndarray.FromSlice(v), []string{name}, attrs("units", units))
	}
	tas := ndarray.NewVariable("tas", ndarray.FromSlice(vals, 24, 3, 4), []string{"time", "lat", "lon"}, attrs("units", "K")).
		WithCoord(coord("time", "days since 1991-01-01", days)).
		WithCoord(coord("lat", "degrees_north", lats)).
		WithCoord(coord("lon", "degrees_east", lons))
	path := filepath.Join(dir, "tas.nc")
	check(eng.Store(ctx, ndarray.To(path, tas)))
	return path
}

// Monthly means and the anomalies from them, in one sweep; both outputs are complete or absent.
func ExampleVariable_GroupBy() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()

	ds, err := ndarray.Open(ctx, temperatures(ctx, eng, dir)) // metadata and coordinates
	check(err)
	defer ds.Close()
	tas := ds.Var("tas").Sel(ndarray.Between("time", "1991", "1992")) // both ends included
	clim := tas.GroupBy("time.month").Mean()                          // month, lat, lon; NaN left out
	anom := tas.Sub(clim)                                             // by month again: time, lat, lon
	check(eng.Store(ctx,
		ndarray.To(filepath.Join(dir, "clim.nc"), clim),
		ndarray.To(filepath.Join(dir, "anom.zarr"), anom.Rename("tas_anom"), ndarray.Chunks{"time": 12})))

	written, err := ndarray.Open(ctx, filepath.Join(dir, "anom.zarr"))
	check(err)
	defer written.Close()
	a := written.Var("tas_anom")
	v, err := ndarray.Values[float32](ctx, eng, a.Mean("lat", "lon").Array())
	check(err)
	fmt.Println(clim)
	fmt.Println(a, v[0], v[23])
	// Output:
	// tas float32(month: 12, lat: 3, lon: 4)
	// tas_anom float32(time: 24, lat: 3, lon: 4) -0.5 0.5
}

// The mean of a region, weighted by area: the box goes around the globe's seam.
func ExampleVariable_Weighted() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()
	ds, err := ndarray.Open(ctx, temperatures(ctx, eng, dir))
	check(err)
	defer ds.Close()

	box := ds.Var("tas").Sel(ndarray.Between("lat", -10., 50.), ndarray.Between("lon", -90., 90.)) // lon wraps
	series := box.Weighted(box.Coord("lat").Deg2Rad().Cos()).Mean("lat", "lon")
	check(eng.Store(ctx, ndarray.To(filepath.Join(dir, "europe.parquet"), series)))
	v, err := ndarray.Values[float64](ctx, eng, series.Array())
	check(err)
	fmt.Printf("%v: %d values, the first %.3f\n", box, len(v), v[0])
	table, err := ndarray.Open(ctx, filepath.Join(dir, "europe.parquet"))
	check(err)
	defer table.Close()
	for _, column := range table.Group().Vars {
		fmt.Println(column.Name, column.Source.Meta().DType, column.Source.Meta().Shape)
	}
	// Output:
	// tas float32(time: 24, lat: 2, lon: 3): 24 values, the first 291.923
	// tas float64 [24]
	// time float64 [24]
}

// Seasons that begin in December, a running mean, and cells joined four by four.
func ExampleVariable_Resample() {
	ctx := context.Background()
	dir, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(dir)
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	check(err)
	defer eng.Close()
	ds, err := ndarray.Open(ctx, temperatures(ctx, eng, dir))
	check(err)
	defer ds.Close()

	tas := ds.Var("tas")
	seasons := tas.Resample("time", "QS-DEC", ndarray.ResampleOptions{}).Mean()
	smooth := tas.Rolling(ndarray.Windows{"time": 3}, ndarray.RollingOptions{Center: true, MinPeriods: 1}).Mean()
	coarse := tas.Coarsen(ndarray.Windows{"lat": 2, "lon": 2}, ndarray.CoarsenOptions{Boundary: "trim"}).Mean()
	check(eng.Store(ctx,
		ndarray.To(filepath.Join(dir, "seasons.nc"), seasons),
		ndarray.To(filepath.Join(dir, "smooth.zarr"), smooth)))
	fmt.Println(seasons)
	fmt.Println(smooth)
	fmt.Println(coarse)
	// Output:
	// tas float32(time: 9, lat: 3, lon: 4)
	// tas float32(time: 24, lat: 3, lon: 4)
	// tas float32(time: 24, lat: 1, lon: 2)
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// inFolder runs f in a folder of its own, so that it can name files as short as an example should.
func inFolder(f func()) {
	dir, err := os.MkdirTemp("", "arrayrun")
	check(err)
	defer os.RemoveAll(dir)
	old, err := os.Getwd()
	check(err)
	check(os.Chdir(dir))
	defer os.Chdir(old)
	f()
}

// dimension returns a dimension coordinate.
func dimension(name, units string, labels []float64) ndarray.Variable {
	return ndarray.NewVariable(name, ndarray.FromSlice(labels), []string{name}, attrs("units", units))
}

// writeYears writes a file of daily temperatures for each year: 10 times the month, plus 1 K a year since 1990. Each
// file counts days from its own first day.
func writeYears(ctx context.Context, eng *sched.Engine, from, to int) {
	for year := from; year <= to; year++ {
		first := time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC)
		var days []float64
		var tas []float32
		for d := first; d.Year() == year; d = d.AddDate(0, 0, 1) {
			days = append(days, float64(len(days)))
			for range 2 * 3 {
				tas = append(tas, float32(10*int(d.Month())+year-1990))
			}
		}
		v := ndarray.NewVariable("tas", ndarray.FromSlice(tas, int64(len(days)), 2, 3), []string{"time", "lat", "lon"}, attrs("units", "K")).
			WithCoord(dimension("time", first.Format("days since 2006-01-02"), days)).
			WithCoord(dimension("lat", "degrees_north", []float64{-45, 45})).
			WithCoord(dimension("lon", "degrees_east", []float64{0, 120, 240}))
		check(eng.Store(ctx, ndarray.To(fmt.Sprintf("tas_%d.nc", year), v)))
	}
}

// Many files to a monthly climatology and anomaly: one sweep, both outputs complete or absent. Every file counts days from its
// own first of January; the joined time counts from the first file's.
func ExampleOpen() {
	inFolder(func() {
		ctx := context.Background()
		eng, err := sched.New(sched.Options{Memory: 1 << 30})
		check(err)
		defer eng.Close()
		writeYears(ctx, eng, 1990, 1992)

		ds, err := ndarray.Open(ctx, "tas_*.nc") // metadata and coordinates; joined along time
		check(err)
		defer ds.Close()
		tas := ds.Var("tas").Sel(ndarray.Between("time", "1991", "2020")) // both ends included
		clim := tas.GroupBy("time.month").Mean()                          // month, lat, lon; NaN left out
		anom := tas.Sub(clim)                                             // by month again: time, lat, lon
		check(eng.Store(ctx,
			ndarray.To("clim.nc", clim),
			ndarray.To("anom.zarr", anom.Rename("tas_anom"), ndarray.Chunks{"time": 365})))

		for _, uri := range []string{"clim.nc#tas", "anom.zarr#tas_anom"} {
			out, err := ndarray.Open(ctx, uri)
			check(err)
			v, _ := out.Main()
			first, err := ndarray.Values[float32](ctx, eng, v.ISel("lat", 0).ISel("lon", 0).Array())
			check(err)
			fmt.Println(v, first[0], first[11])
			check(out.Close())
		}
	})
	// Output:
	// tas float32(month: 12, lat: 2, lon: 3) 11.5 121.5
	// tas_anom float32(time: 731, lat: 2, lon: 3) -0.5 -0.5
}

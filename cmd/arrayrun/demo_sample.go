// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// The demo's sample: ten years of daily temperature on a 2.5 degree grid,
// packed to int16, with a seasonal cycle, a trend, weather and gaps. Every value
// is a function of its position alone, so the truth can be computed beside the
// file, in any order, without reading it.
const (
	sampleLat   = 72
	sampleLon   = 144
	sampleStep  = 73 // days in a chunk
	sampleScale = 0.01
	sampleBase  = 273.15
	sampleFill  = math.MinInt16
	sampleTrend = 0.3 // kelvin in ten years
)

// sampleStart is the first day; the ten years have two leap days.
var sampleStart = time.Date(2001, 1, 1, 0, 0, 0, 0, time.UTC)

// sampleDays is the number of days in the ten years.
var sampleDays = int(time.Date(2011, 1, 1, 0, 0, 0, 0, time.UTC).Sub(sampleStart).Hours() / 24)

// sample holds what the values are made of.
type sample struct {
	base, swing [sampleLat * sampleLon]float64 // annual mean in kelvin, half the seasonal range
	month       []int                          // of each day, 0 to 11
	season      []float64                      // cosine of the season of each day
}

func latOf(j int) float64 { return -90 + 180*(float64(j)+0.5)/sampleLat }
func lonOf(i int) float64 { return 360 * float64(i) / sampleLon }

func newSample() *sample {
	s := &sample{month: make([]int, sampleDays), season: make([]float64, sampleDays)}
	for d := range sampleDays {
		day := sampleStart.AddDate(0, 0, d)
		s.month[d] = int(day.Month()) - 1
		s.season[d] = math.Cos(2 * math.Pi * (float64(day.YearDay()) - 20) / 365.25)
	}
	for j := range sampleLat {
		for i := range sampleLon {
			lat, lon := latOf(j)*math.Pi/180, lonOf(i)*math.Pi/180
			// A smooth pattern that stands for continents: they swing more than seas.
			land := math.Tanh(2.5 * (math.Sin(2*lon+0.7)*math.Cos(1.7*lat) + 0.6*math.Sin(3*lon-1.1)*math.Sin(2*lat+0.4)))
			s.base[j*sampleLon+i] = 300 - 48*math.Pow(math.Sin(lat), 2) + 4*land
			s.swing[j*sampleLon+i] = -math.Sin(lat) * (7 + 8*(1+land)/2*math.Abs(math.Sin(lat))*2)
		}
	}
	return s
}

// packed returns the stored value of day d in cell c.
func (s *sample) packed(d, c int) int16 {
	h := mix(uint64(d)<<32 | uint64(c))
	if gap(d, c, h) {
		return sampleFill
	}
	weather := (float64(h>>40) - float64(h>>16&0xFFFFFF)) / (1 << 24) * 3
	t := s.base[c] + s.swing[c]*s.season[d] + sampleTrend*(float64(d)/float64(sampleDays)-0.5) + weather
	return int16(math.RoundToEven((t - sampleBase) / sampleScale))
}

// gap reports whether day d of cell c is missing: here and there, and for some
// weeks of each year in a whole box.
func gap(d, c int, h uint64) bool {
	if h&0x3FF < 10 {
		return true
	}
	j, i := c/sampleLon, c%sampleLon
	return d%365 >= 200 && d%365 < 221 && j > 40 && j < 50 && i > 30 && i < 60
}

// decoded returns the value as reading the file and casting to float32 gives it.
func (s *sample) decoded(d, c int) float32 {
	x := s.packed(d, c)
	if x == sampleFill {
		return float32(math.NaN())
	}
	return float32(float64(float64(x)*sampleScale) + sampleBase)
}

// mix is the finaliser of splitmix64: neighbouring numbers give unrelated ones.
func mix(x uint64) uint64 {
	x += 0x9E3779B97F4A7C15
	x = (x ^ x>>30) * 0xBF58476D1CE4E5B9
	x = (x ^ x>>27) * 0x94D049BB133111EB
	return x ^ x>>31
}

// truth is what the demo's results must be, from the sample's formula alone.
type truth struct {
	clim   [12][sampleLat * sampleLon]float64
	global []float64 // area-weighted mean anomaly of each day
}

// truth computes the monthly climatology and the global mean anomaly by plain loops.
func (s *sample) truth(workers int) *truth {
	tr := &truth{global: make([]float64, sampleDays)}
	parallel(sampleLat, workers, func(j int) {
		var count [12][sampleLon]float64
		for d := range sampleDays {
			m := s.month[d]
			for i := range sampleLon {
				if x := s.decoded(d, j*sampleLon+i); x == x {
					tr.clim[m][j*sampleLon+i] += float64(x)
					count[m][i]++
				}
			}
		}
		for m := range 12 {
			for i := range sampleLon {
				tr.clim[m][j*sampleLon+i] /= count[m][i]
			}
		}
	})
	parallel(sampleDays, workers, func(d int) {
		sum, weight := 0.0, 0.0
		for j := range sampleLat {
			w := math.Cos(latOf(j) * math.Pi / 180)
			for c := j * sampleLon; c < (j+1)*sampleLon; c++ {
				if x := s.decoded(d, c); x == x {
					sum += w * (float64(x) - tr.clim[s.month[d]][c])
					weight += w
				}
			}
		}
		tr.global[d] = sum / weight
	})
	return tr
}

// parallel calls do with 0 to n-1 from several goroutines.
func parallel(n, workers int, do func(i int)) {
	var next atomic.Int64
	var wg sync.WaitGroup
	for range max(workers, 1) {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				do(i)
			}
		})
	}
	wg.Wait()
}

// write makes the sample as a Zarr group at the path and returns the bytes stored.
func (s *sample) write(ctx context.Context, path string, workers int) (int64, error) {
	grid := chunk.Regular(chunk.Shape{int64(sampleDays), sampleLat, sampleLon}, sampleStep)
	coord := func(name, units, standard string, n int) formats.VarSpec {
		return formats.VarSpec{Name: name, Dims: []string{name}, Shape: chunk.Shape{int64(n)}, DType: dtype.Float64,
			Attrs: formats.Attrs{{Name: "units", Value: units}, {Name: "standard_name", Value: standard}}}
	}
	times := coord("time", "days since "+sampleStart.Format("2006-01-02"), "time", sampleDays)
	times.Attrs = append(times.Attrs, formats.Attr{Name: "calendar", Value: "standard"})
	w, err := all.Create(ctx, path, formats.Spec{
		Attrs: formats.Attrs{{Name: "title", Value: "arrayrun demo: ten years of daily temperature, made by a formula"}, {Name: "Conventions", Value: "CF-1.10"}},
		Dims:  []formats.Dim{{Name: "time", Size: int64(sampleDays)}, {Name: "lat", Size: sampleLat}, {Name: "lon", Size: sampleLon}},
		Vars: []formats.VarSpec{
			{Name: "tas", Dims: []string{"time", "lat", "lon"}, Shape: grid.Shape, DType: dtype.Int16, Grid: &grid, Fill: []byte{0, 0x80},
				Attrs: formats.Attrs{{Name: "long_name", Value: "near-surface air temperature"}, {Name: "standard_name", Value: "air_temperature"},
					{Name: "units", Value: "K"}, {Name: "scale_factor", Value: float64(sampleScale)}, {Name: "add_offset", Value: float64(sampleBase)},
					{Name: "_FillValue", Value: int16(sampleFill)}}},
			times,
			coord("lat", "degrees_north", "latitude", sampleLat),
			coord("lon", "degrees_east", "longitude", sampleLon),
		},
		Overwrite: true,
	})
	if err != nil {
		return 0, err
	}
	n, err := s.writeAll(ctx, w, grid, workers)
	if err != nil {
		_ = w.Abort() // the first error is the one that counts
		return 0, err
	}
	return n, w.Commit(ctx)
}

func (s *sample) writeAll(ctx context.Context, w formats.Writer, grid chunk.Grid, workers int) (int64, error) {
	pool := mem.NewPool()
	defer pool.Close()
	var stored atomic.Int64
	var once sync.Once
	var failure error
	parallel(int(grid.Len()), workers, func(k int) {
		n, err := s.writeChunk(ctx, pool, w.Sink(0), grid, int64(k))
		stored.Add(n)
		if err != nil {
			once.Do(func() { failure = err })
		}
	})
	if failure != nil {
		return 0, failure
	}
	for v, at := range []func(i int) float64{func(i int) float64 { return float64(i) }, latOf, lonOf} {
		n, err := writeSeries(ctx, pool, w.Sink(v+1), at)
		if err != nil {
			return 0, err
		}
		stored.Add(n)
	}
	return stored.Load(), nil
}

func (s *sample) writeChunk(ctx context.Context, pool *mem.Pool, to formats.Sink, grid chunk.Grid, k int64) (int64, error) {
	if ctx.Err() != nil {
		return 0, context.Cause(ctx)
	}
	key := grid.At(k, nil)
	r := grid.Region(key)
	c, err := chunk.New(pool, dtype.Int16, 0, r.Shape())
	if err != nil {
		return 0, err
	}
	defer c.Release()
	out := chunk.Slice[int16](c)
	for d := r.Lo[0]; d < r.Hi[0]; d++ {
		for x := range sampleLat * sampleLon {
			out[int(d-r.Lo[0])*sampleLat*sampleLon+x] = s.packed(int(d), x)
		}
	}
	return to.WriteChunk(ctx, key, c)
}

// writeSeries fills a one-dimensional float64 variable.
func writeSeries(ctx context.Context, pool *mem.Pool, to formats.Sink, at func(i int) float64) (stored int64, err error) {
	g := to.Grid()
	for k := range g.Covering(chunk.Whole(g.Shape)) {
		r := g.Region(k)
		c, err := chunk.New(pool, dtype.Float64, 0, r.Shape())
		if err != nil {
			return stored, err
		}
		for i := range chunk.Slice[float64](c) {
			chunk.Slice[float64](c)[i] = at(int(r.Lo[0]) + i)
		}
		n, err := to.WriteChunk(ctx, k, c)
		stored += n
		c.Release()
		if err != nil {
			return stored, err
		}
	}
	return stored, nil
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// demoTolerance is two units in the last place of a float32 near 300 K: one
// for the climatology's rounding, one for the anomaly's.
const demoTolerance = 6.2e-5

// demoChecks are the verdicts on a demo, and its climatology as read back.
type demoChecks struct {
	list []demoCheck
	clim []float64
}

type demoCheck struct {
	ok   bool
	text string
}

func (c *demoChecks) add(ok bool, format string, args ...any) {
	c.list = append(c.list, demoCheck{ok, fmt.Sprintf(format, args...)})
}

// check reads the demo's outputs back and compares every value with the truth
// of the sample's formula.
func (s *sample) check(ctx context.Context, files demoPaths, workers int) (*demoChecks, error) {
	tr := s.truth(workers)
	c := &demoChecks{}
	clim, err := readFloats(ctx, files.clim, "clim")
	if err != nil {
		return nil, err
	}
	c.clim = clim
	worst := 0.0
	for i, x := range clim {
		worst = largest(worst, x-tr.clim[i/(sampleLat*sampleLon)][i%(sampleLat*sampleLon)])
	}
	c.add(len(clim) == 12*sampleLat*sampleLon && worst <= demoTolerance, "climatology: %d values, largest error %.1e K", len(clim), worst)

	values, worst, err := s.checkAnomaly(ctx, files.anom, tr, workers)
	if err != nil {
		return nil, err
	}
	c.add(values == int64(sampleDays)*sampleLat*sampleLon && worst <= demoTolerance, "anomaly: %d values, gaps included, largest error %.1e K", values, worst)

	series, err := readFloats(ctx, files.series, "")
	if err != nil {
		return nil, err
	}
	worst = 0
	for d, x := range series {
		worst = largest(worst, x-tr.global[min(d, sampleDays-1)])
	}
	c.add(len(series) == sampleDays && worst <= demoTolerance, "global mean: %d days, largest error %.1e K", len(series), worst)
	slope := trendOf(series)
	c.add(math.Abs(slope-sampleTrend) < 0.03, "trend of the global mean: %.3f K in ten years, the sample was made with %.3f", slope, float64(sampleTrend))
	return c, nil
}

// largest returns the larger of worst and |x|; NaN is infinitely bad.
func largest(worst, x float64) float64 {
	if math.IsNaN(x) {
		return math.Inf(1)
	}
	return max(worst, math.Abs(x))
}

// trendOf fits a line and returns its rise over the whole series.
func trendOf(y []float64) float64 {
	n := float64(len(y))
	var sxy, sxx float64
	for i, v := range y {
		x := float64(i) - (n-1)/2
		sxy += x * v
		sxx += x * x
	}
	return sxy / sxx * n
}

// openVariable opens a file and returns the source of the named variable, or of its only one.
func openVariable(ctx context.Context, path, name string) (*formats.Group, formats.Source, error) {
	g, err := all.Open(ctx, path)
	if err != nil {
		return nil, nil, at(exitInput, err)
	}
	i := slices.IndexFunc(g.Vars, func(v formats.Var) bool { return v.Name == name || name == "" })
	if i < 0 || g.Vars[i].Source == nil {
		closeGroup(g)
		return nil, nil, at(exitInput, fmt.Errorf("demo: %s has no readable variable %q; it has %s", path, name, contents(g)))
	}
	return g, g.Vars[i].Source, nil
}

// readFloats reads a whole float32 or float64 variable.
func readFloats(ctx context.Context, path, name string) ([]float64, error) {
	g, src, err := openVariable(ctx, path, name)
	if err != nil {
		return nil, err
	}
	defer closeGroup(g)
	m := src.Meta()
	if m.DType != dtype.Float32 && m.DType != dtype.Float64 {
		return nil, at(exitInput, fmt.Errorf("demo: %s holds %v, want floats", path, m.DType))
	}
	pool := mem.NewPool()
	defer pool.Close()
	c, err := chunk.New(pool, m.DType, 0, m.Shape)
	if err != nil {
		return nil, err
	}
	defer c.Release()
	if _, err := formats.ReadRegion(ctx, src, chunk.Whole(m.Shape), c); err != nil {
		return nil, at(exitInput, err)
	}
	data := make([]float64, m.Shape.Size())
	for i := range data {
		data[i] = floatAt(c, int64(i))
	}
	return data, nil
}

// checkAnomaly reads the anomaly chunk by chunk and compares each value.
func (s *sample) checkAnomaly(ctx context.Context, path string, tr *truth, workers int) (values int64, worst float64, err error) {
	g, src, err := openVariable(ctx, path, "anom")
	if err != nil {
		return 0, 0, err
	}
	defer closeGroup(g)
	m := src.Meta()
	if m.DType != dtype.Float32 || !m.Shape.Equal(chunk.Shape{int64(sampleDays), sampleLat, sampleLon}) {
		return 0, 0, at(exitInput, fmt.Errorf("demo: %s holds %v %v", path, m.DType, m.Shape))
	}
	pool := mem.NewPool()
	defer pool.Close()
	var mu sync.Mutex
	parallel(int(m.Grid.Len()), workers, func(k int) {
		key := m.Grid.At(int64(k), nil)
		r := m.Grid.Region(key)
		n, w, e := s.checkChunk(ctx, pool, src, key, r, tr)
		mu.Lock()
		defer mu.Unlock()
		values += n
		worst = max(worst, w)
		if err == nil && e != nil {
			err = at(exitInput, e)
		}
	})
	return values, worst, err
}

func (s *sample) checkChunk(ctx context.Context, pool *mem.Pool, src formats.Source, key chunk.Key, r chunk.Region, tr *truth) (values int64, worst float64, err error) {
	if ctx.Err() != nil {
		return 0, 0, context.Cause(ctx)
	}
	c, err := chunk.New(pool, dtype.Float32, 0, r.Shape())
	if err != nil {
		return 0, 0, err
	}
	defer c.Release()
	if _, err := src.ReadChunk(ctx, key, c); err != nil {
		return 0, 0, err
	}
	v := chunk.View[float32](c)
	for d := r.Lo[0]; d < r.Hi[0]; d++ {
		for j := r.Lo[1]; j < r.Hi[1]; j++ {
			for i := r.Lo[2]; i < r.Hi[2]; i++ {
				cell := int(j*sampleLon + i)
				x, want := v.At(d-r.Lo[0], j-r.Lo[1], i-r.Lo[2]), s.decoded(int(d), cell)
				values++
				if x != x && want != want {
					continue
				}
				worst = largest(worst, float64(x)-(float64(want)-tr.clim[s.month[d]][cell]))
			}
		}
	}
	return values, worst, nil
}

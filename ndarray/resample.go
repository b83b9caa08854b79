// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// ResampleOptions say how Resample cuts a time axis. The zero value is pandas' default: periods hold and are labelled by
// their left side, those of ME, QE, YE and W by their right one.
type ResampleOptions = cf.BinOptions

// Resample sorts v's positions into periods of a time dimension: "MS", "ME", "QS-DEC", "YE", "W", "D", "10D", "6h", as pandas 3
// spells and cuts them, in every calendar. Every period from the first step to the last is a group, also one without
// steps, whose results are NaN, sums too, and counts 0. The dimension keeps its name, units and calendar; its labels are those of the periods.
// A dimension without times, and times that do not ascend, are errors.
func (v Variable) Resample(dim, freq string, o ResampleOptions) GroupBy {
	if v.Err() != nil {
		return GroupBy{failed: &v}
	}
	g, err := v.resample(dim, freq, o)
	if err != nil {
		bad := v.failed(Failed(err, string(here())))
		return GroupBy{failed: &bad}
	}
	return g
}

func (v Variable) resample(dim, freq string, o ResampleOptions) (GroupBy, error) {
	f, err := cf.ParseFrequency(freq)
	if err != nil {
		return GroupBy{}, err
	}
	c := v.CoordOf(dim)
	switch {
	case v.axis(dim) < 0:
		return GroupBy{}, fmt.Errorf("ndarray: resample: %s has no dimension %q; it has %s", v.label(), dim, quoted(v.dims))
	case c == nil:
		return GroupBy{}, fmt.Errorf("ndarray: resample: dimension %q of %s has no coordinate", dim, v.label())
	}
	times, u, err := c.times()
	if err != nil {
		return GroupBy{}, err
	}
	if len(times) == 0 {
		return GroupBy{}, fmt.Errorf("ndarray: resample: %q has length 0: got no times, want at least 1", dim)
	}
	for i, t := range times {
		switch {
		case t == noTime:
			return GroupBy{}, fmt.Errorf("ndarray: resample: %q is missing at position %d; select the steps that have a time", dim, i)
		case i > 0 && t.Before(times[i-1]):
			return GroupBy{}, fmt.Errorf("ndarray: resample: %q does not ascend: %v at position %d follows %v; sort it, or reverse it with isel(%s=slice(None, None, -1))",
				dim, u.Date(t), i, u.Date(times[i-1]), dim)
		}
	}
	bins, err := u.Bins(f, times[0], times[len(times)-1], o)
	if err != nil {
		return GroupBy{}, err
	}
	host, err := c.read()
	if err != nil {
		return GroupBy{}, err
	}
	g := GroupBy{v: v, name: dim, dims: []string{dim}, keys: host, attrs: c.attrs, resampled: true}
	g.ids = bins.Find(times)
	g.labels = timeNumbers(u, bins.Labels, host.DType)
	g.markEmpty()
	return g, nil
}

// runBytes is how much memory the periods that are folded at once may need, mostRuns how many such folds a result is joined from.
const (
	runBytes = 16 << 20
	mostRuns = 128
)

// inRuns returns f of the groups. Periods follow one another along their dimension: they are folded run by run, each from its own part of the
// array, and joined, so that few are held at once. f needs bytes for each period and position of the other dimensions.
func (g GroupBy) inRuns(bytes int64, place int, f func(g GroupBy) Array) Array {
	n := int64(g.labels.Len())
	if !g.resampled {
		return f(g)
	}
	axis := g.v.axis(g.name)
	each := max(bytes, 1)
	for i, m := range g.v.Shape() {
		if i != axis {
			each *= max(m, 1)
		}
	}
	length := max(runBytes/each, (n+mostRuns-1)/mostRuns, 1)
	if length >= n {
		return f(g)
	}
	var parts []Array
	idx := slices.Repeat([]Index{All()}, axis+1)
	pos := 0
	for lo := int64(0); lo < n; {
		// The run has length periods and those without positions that follow; it has a position.
		reach := max(lo+length, int64(g.ids[pos])+1)
		end := pos
		for end < len(g.ids) && int64(g.ids[end]) < reach {
			end++
		}
		hi := n
		if end < len(g.ids) {
			hi = int64(g.ids[end])
		}
		part := g
		idx[axis] = Span(int64(pos), int64(end))
		part.v.array, part.v.host = g.v.array.Index(idx...), nil
		part.ids = convert(g.ids[pos:end], func(id int32) int32 { return id - int32(lo) })
		part.labels = g.labels.Take(0, positions(n).Int[lo:hi])
		parts = append(parts, f(part))
		lo, pos = hi, end
	}
	return Concat(place, parts...)
}

// markEmpty notes the groups without positions.
func (g *GroupBy) markEmpty() {
	g.empty = make([]bool, g.labels.Len())
	left := len(g.empty)
	for i := range g.empty {
		g.empty[i] = true
	}
	for _, id := range g.ids {
		if id >= 0 && g.empty[id] {
			g.empty[id] = false
			left--
		}
	}
	if left == 0 {
		g.empty = nil
	}
}

// timeNumbers returns times as numbers of u: of the dtype the file has where that holds all of them, else float64.
func timeNumbers(u *cf.Units, times []cf.Instant, dt dtype.DType) *Labels {
	f := make([]float64, len(times))
	whole, single := dt.IsInteger(), dt == dtype.Float32
	lo, hi, _ := intRange(dt)
	for i, t := range times {
		f[i] = u.Number(t)
		whole = whole && f[i] == math.Trunc(f[i]) && math.Abs(f[i]) < 1<<53 && f[i] >= float64(lo) && f[i] <= float64(hi)
		single = single && float64(float32(f[i])) == f[i]
	}
	if !whole {
		l := floatLabels(f)
		if single {
			l.DType = dtype.Float32
		}
		return l
	}
	return &Labels{DType: dt, Shape: chunk.Shape{int64(len(f))}, Int: convert(f, func(x float64) int64 { return int64(x) })}
}

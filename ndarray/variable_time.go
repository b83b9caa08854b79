// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// timeFields are the parts of a time: xarray's dt accessors. A part that is text has its names.
var timeFields = []struct {
	name  string
	of    func(d cf.Date) int64
	names []string
}{
	{name: "year", of: func(d cf.Date) int64 { return d.Year }},
	{name: "month", of: func(d cf.Date) int64 { return int64(d.Month) }},
	{name: "day", of: func(d cf.Date) int64 { return int64(d.Day) }},
	{name: "hour", of: func(d cf.Date) int64 { return int64(d.Hour) }},
	{name: "minute", of: func(d cf.Date) int64 { return int64(d.Minute) }},
	{name: "second", of: func(d cf.Date) int64 { return int64(d.Second) }},
	{name: "microsecond", of: func(d cf.Date) int64 { return int64(d.Micro) }},
	{name: "dayofyear", of: func(d cf.Date) int64 { return int64(d.DayOfYear) }},
	{name: "dayofweek", of: func(d cf.Date) int64 { return int64(d.DayOfWeek) }},
	{name: "weekday", of: func(d cf.Date) int64 { return int64(d.DayOfWeek) }},
	{name: "quarter", of: func(d cf.Date) int64 { return int64((d.Month-1)/3 + 1) }},
	{name: "days_in_month", of: func(d cf.Date) int64 { return int64(d.DaysInMonth) }},
	{name: "daysinmonth", of: func(d cf.Date) int64 { return int64(d.DaysInMonth) }},
	{name: "season", of: func(d cf.Date) int64 { return int64(cf.Season(d.Month)) }, names: cf.SeasonNames[:]},
}

// groupDims are the parts of a time by which an operand is looked up through the other's time.
var groupDims = []string{"month", "season", "year", "dayofyear", "day", "hour"}

// timeLabels returns a part of a time coordinate: int64 numbers, text for seasons.
func (c *Coord) timeLabels(part string) (*Labels, error) {
	times, u, err := c.times()
	if err != nil {
		return nil, err
	}
	for _, f := range timeFields {
		if f.name != part {
			continue
		}
		out := &Labels{Shape: c.shape().Clone()}
		switch {
		case f.names != nil:
			out.DType, out.Str = dtype.String, make([]string, len(times))
		case slices.Contains(times, noTime):
			out.DType, out.Float = dtype.Float64, make([]float64, len(times))
		default:
			out.DType, out.Int = dtype.Int64, make([]int64, len(times))
		}
		for i, t := range times {
			switch {
			case out.Str != nil && t == noTime:
				out.Str[i] = "nan"
			case out.Str != nil:
				out.Str[i] = f.names[f.of(u.Date(t))]
			case out.Int != nil:
				out.Int[i] = f.of(u.Date(t))
			case t == noTime:
				out.Float[i] = nan
			default:
				out.Float[i] = float64(f.of(u.Date(t)))
			}
		}
		return out, nil
	}
	var names []string
	for _, f := range timeFields {
		names = append(names, f.name)
	}
	return nil, fmt.Errorf("ndarray: %q is not a part of a time; the parts are %s", part, strings.Join(names, ", "))
}

// Time returns a part of v, a time coordinate: year, month, day, hour, minute, second, dayofyear, dayofweek,
// quarter, days_in_month as int64, season as text. A v that is not a time in host memory is an error.
func (v Variable) Time(part string) Variable {
	if v.Err() != nil {
		return v
	}
	l, err := v.keyCoord().timeLabels(part)
	if err != nil {
		return v.failed(Failed(err, string(here())))
	}
	out := v
	out.name, out.attrs, out.host, out.array = part, nil, l, l.Array()
	out.coords = slices.DeleteFunc(slices.Clone(v.coords), func(k *Coord) bool { return k.name == part })
	return out
}

// lookUp returns v with its month, season, year, dayofyear, day or hour dimension, where by lacks it,
// taken at the dates of by: the dimension becomes by's time (or goes, where that is a scalar). A label
// that v lacks gives NaN. No coordinate is added.
func (v Variable) lookUp(by Variable) Variable {
	for _, part := range groupDims {
		if v.axis(part) < 0 || by.axis(part) >= 0 {
			continue
		}
		t := by.timeCoord()
		if t == nil {
			continue
		}
		if len(t.dims) == 1 && v.axis(t.name) >= 0 {
			continue
		}
		if v.CoordOf(part) == nil || v.CoordOf(part).host == nil {
			return v.fail("ndarray: dimension %q of %s has no labels to look the dates of %s up with", part, v.label(), by.label())
		}
		l, err := t.timeLabels(part)
		if err != nil {
			return v.failed(Failed(err, string(here())))
		}
		at := map[any]int64{}
		labels := v.CoordOf(part).host
		for i := range labels.Len() {
			if _, ok := at[labels.key(i)]; !ok {
				at[labels.key(i)] = int64(i)
			}
		}
		ids := make([]int64, l.Len())
		for i := range ids {
			p, ok := at[l.key(i)]
			if !ok {
				p = -1
			}
			ids[i] = p
		}
		v = v.take(part, ids)
		v.coords = slices.DeleteFunc(slices.Clone(v.coords), func(c *Coord) bool { return c.name == part || slices.Contains(c.dims, part) })
		if len(t.dims) == 0 {
			v = v.at(part, 0)
			continue
		}
		v.dims = slices.Clone(v.dims)
		v.dims[v.axis(part)] = t.name
		v.unlimited = without(v.unlimited, part)
	}
	return v
}

// findTime returns the steps of a time coordinate that a date means: one step when the date is as fine
// as the axis, every step of the period otherwise.
func (c *Coord) findTime(text string, s Selector) (ids []int64, one bool, err error) {
	times, u, err := c.times()
	if err != nil {
		return nil, false, err
	}
	p, err := u.ParsePeriod(text)
	if err != nil {
		return nil, false, fmt.Errorf("ndarray: sel: coordinate %q: %w", c.name, err)
	}
	if s.nearest {
		ids, err := c.nearestTime(times, u, p.Lo, s)
		return ids, true, err
	}
	fine := p.Resolution >= cf.ResolutionOf(times)
	for i, t := range times {
		if fine && t == p.Lo || !fine && !t.Before(p.Lo) && t.Before(p.Hi) {
			ids = append(ids, int64(i))
		}
	}
	if len(ids) == 0 {
		return nil, false, fmt.Errorf("ndarray: sel: no step of %q is at %q; it has %s", c.name, text, c.extent())
	}
	return ids, fine && len(ids) == 1, nil
}

func (c *Coord) nearestTime(times []cf.Instant, u *cf.Units, at cf.Instant, s Selector) ([]int64, error) {
	best, k := math.Inf(1), -1
	for i, t := range times {
		if t == noTime {
			continue
		}
		d := math.Abs(u.Number(t) - u.Number(at))
		if d < best || d == best && at.Before(t) {
			best, k = d, i
		}
	}
	if k < 0 || s.tolerance >= 0 && best > s.tolerance {
		return nil, fmt.Errorf("ndarray: sel: no step of %q lies within %v %s of %v; it has %s", c.name, s.tolerance, u.Unit, u.Date(at), c.extent())
	}
	return []int64{int64(k)}, nil
}

// betweenTimes returns the steps from date lo to the end of the period hi.
func (c *Coord) betweenTimes(lo, hi any) ([]int64, error) {
	times, u, err := c.times()
	if err != nil {
		return nil, err
	}
	from := cf.Instant{Day: math.MinInt64 + 1}
	to := cf.Instant{Day: math.MaxInt64}
	ends := []struct {
		label any
		last  bool
		at    *cf.Instant
	}{{lo, false, &from}, {hi, true, &to}}
	if n := len(times); n > 1 && times[n-1].Before(times[0]) {
		ends[0].label, ends[1].label = hi, lo
		if l, ok := lo.(string); ok {
			if h, ok := hi.(string); ok && l < h {
				ends[0].label, ends[1].label = lo, hi
			}
		}
	}
	for _, e := range ends {
		switch x := e.label.(type) {
		case nil:
		case string:
			p, err := u.ParsePeriod(x)
			if err != nil {
				return nil, fmt.Errorf("ndarray: sel: coordinate %q: %w", c.name, err)
			}
			*e.at = p.Lo
			if e.last {
				*e.at = p.Hi
			}
		default:
			f, ok := numberOf(x)
			t, isTime := u.Instant(f)
			if !ok || !isTime {
				return nil, fmt.Errorf("ndarray: sel: %v is not a date of %q", x, c.name)
			}
			*e.at = t
			if e.last {
				e.at.Micro++
			}
		}
	}
	var ids []int64
	for i, t := range times {
		if !t.Before(from) && t.Before(to) {
			ids = append(ids, int64(i))
		}
	}
	return ids, nil
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"
	"sort"

	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// AsFreq returns the value of each period, missing for those without a step; of several it is the mean. Coordinates along the time but itself go.
func (g GroupBy) AsFreq() Variable {
	if bad := g.notPeriods("asfreq"); bad != nil {
		return *bad
	}
	out := g.Reduce("mean", Reduction{})
	if out.Err() == nil {
		out.attrs = g.v.attrs
	}
	return out
}

// FillPeriods returns, at the label of each period, the value of the last step up to it for the method "ffill" (or "pad"), of the first step from it on for
// "bfill", of the nearest step, the later of two as near, for "nearest". A step further away than tolerance ("1D", "6h"; "" for any) and none
// at all give missing values. Coordinates along the time but itself go.
func (g GroupBy) FillPeriods(method, tolerance string) Variable {
	if bad := g.notPeriods(method); bad != nil {
		return *bad
	}
	ids, err := g.fillFrom(method, tolerance)
	if err != nil {
		return g.v.fail("ndarray: resample: %s: %w", method, err)
	}
	v := g.bare()
	if slices.Contains(ids, -1) {
		v = v.WithArray(v.array.withMissing())
	}
	v = v.take(g.name, ids)
	v.coords = putCoord(v.coords, g.periods())
	return v
}

// Interpolate returns the values at the label of each period as Interp does: "linear" or "nearest". Coordinates along the time but itself go.
func (g GroupBy) Interpolate(method string) Variable {
	if bad := g.notPeriods("interpolate"); bad != nil {
		return *bad
	}
	return g.bare().interpTo(g.periods(), method)
}

// notPeriods returns the error of groups that are no periods.
func (g GroupBy) notPeriods(what string) *Variable {
	if g.failed == nil && !g.resampled {
		bad := g.v.fail("ndarray: %s: groups by %q are no periods; resample(%s='D') makes some", what, g.name, g.name)
		return &bad
	}
	return g.failed
}

// bare returns the variable without coordinates along the time but itself.
func (g GroupBy) bare() Variable {
	v := g.v
	v.coords = slices.DeleteFunc(slices.Clone(v.coords), func(c *Coord) bool { return c.name != g.name && slices.Contains(c.dims, g.name) })
	return v
}

// periods returns the labels of the periods as the time.
func (g GroupBy) periods() *Coord {
	return newCoord(g.name, []string{g.name}, g.attrs.Without("bounds", "climatology"), g.labels)
}

// fillFrom returns the step that each period takes its value from, -1 for none.
func (g GroupBy) fillFrom(method, tolerance string) ([]int64, error) {
	from, _, err := g.v.CoordOf(g.name).times()
	if err != nil {
		return nil, err
	}
	to, _, err := g.periods().times()
	if err != nil {
		return nil, err
	}
	most := int64(-1)
	if tolerance != "" {
		f, err := cf.ParseFrequency(tolerance)
		if err != nil {
			return nil, fmt.Errorf("tolerance: %w", err)
		}
		if most = f.Micros(); most <= 0 {
			return nil, fmt.Errorf("tolerance: got %q, want a length of time such as \"1D\" or \"6h\"", tolerance)
		}
	}
	const day = 86400 * 1000000
	apart := func(a, b cf.Instant) int64 {
		d := (a.Day-b.Day)*day + a.Micro - b.Micro
		return max(d, -d)
	}
	ids := make([]int64, len(to))
	for j, t := range to {
		next := sort.Search(len(from), func(i int) bool { return !from[i].Before(t) }) // the first from t on
		last := next - 1
		if next < len(from) && from[next] == t {
			last = next
		}
		at := last
		switch method {
		case "ffill", "pad":
		case "bfill":
			at = next
		case "nearest":
			if last < 0 || next < len(from) && apart(from[next], t) <= apart(t, from[last]) {
				at = next
			}
		default:
			return nil, fmt.Errorf("method: got %q, want ffill, bfill or nearest", method)
		}
		ids[j] = -1
		if at >= 0 && at < len(from) && (most < 0 || apart(from[at], t) <= most) {
			ids[j] = int64(at)
		}
	}
	return ids, nil
}

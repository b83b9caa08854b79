// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// spaced returns the coordinates of those dimensions of v that have none among coords, where the file says how positions along them are spaced: the
// axes of an image. Positions themselves need no coordinate, nor does an axis that is too long for labels.
func spaced(v Variable, spacing []formats.Spacing, coords []*Coord, limit int64) []*Coord {
	var out []*Coord
	if len(spacing) != len(v.dims) || v.Err() != nil {
		return nil
	}
	for i, s := range spacing {
		n := v.Shape()[i]
		named := func(c *Coord) bool { return c.name == v.dims[i] }
		if s.Step == 0 || s == (formats.Spacing{Step: 1}) || n > limit/8 || slices.ContainsFunc(coords, named) || slices.ContainsFunc(out, named) {
			continue
		}
		at := make([]float64, n)
		for k := range at {
			at[k] = s.Start + float64(k)*s.Step
		}
		var attrs formats.Attrs
		if s.Unit != "" {
			attrs = formats.Attrs{{Name: "units", Value: s.Unit}}
		}
		out = append(out, newCoord(v.dims[i], []string{v.dims[i]}, attrs, floatLabels(at)))
	}
	return out
}

// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"fmt"
	"math"
	"slices"
)

// Grid is the places of a horizontal grid, in degrees north and east.
//
// A rectilinear grid has two axes: Lat and Lon hold their centres, in any order, and the bounds, where they are not nil, the two edges of each cell.
// Other grids have one latitude and one longitude for each point (Points is true, both of one length, C order): those that are NaN are no points.
type Grid struct {
	Points               bool
	Lat, Lon             []float64
	LatBounds, LonBounds [][2]float64
}

// Size returns the number of points.
func (g *Grid) Size() int64 {
	if g.Points {
		return int64(len(g.Lat))
	}
	return int64(len(g.Lat)) * int64(len(g.Lon))
}

// most is the number of points that a grid may have: positions are held as int32.
const most = math.MaxInt32

// check returns what is wrong with the numbers of the grid.
func (g *Grid) check() error {
	switch {
	case len(g.Lat) == 0 || len(g.Lon) == 0:
		return fmt.Errorf("got %d latitudes and %d longitudes, want 1 or more of both", len(g.Lat), len(g.Lon))
	case g.Points && len(g.Lat) != len(g.Lon):
		return fmt.Errorf("got %d latitudes and %d longitudes, want as many", len(g.Lat), len(g.Lon))
	case g.Size() > most:
		return fmt.Errorf("got %d points, want at most %d", g.Size(), int64(most))
	}
	for i, x := range g.Lat {
		if x != x && g.Points {
			continue
		}
		if !(x >= -90-slack && x <= 90+slack) {
			return fmt.Errorf("latitude %d: got %v, want -90 to 90 degrees", i, x)
		}
	}
	for i, x := range g.Lon {
		if x != x && g.Points {
			continue
		}
		if !(math.Abs(x) <= 1e6) {
			return fmt.Errorf("longitude %d: got %v, want degrees", i, x)
		}
	}
	for _, b := range []struct {
		name   string
		bounds [][2]float64
		n      int
	}{{"latitude", g.LatBounds, len(g.Lat)}, {"longitude", g.LonBounds, len(g.Lon)}} {
		if b.bounds == nil {
			continue
		}
		if len(b.bounds) != b.n || g.Points {
			return fmt.Errorf("bounds of %s: got %d pairs for %d cells", b.name, len(b.bounds), b.n)
		}
		for i, x := range b.bounds {
			if !(math.Abs(x[0]) <= 1e6 && math.Abs(x[1]) <= 1e6) {
				return fmt.Errorf("bounds of %s %d: got %v and %v, want degrees", b.name, i, x[0], x[1])
			}
		}
	}
	return nil
}

// slack is by how many degrees places of a file may miss what they stand for: they are often written in single precision.
const slack = 1e-3

// axis is the centres and cells of an axis in ascending order.
type axis struct {
	at     []float64 // ascending; longitudes span less than 360 degrees, but may begin anywhere
	order  []int32   // the position of each in the grid
	lo, hi []float64 // the edges of cells, nil where they are not known and cannot be: an axis of one centre
	cyclic bool      // longitudes go round
	poles  [2]bool   // the cells of the first and last latitude reach the poles
}

// latitudes returns the axis of a rectilinear grid.
func (g *Grid) latitudes() (*axis, error) {
	n := len(g.Lat)
	a := &axis{order: ascending(g.Lat), at: make([]float64, n)}
	for k, i := range a.order {
		a.at[k] = min(max(g.Lat[i], -90), 90)
		if k > 0 && !(a.at[k] > a.at[k-1]) {
			return nil, fmt.Errorf("latitude %v occurs twice", g.Lat[i])
		}
	}
	switch {
	case g.LatBounds != nil:
		a.lo, a.hi = make([]float64, n), make([]float64, n)
		for k, i := range a.order {
			b := g.LatBounds[i]
			a.lo[k], a.hi[k] = max(min(b[0], b[1]), -90), min(max(b[0], b[1]), 90)
		}
		if err := a.apart("latitude"); err != nil {
			return nil, err
		}
	case n > 1:
		a.halfway()
		a.lo[0], a.hi[n-1] = max(a.lo[0], -90), min(a.hi[n-1], 90)
		// The outer rows end at the poles where they come near: those of Gaussian grids would leave a hole there.
		if gap := a.lo[0] + 90; gap < (a.at[1]-a.at[0])/2 {
			a.lo[0] = -90
		}
		if gap := 90 - a.hi[n-1]; gap < (a.at[n-1]-a.at[n-2])/2 {
			a.hi[n-1] = 90
		}
	}
	if a.lo != nil {
		a.poles = [2]bool{a.lo[0] <= -90+slack, a.hi[n-1] >= 90-slack}
	}
	return a, nil
}

// longitudes returns the axis of a rectilinear grid. It begins behind its widest gap; a last longitude that is the first one again is left out.
func (g *Grid) longitudes() (*axis, error) {
	lon, bounds := g.Lon, g.LonBounds
	if n := len(lon); n > 2 && math.Abs(math.Abs(lon[n-1]-lon[0])-360) < 1e-9 {
		lon = lon[:n-1]
		if bounds != nil {
			bounds = bounds[:n-1]
		}
	}
	n := len(lon)
	turned := make([]float64, n)
	for i, x := range lon {
		turned[i] = turn(x)
	}
	order := ascending(turned)
	next := func(k int) float64 { // the gap behind the longitude at k
		if k == n-1 {
			return turned[order[0]] + 360 - turned[order[k]]
		}
		return turned[order[k+1]] - turned[order[k]]
	}
	widest, second := n-1, 0.0
	for k := range n {
		if next(k) <= 0 {
			return nil, fmt.Errorf("longitude %v occurs twice", lon[order[k]])
		}
		if next(k) > next(widest)+1e-9 {
			widest = k
		}
	}
	for k := range n {
		if k != widest {
			second = max(second, next(k))
		}
	}
	a := &axis{at: make([]float64, n), order: make([]int32, n), cyclic: n > 1 && next(widest) <= 1.5*second}
	for k := range n {
		i := (widest + 1 + k) % n
		a.order[k], a.at[k] = order[i], turned[order[i]]
		if i <= widest && widest < n-1 {
			a.at[k] += 360
		}
	}
	switch {
	case bounds != nil:
		a.lo, a.hi = make([]float64, n), make([]float64, n)
		total := 0.0
		for k, i := range a.order {
			a.lo[k], a.hi[k] = around(bounds[i], a.at[k])
			total += a.hi[k] - a.lo[k]
		}
		if err := a.apart("longitude"); err != nil {
			return nil, err
		}
		a.cyclic = a.cyclic || total > 360-slack
	case n > 1:
		a.halfway()
		if a.cyclic {
			edge := (a.at[n-1] + a.at[0] + 360) / 2
			a.lo[0], a.hi[n-1] = edge-360, edge
		}
	}
	return a, nil
}

// turn returns a longitude between 0 and 360, without it.
func turn(x float64) float64 {
	x = math.Mod(x, 360)
	if x < 0 {
		x += 360
	}
	if x >= 360 { // what was a little less than 0
		return 0
	}
	return x
}

// around returns a cell's edges west and east of its centre: bounds wider than half the globe are the part of it with the centre.
func around(b [2]float64, centre float64) (lo, hi float64) {
	lo, width := min(b[0], b[1]), math.Abs(b[1]-b[0])
	if width > 180 {
		lo, width = b[0], turn(b[1]-b[0])
		if turn(centre-lo) > width+slack {
			lo, width = b[1], 360-width
		}
		if width == 0 {
			width = 360
		}
	}
	lo += 360 * math.Floor((centre-lo)/360+1e-9)
	return lo, lo + width
}

// ascending returns the order of numbers.
func ascending(x []float64) []int32 {
	order := make([]int32, len(x))
	for i := range order {
		order[i] = int32(i)
	}
	slices.SortStableFunc(order, func(i, j int32) int {
		switch {
		case x[i] < x[j]:
			return -1
		case x[i] > x[j]:
			return 1
		}
		return 0
	})
	return order
}

// halfway sets the edges half way between centres, and as far beyond the outer ones.
func (a *axis) halfway() {
	n := len(a.at)
	a.lo, a.hi = make([]float64, n), make([]float64, n)
	for k := range n - 1 {
		e := (a.at[k] + a.at[k+1]) / 2
		a.hi[k], a.lo[k+1] = e, e
	}
	a.lo[0] = a.at[0] - (a.at[1]-a.at[0])/2
	a.hi[n-1] = a.at[n-1] + (a.at[n-1]-a.at[n-2])/2
}

// apart returns an error where cells with bounds share more than rounding.
func (a *axis) apart(name string) error {
	for k := range a.lo {
		if k > 0 && a.lo[k] < a.hi[k-1]-slack*max(1, a.hi[k]-a.lo[k]) {
			return fmt.Errorf("bounds of %s: the cells around %v and %v overlap", name, a.at[k-1], a.at[k])
		}
	}
	return nil
}

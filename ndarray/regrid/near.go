// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"math"
	"sort"
)

// near is a source point that was found: chord is the square of half its distance through the sphere, of radius 1.
type near struct {
	chord float64
	index int32
}

// distance returns the distance through the sphere.
func (n near) distance() float64 { return 2 * math.Sqrt(n.chord) }

// before reports whether n is nearer than m, or as near and stored earlier: distances that differ by rounding are equal.
func (n near) before(m near) bool {
	if math.Abs(n.chord-m.chord) <= 1e-10*m.chord+1e-28 {
		return n.index < m.index
	}
	return n.chord < m.chord
}

// insert puts x in its place among the k nearest.
func insert(found []near, x near, k int) []near {
	if len(found) == k {
		if !x.before(found[k-1]) {
			return found
		}
		found = found[:k-1]
	}
	found = append(found, x)
	for i := len(found) - 1; i > 0 && found[i].before(found[i-1]); i-- {
		found[i], found[i-1] = found[i-1], found[i]
	}
	return found
}

// searcher finds the source points nearest to a place.
type searcher interface {
	// nearest appends the k points nearest to a place in degrees to found, nearest first; fewer if there are fewer.
	nearest(lat, lon float64, k int, found []near) []near
}

// search returns a searcher of the grid's points.
func (g *Grid) search() (searcher, error) {
	if g.Points {
		return newTree(g.Lat, g.Lon), nil
	}
	lat, err := g.latitudes()
	if err != nil {
		return nil, err
	}
	lon, err := g.longitudes()
	if err != nil {
		return nil, err
	}
	r := &rows{lat: lat, lon: lon, width: int32(len(g.Lon)), cos: make([]float64, len(lat.at))}
	for i, x := range lat.at {
		r.cos[i] = math.Cos(x * rad)
	}
	return r, nil
}

// beyond reports whether a latitude lies between the last row of a grid that goes round and a pole.
func (r *rows) beyond(lat float64) bool {
	a := r.lat
	return r.lon.cyclic && (lat < a.at[0] && a.poles[0] || lat > a.at[len(a.at)-1] && a.poles[1])
}

// corners sets the corners of the rectangle around a place, and their weights by how near they are; none beyond the grid.
func (r *rows) corners(lat, lon float64, index []int32, weight []float64) {
	j, y, okY := r.lat.between(lat, false)
	i, x, okX := r.lon.between(lon, true)
	if !okY || !okX {
		return
	}
	n := 0
	for _, row := range [2]float64{1 - y, y} {
		for c, col := range [2]float64{1 - x, x} {
			if row*col > 0 {
				index[n] = r.lat.order[j]*r.width + r.lon.order[(i+c)%len(r.lon.at)]
				weight[n] = row * col
				n++
			}
		}
		j = min(j+1, len(r.lat.at)-1)
	}
}

const rad = math.Pi / 180

// rows searches a rectilinear grid row by row, those near the place's latitude first.
type rows struct {
	lat, lon *axis
	cos      []float64 // of latitudes
	width    int32
	cols     []near // the longitudes nearest to the last place's
	of       float64
	many     int
}

// square returns the square of the sine of half an angle in degrees.
func square(deg float64) float64 {
	s := math.Sin(deg * (rad / 2))
	return s * s
}

func (r *rows) nearest(lat, lon float64, k int, found []near) []near {
	r.columns(lon, k)
	cos := math.Cos(lat * rad)
	n := len(r.lat.at)
	up := sort.SearchFloat64s(r.lat.at, lat)
	down := up - 1
	for up < n || down >= 0 {
		row := up
		if down >= 0 && (up >= n || lat-r.lat.at[down] <= r.lat.at[up]-lat) {
			row = down
			down--
		} else {
			up++
		}
		// Points of a row are at least as far as it is: rows come in that order.
		dy := square(lat - r.lat.at[row])
		if len(found) == k && dy > found[k-1].chord*(1+1e-9)+1e-27 {
			break
		}
		first := r.lat.order[row] * r.width
		if r.cos[row] < 1e-12 { // at a pole
			for c := range min(r.width, int32(k)) {
				found = insert(found, near{dy, first + c}, k)
			}
			continue
		}
		for _, c := range r.cols {
			found = insert(found, near{dy + cos*r.cos[row]*c.chord, first + c.index}, k)
		}
	}
	return found
}

// columns finds the k longitudes nearest to one, and those as near as the last of them.
func (r *rows) columns(lon float64, k int) {
	if r.cols != nil && r.of == lon && r.many == k {
		return
	}
	r.of, r.many, r.cols = lon, k, r.cols[:0]
	at := r.lon.at
	n := len(at)
	x := at[0] + turn(lon-at[0])
	east := sort.SearchFloat64s(at, x)
	west := east - 1
	for range n {
		e, w := east%n, (west+n)%n
		far := func(c int) float64 { return math.Abs(math.Remainder(at[c]-x, 360)) }
		c := e
		if far(w) < far(e) {
			c = w
			west--
		} else {
			east++
		}
		d := square(far(c))
		if len(r.cols) >= k && d > r.cols[k-1].chord*(1+1e-9)+1e-27 {
			break
		}
		r.cols = append(r.cols, near{d, r.lon.order[c]})
	}
}

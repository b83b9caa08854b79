// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"fmt"
	"slices"
)

// Method is how a place gets its value.
type Method uint8

// The methods.
const (
	// Bilinear is on the surface through the four corners of the rectangle of source points around a place, in degrees. Between the last row of a grid
	// that goes round and a pole it is on the line to the mean of that row, which ESMF takes for the pole's value by default; for targets that are not
	// rectilinear, Distance's, as CDO has it. Elsewhere beyond the source's points there is no value.
	Bilinear Method = iota
	// Nearest is the value of the nearest source point on the sphere; of two as near, the one that is stored first.
	Nearest
	// Conservative is the mean over the source cells that share something with the target cell, weighted by that area: of first order, with
	// cells between circles of latitude and longitude and exact areas on the sphere.
	Conservative
	// Distance is the mean of the four nearest source points, weighted by the inverse of their distance, through the sphere as CDO has it.
	Distance
)

// neighbours is how many points Distance takes, which is CDO's number.
const neighbours = 4

var methodNames = [...]string{"bilinear", "nearest", "conservative", "distance"}

// String returns the method's name.
func (m Method) String() string {
	if int(m) < len(methodNames) {
		return methodNames[m]
	}
	return fmt.Sprintf("method %d", uint8(m))
}

// MethodOf returns the method of a name: bilinear, nearest, conservative or distance.
func MethodOf(name string) (Method, error) {
	if i := slices.Index(methodNames[:], name); i >= 0 {
		return Method(i), nil
	}
	return 0, fmt.Errorf("method: got %q, want one of %q", name, methodNames)
}

// Map is the weights from one grid to another: Y and X for products of weights along latitude and longitude, else Points. Source is the part of the source grid
// that targets are made from: rows and columns are counted from where it begins.
type Map struct {
	Y, X   *Links
	Points *Points
	Source Box

	toCols int64
	wide   bool // sums go along longitude first: there are more targets than source points
}

// mostHeld is how many rows of the source a row of targets is made from at most where the map is wide.
const mostHeld = 4

// Points are the source points of each target point i: Index[i*Each:], -1 for none, with their weights, nil where there is one point only.
type Points struct {
	Each   int
	Index  []int32
	Weight []float64

	reach reach // the source rows of each row of targets
}

// Shape says how the points of grids are laid out in arrays: rows and columns. Grids of points without rows have one column.
type Shape struct{ Rows, Cols int64 }

// ShapeOf returns the shape of a rectilinear grid.
func (g *Grid) ShapeOf() Shape { return Shape{int64(len(g.Lat)), int64(len(g.Lon))} }

// Bytes bounds the memory of a map, tables that are in use while it is made included.
func Bytes(from, to *Grid, m Method) int64 {
	axes := 64 * int64(len(from.Lat)+len(from.Lon)+len(to.Lat)+len(to.Lon))
	if !m.Points(from, to) {
		return 4 * axes
	}
	each := int64(1)
	if m != Nearest {
		each = neighbours
	}
	n := axes + to.Size()*each*12
	if from.Points {
		n += 40 * from.Size()
	}
	return n
}

// Points reports whether target points have source points of their own: whether finding them takes time.
func (m Method) Points(from, to *Grid) bool {
	return from.Points || to.Points || m == Nearest || m == Distance
}

// Check returns why a map cannot be made, nil if it can.
func Check(from, to *Grid, m Method) error {
	if int(m) >= len(methodNames) {
		return fmt.Errorf("%v is none", m)
	}
	if err := from.check(); err != nil {
		return fmt.Errorf("source grid: %w", err)
	}
	if err := to.check(); err != nil {
		return fmt.Errorf("target grid: %w", err)
	}
	if m == Conservative && (from.Points || to.Points) {
		return fmt.Errorf("conservative: source and target must have one-dimensional latitudes and longitudes; take bilinear, nearest or distance")
	}
	if m == Bilinear && from.Points {
		return fmt.Errorf("bilinear: the source must have one-dimensional latitudes and longitudes; take nearest or distance")
	}
	for _, g := range []struct {
		name string
		grid *Grid
	}{{"source", from}, {"target", to}} {
		if g.grid.Points {
			continue
		}
		lat, err := g.grid.latitudes()
		if err != nil {
			return fmt.Errorf("%s grid: %w", g.name, err)
		}
		if g.name == "target" && m != Conservative { // places may be given twice
			continue
		}
		lon, err := g.grid.longitudes()
		if err != nil {
			return fmt.Errorf("%s grid: %w", g.name, err)
		}
		if m == Conservative && (lat.lo == nil || lon.lo == nil) {
			return fmt.Errorf("conservative: %s grid: cells of one latitude or longitude need bounds", g.name)
		}
	}
	return nil
}

// New returns the map from one grid to another, whose points are in arrays of the shapes.
func New(from, to *Grid, m Method, source, target Shape) (*Map, error) {
	if err := Check(from, to, m); err != nil {
		return nil, err
	}
	out := &Map{Source: Box{Rows: source.Rows, Cols: source.Cols}, toCols: target.Cols}
	if m.Points(from, to) {
		p, err := pointsOf(from, to, m)
		if err != nil {
			return nil, err
		}
		p.measure(source, target)
		out.Points = p
		return out, nil
	}
	lat, err := from.latitudes()
	if err != nil {
		return nil, err
	}
	lon, err := from.longitudes()
	if err != nil {
		return nil, err
	}
	if m == Bilinear {
		out.Y, out.X = lat.linear(to.Lat, false), lon.linear(to.Lon, true)
		if lon.cyclic {
			out.Y = out.Y.caps(lat, to.Lat)
		}
		out.crop()
		return out, nil
	}
	toLat, err := to.latitudes()
	if err != nil {
		return nil, err
	}
	toLon, err := to.longitudes()
	if err != nil {
		return nil, err
	}
	out.Y, out.X = lat.overlaps(toLat, false, sines), lon.overlaps(toLon, true, degrees)
	out.X.again(len(to.Lon))
	out.crop()
	return out, nil
}

// crop leaves out the rows and columns that no target needs.
func (m *Map) crop() {
	s := &m.Source
	s.Row, s.Rows = m.Y.crop()
	if !m.caps(0, 1) {
		s.Col, s.Cols = m.X.crop()
	}
	m.wide = m.Y.most <= mostHeld && int64(len(m.Y.Part)) > s.Rows && int64(len(m.X.Part)) > s.Cols/2
}

// again gives target longitudes that were left out, because they are the first one again, its links.
func (l *Links) again(n int) {
	for len(l.Part) < n {
		for k := l.First[0]; k < l.First[1]; k++ {
			l.add(l.Index[k], l.Weight[k])
		}
		l.end(0)
		l.Part[len(l.Part)-1] = l.Part[0]
	}
}

// pointsOf returns the source points of each target point.
func pointsOf(from, to *Grid, m Method) (*Points, error) {
	s, err := from.search()
	if err != nil {
		return nil, err
	}
	each := 1
	if m != Nearest {
		each = neighbours
	}
	n := to.Size()
	p := &Points{Each: each, Index: make([]int32, n*int64(each))}
	if m != Nearest {
		p.Weight = make([]float64, len(p.Index))
	}
	found := make([]near, 0, each)
	for i := range n {
		j, k := i, i
		if !to.Points {
			j, k = i/int64(len(to.Lon)), i%int64(len(to.Lon))
		}
		lat, lon := to.Lat[j], to.Lon[k]
		links := p.Index[i*int64(each):][:each]
		for k := range links {
			links[k] = -1
		}
		if lat != lat || lon != lon {
			continue
		}
		if r, ok := s.(*rows); ok && m == Bilinear && !r.beyond(lat) {
			r.corners(lat, lon, links, p.Weight[i*int64(each):])
			continue
		}
		found = s.nearest(lat, lon, each, found[:0])
		for k, x := range found {
			links[k] = x.index
		}
		if p.Weight != nil {
			inverse(p.Weight[i*int64(each):][:len(found)], found)
		}
	}
	return p, nil
}

// inverse sets weights by the inverse of distances; a point that is the place itself takes all.
func inverse(w []float64, found []near) {
	sum := 0.0
	for k, x := range found {
		if d := x.distance(); d > 1e-12 {
			w[k] = 1 / d
		} else {
			clear(w)
			w[k], sum = 1, 1
			break
		}
		sum += w[k]
	}
	for k := range w {
		w[k] /= sum
	}
}

// measure finds which source rows each row of targets needs.
func (p *Points) measure(source, target Shape) {
	width := target.Cols * int64(p.Each)
	list := make([]int32, width)
	for r := range target.Rows {
		for k, i := range p.Index[r*width:][:width] {
			if list[k] = i; i >= 0 {
				list[k] = int32(int64(i) / source.Cols)
			}
		}
		p.reach.add(list)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/regrid"
)

// HorizontalGrid is where on the globe the values of a variable are, or are to be: latitudes and longitudes in degrees, along two dimensions of
// their own (rectilinear), over two together (curvilinear) or along one (points). It is an immutable value; Regrid takes one.
type HorizontalGrid struct {
	places   regrid.Grid
	shape    regrid.Shape
	dims     []string // of latitude and longitude, or of the points
	lat, lon *Coord   // with their values in host memory
	err      error
}

// Err returns why there is no grid, nil when there is.
func (g HorizontalGrid) Err() error { return g.err }

// Dims returns the names of the dimensions: latitude's and longitude's, or those of the points.
func (g HorizontalGrid) Dims() []string { return slices.Clone(g.dims) }

// NamedGrid returns a global grid by CDO's name: r360x180, global_1, n80 or F80, t63grid. regrid.Named says what they mean.
func NamedGrid(name string) HorizontalGrid {
	g, err := regrid.Named(name)
	if err != nil {
		return HorizontalGrid{err: fmt.Errorf("ndarray: %w", err)}
	}
	return LatLonGrid(g.Lat, g.Lon)
}

// LatLonGrid returns the rectilinear grid of latitudes and longitudes in degrees, in any order. Cells reach half way to the next centre; those near the
// poles reach them.
func LatLonGrid(lat, lon []float64) HorizontalGrid {
	made := func(of *circle, axis string, at []float64) *Coord {
		attrs := formats.Attrs{
			{Name: "standard_name", Value: of.standard}, {Name: "long_name", Value: of.standard}, {Name: "units", Value: of.units[0]}, {Name: "axis", Value: axis},
		}
		return newCoord(of.names[0], []string{of.names[0]}, attrs, floatLabels(at))
	}
	return horizontal([]*Coord{made(latitude, "Y", lat), made(longitude, "X", lon)}, "the grid")
}

// HorizontalGrid returns where v's values are: its coordinates of latitude and longitude, which standard_name, units or else names tell, with
// the bounds of their cells. It has an error if there are none, or if their values cannot be read.
func (v Variable) HorizontalGrid() HorizontalGrid {
	if v.Err() != nil {
		return HorizontalGrid{err: v.Err()}
	}
	return horizontal(v.coords, v.label())
}

// HorizontalGrid returns where the values of the data set's variables are.
func (ds *Dataset) HorizontalGrid() HorizontalGrid { return horizontal(ds.coords, "the data set") }

// horizontal returns the grid of a latitude and a longitude among coordinates.
func horizontal(coords []*Coord, what string) HorizontalGrid {
	fail := func(format string, args ...any) HorizontalGrid {
		return HorizontalGrid{err: fmt.Errorf("ndarray: "+format, args...)}
	}
	lat, lon := places(coords, (*Coord).isLatitude), places(coords, (*Coord).isLongitude)
	if lat == nil || lon == nil {
		return fail("%s has no coordinates of latitude and longitude; name them lat and lon, or give them the units degrees_north and degrees_east", what)
	}
	g := HorizontalGrid{dims: []string{lat.dims[0], lon.dims[0]}}
	switch {
	case len(lat.dims) == 1 && len(lon.dims) == 1 && g.dims[0] != g.dims[1]:
	case slices.Equal(lat.dims, lon.dims) && len(lat.dims) <= 2:
		g.places.Points, g.dims = true, lat.dims
	default:
		return fail("%s: latitude %q has dimensions %v and longitude %q %v: want one of its own for each, or one or two that both have", what, lat.name, lat.dims, lon.name, lon.dims)
	}
	for _, x := range []struct {
		from   *Coord
		coord  **Coord
		at     *[]float64
		bounds *[][2]float64
	}{{lat, &g.lat, &g.places.Lat, &g.places.LatBounds}, {lon, &g.lon, &g.places.Lon, &g.places.LonBounds}} {
		held, err := x.from.held()
		switch {
		case err != nil:
			return fail("read %q: %w", x.from.name, err)
		case held.host == nil || held.host.Str != nil:
			return fail("%s: the values of %q are not numbers that are known before running", what, x.from.name)
		}
		if *x.bounds, err = cellBounds(held); err != nil {
			return fail("bounds of %q: %w", x.from.name, err)
		}
		if g.places.Points {
			*x.bounds = nil
		}
		*x.coord, *x.at = held, held.host.numbers()
	}
	n := g.lat.host.Shape
	switch {
	case !g.places.Points:
		g.shape = g.places.ShapeOf()
	case len(n) == 2:
		g.shape = regrid.Shape{Rows: n[0], Cols: n[1]}
	default:
		g.shape = regrid.Shape{Rows: n[0], Cols: 1}
	}
	return g
}

// places returns the coordinate that is meant: one of a dimension before others.
func places(coords []*Coord, is func(*Coord) bool) (found *Coord) {
	for _, c := range coords {
		if len(c.dims) > 0 && is(c) && (found == nil || c.isDimension() && !found.isDimension()) {
			found = c
		}
	}
	return found
}

// numbers returns the values as float64.
func (l *Labels) numbers() []float64 {
	out := make([]float64, l.Len())
	for i := range out {
		out[i] = l.Number(i)
	}
	return out
}

// cellBounds returns the edges of each cell of a one-dimensional coordinate, nil where it has none.
func cellBounds(c *Coord) ([][2]float64, error) {
	b, err := c.bounds.held()
	if b == nil || err != nil || b.host == nil || len(c.dims) != 1 {
		return nil, err
	}
	if want := (chunk.Shape{c.host.Shape[0], 2}); !b.host.Shape.Equal(want) {
		return nil, fmt.Errorf("%q has shape %v, want %v: %w", b.name, b.host.Shape, want, chunk.ErrShape)
	}
	list := make([][2]float64, c.host.Shape[0])
	for i := range list {
		list[i] = [2]float64{b.host.Number(2 * i), b.host.Number(2*i + 1)}
	}
	return list, nil
}

// size returns the lengths of the grid's dimensions.
func (g HorizontalGrid) size() chunk.Shape {
	if len(g.dims) == 1 {
		return chunk.Shape{g.shape.Rows}
	}
	return chunk.Shape{g.shape.Rows, g.shape.Cols}
}

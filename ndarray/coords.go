// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// Coord is a coordinate of a Variable: an array with a name and dimensions of its own,
// attributes, and, for dimension coordinates and scalars, its values in host memory. It is immutable.
type Coord struct {
	name   string
	dims   []string
	attrs  formats.Attrs
	array  Array   // used where host is nil
	host   *Labels // nil: values are in a file or computed
	bounds *Coord  // the cell bounds that go with it, nil for none

	load func() (*Labels, error) // reads the values of a stored coordinate, nil where that is not possible

	once  sync.Once
	units *cf.Units
	uerr  error
}

// newCoord returns a coordinate of host values.
func newCoord(name string, dims []string, attrs formats.Attrs, host *Labels) *Coord {
	return &Coord{name: name, dims: dims, attrs: attrs, host: host}
}

// Name returns the coordinate's name.
func (c *Coord) Name() string { return c.name }

// Dims returns the names of its dimensions: its own name for a dimension coordinate, none for a scalar.
func (c *Coord) Dims() []string { return c.dims }

// Attrs returns its attributes, packing removed.
func (c *Coord) Attrs() formats.Attrs { return c.attrs }

// Labels returns its values in host memory, nil where they are not read.
func (c *Coord) Labels() *Labels { return c.host }

// Array returns its values as a lazy array.
func (c *Coord) Array() Array {
	if c.host != nil {
		return c.host.Array()
	}
	return c.array
}

// read returns the values in host memory, reading a stored coordinate that was not read on Open.
func (c *Coord) read() (*Labels, error) {
	if c.host != nil || c.load == nil {
		return c.host, nil
	}
	return c.load()
}

// held returns c with its values in host memory if they can be read, else c itself; nil stays nil.
func (c *Coord) held() (*Coord, error) {
	if c == nil || c.host != nil || c.load == nil {
		return c, nil
	}
	l, err := c.load()
	if l == nil || err != nil {
		return c, err
	}
	return &Coord{name: c.name, dims: c.dims, attrs: c.attrs, host: l, bounds: c.bounds}, nil
}

// loadThen returns a reader of a part of what c reads, nil where c reads nothing.
func (c *Coord) loadThen(f func(*Labels) *Labels) func() (*Labels, error) {
	if c.load == nil {
		return nil
	}
	return func() (*Labels, error) {
		l, err := c.load()
		if l == nil || err != nil {
			return nil, err
		}
		return f(l), nil
	}
}

// isDimension reports whether c labels the positions of the dimension it is named after.
func (c *Coord) isDimension() bool { return len(c.dims) == 1 && c.dims[0] == c.name }

// shape returns the lengths of c's dimensions.
func (c *Coord) shape() chunk.Shape {
	if c.host != nil {
		return c.host.Shape
	}
	return c.array.Shape()
}

// timeUnits returns the parsed time units, an error where the coordinate is not a time.
func (c *Coord) timeUnits() (*cf.Units, error) {
	c.once.Do(func() {
		text, ok := c.attrs.Get("units")
		s, isText := text.(string)
		if !ok || !isText || !cf.IsTimeUnits(s) {
			c.uerr = fmt.Errorf("ndarray: coordinate %q is not a time: got units %q, want \"UNIT since DATE\"", c.name, fmt.Sprint(orEmpty(text)))
			return
		}
		cal, _ := c.attrs.Get("calendar")
		name, _ := cal.(string)
		c.units, c.uerr = cf.ParseUnits(s, name)
	})
	return c.units, c.uerr
}

func orEmpty(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// isTime reports whether the coordinate's units are those of a time, readable or not.
func (c *Coord) isTime() bool {
	v, _ := c.attrs.Get("units")
	s, ok := v.(string)
	return ok && cf.IsTimeUnits(s)
}

// times returns the instants of a time coordinate with host values; one that is missing is noTime.
func (c *Coord) times() ([]cf.Instant, *cf.Units, error) {
	u, err := c.timeUnits()
	if err != nil {
		return nil, nil, err
	}
	l, err := c.read()
	if err != nil {
		return nil, nil, fmt.Errorf("ndarray: read time coordinate %q: %w", c.name, err)
	}
	if l == nil {
		return nil, nil, fmt.Errorf("ndarray: the values of time %q are the result of a computation; labels need values of a file", c.name)
	}
	out := make([]cf.Instant, l.Len())
	for i := range out {
		t, ok := l.instant(u, i)
		if !ok {
			t = noTime
		}
		out[i] = t
	}
	return out, u, nil
}

// noTime stands for a missing time. It is earlier than every period a label can name.
var noTime = cf.Instant{Day: math.MinInt64}

// text returns label i for messages: a date for a time.
func (c *Coord) text(i int) string {
	if u, err := c.timeUnits(); err == nil {
		if t, ok := c.host.instant(u, i); ok {
			return u.Date(t).String()
		}
	}
	return c.host.Text(i)
}

// circle is what tells coordinates in degrees along circles of the globe.
type circle struct {
	standard     string // standard_name
	units, names []string
}

var (
	longitude = &circle{"longitude", []string{"degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"}, []string{"lon", "longitude", "lons", "nav_lon"}}
	latitude  = &circle{"latitude", []string{"degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"}, []string{"lat", "latitude", "lats", "nav_lat"}}
)

// isLongitude reports whether the coordinate counts degrees around the globe.
func (c *Coord) isLongitude() bool { return c.along(longitude, latitude) }

// isLatitude reports whether the coordinate counts degrees from the equator.
func (c *Coord) isLatitude() bool { return c.along(latitude, longitude) }

// along reports whether the coordinate is one along a circle, and not along the other.
func (c *Coord) along(one, other *circle) bool {
	std, hasStd := c.attrs.Get("standard_name")
	if std == one.standard {
		return true
	}
	if v, ok := c.attrs.Get("units"); ok {
		if u, isText := v.(string); isText {
			switch u = strings.ToLower(strings.TrimSpace(u)); {
			case slices.Contains(one.units, u):
				return true
			case slices.Contains(other.units, u):
				return false
			}
		}
	}
	return !hasStd && slices.Contains(one.names, strings.ToLower(c.name))
}

// take returns the coordinate at positions along dim; one that lacks dim is returned as it is.
// -1 reads as missing.
func (c *Coord) take(dim string, ids []int64) *Coord {
	axis := slices.Index(c.dims, dim)
	if axis < 0 {
		return c
	}
	out := &Coord{name: c.name, dims: c.dims, attrs: c.attrs, bounds: c.bounds.takeOrNil(dim, ids)}
	if c.host != nil {
		out.host = c.host.Take(axis, ids)
	} else {
		out.array = c.array.TakeAlong(axis, ids)
		out.load = c.loadThen(func(l *Labels) *Labels { return l.Take(axis, ids) })
	}
	return out
}

func (c *Coord) takeOrNil(dim string, ids []int64) *Coord {
	if c == nil {
		return nil
	}
	return c.take(dim, ids)
}

// at returns the coordinate at one position along dim, which it loses.
func (c *Coord) at(dim string, i int64) *Coord {
	axis := slices.Index(c.dims, dim)
	if axis < 0 {
		return c
	}
	out := &Coord{name: c.name, dims: without(c.dims, dim), attrs: c.attrs}
	if c.bounds != nil {
		out.bounds = c.bounds.at(dim, i)
	}
	if c.host != nil {
		out.host = c.host.at(axis, i)
	} else {
		out.load = c.loadThen(func(l *Labels) *Labels { return l.at(axis, i) })
		idx := make([]Index, axis+1)
		for k := range axis {
			idx[k] = All()
		}
		idx[axis] = At(i)
		out.array = c.array.Index(idx...)
	}
	return out
}

// renamed returns the coordinate with a dimension, and itself if it is that one's, renamed.
func (c *Coord) renamed(from, to string) *Coord {
	if c.name != from && !slices.Contains(c.dims, from) {
		return c
	}
	out := &Coord{name: c.name, dims: slices.Clone(c.dims), attrs: c.attrs, array: c.array, host: c.host, load: c.load, bounds: c.bounds}
	if out.name == from {
		out.name = to
	}
	for i, d := range out.dims {
		if d == from {
			out.dims[i] = to
		}
	}
	if out.bounds != nil {
		out.bounds = out.bounds.renamed(from, to)
	}
	return out
}

// without returns list without the names.
func without(list []string, names ...string) []string {
	out := make([]string, 0, len(list))
	for _, s := range list {
		if !slices.Contains(names, s) {
			out = append(out, s)
		}
	}
	return out
}

// findCoord returns the coordinate with a name, nil for none.
func findCoord(list []*Coord, name string) *Coord {
	for _, c := range list {
		if c.name == name {
			return c
		}
	}
	return nil
}

// sameLabels returns whether two dimension coordinates hold the same labels in the same order, and otherwise
// the positions of a's labels in b when b holds the same ones, nil when it does not, with
// the first position that differs.
func sameLabels(a, b *Coord) (same bool, order []int64, diff int) {
	x, y := a.host, b.host
	n := x.Len()
	ua, _ := a.attrs.Get("units")
	ub, _ := b.attrs.Get("units")
	if s, ok := ua.(string); x == y || x.equal(y) && (!ok || s == ub) {
		return true, nil, -1
	}
	key := func(c *Coord) func(i int) any { return func(i int) any { return c.host.key(i) } }
	kx, ky := key(a), key(b)
	if ua, errA := a.timeUnits(); errA == nil {
		if ub, errB := b.timeUnits(); errB == nil && ua.Calendar == ub.Calendar {
			kx = func(i int) any { t, _ := x.instant(ua, i); return t }
			ky = func(i int) any { t, _ := y.instant(ub, i); return t }
		}
	}
	diff = -1
	for i := range min(n, y.Len()) {
		if kx(i) != ky(i) {
			diff = i
			break
		}
	}
	if diff < 0 && n == y.Len() {
		return true, nil, -1
	}
	if diff < 0 {
		diff = min(n, y.Len())
	}
	if n != y.Len() {
		return false, nil, diff
	}
	where := make(map[any]int64, n)
	for i := range n {
		where[ky(i)] = int64(i)
	}
	if len(where) != n {
		return false, nil, diff
	}
	order = make([]int64, n)
	for i := range n {
		p, ok := where[kx(i)]
		if !ok {
			return false, nil, diff
		}
		order[i] = p
	}
	return false, order, diff
}

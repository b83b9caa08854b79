// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Variable is a lazy array with named dimensions, coordinates and attributes: an immutable value.
// Operations between Variables match dimensions by name and check that labels agree; reductions leave NaN out.
// Like Array, methods never compute and never fail: the first error travels in the value.
type Variable struct {
	name      string
	dims      []string
	array     Array
	attrs     formats.Attrs
	coords    []*Coord
	mappings  []*Coord      // grid mappings, which go where the variable goes
	global    formats.Attrs // attributes of the data set it came from
	unlimited []string      // dimensions that can grow
	host      *Labels       // the values, where they are in memory anyway: coordinates and their parts
	values    *readable     // how to read them from the file they are in
}

// readable says how the values of a node are read without an engine. It is of use while the
// variable still is that node.
type readable struct {
	node *graph.Node
	load func() (*Labels, error)
}

// NewVariable returns a variable of an array with one dimension name per axis. Names that
// repeat or a wrong number of them are an error.
func NewVariable(name string, a Array, dims []string, attrs formats.Attrs) Variable {
	v := Variable{name: name, dims: slices.Clone(dims), array: a, attrs: attrs}
	if a.Err() != nil {
		return v
	}
	if len(dims) != a.Rank() {
		return v.fail("ndarray: variable %q: got %d dimension names for an array of rank %d", name, len(dims), a.Rank())
	}
	for i, d := range dims {
		if slices.Contains(dims[:i], d) {
			return v.fail("ndarray: variable %q: dimension %q occurs twice", name, d)
		}
	}
	return v
}

// WithCoord returns v with a coordinate: c's values label the dimension of its name, or belong to dimensions
// that v has. Labels that sel, interp and the like look at are those in host memory (FromSlice), those read from a file, and what elementwise operations make
// of a vector of them.
func (v Variable) WithCoord(c Variable) Variable {
	if v.Err() != nil {
		return v
	}
	if c.Err() != nil {
		return c
	}
	k := c.asCoord()
	for i, d := range k.dims {
		n := v.dimLen(d)
		if n < 0 || n != k.shape()[i] {
			return v.fail("ndarray: coordinate %q: dimension %q has length %d, in variable %q %d", k.name, d, k.shape()[i], v.name, n)
		}
	}
	out := v
	out.coords = putCoord(v.coords, k)
	return out
}

// putCoord returns list with c in the place of the one of its name, or at the end.
func putCoord(list []*Coord, c *Coord) []*Coord {
	out := slices.Clone(list)
	for i, x := range out {
		if x.name == c.name {
			out[i] = c
			return out
		}
	}
	return append(out, c)
}

// asCoord returns v's values as a coordinate, with host values where v has them.
func (v Variable) asCoord() *Coord {
	c := &Coord{name: v.name, dims: v.dims, attrs: v.attrs, array: v.array, host: v.host}
	if c.host == nil {
		if m, ok := v.array.hostMemory(); ok {
			if l, ok := chunkLabels(m); ok {
				c.host = l
			}
		} else if v.Rank() <= 1 { // log(a.plev), (a.lon + 180) % 360 - 180
			if vals, ok := v.array.hostValue(); ok {
				c.host = constLabels(vals, v.DType(), v.Shape())
			}
		}
	}
	return c
}

// fail returns v with an error in place of its values.
func (v Variable) fail(format string, args ...any) Variable {
	return v.failed(Failed(fmt.Errorf(format, args...), string(here())))
}

// failed returns v carrying a's error.
func (v Variable) failed(a Array) Variable {
	return Variable{name: v.name, array: a}
}

// Name returns the variable's name, "" for none.
func (v Variable) Name() string { return v.name }

// Dims returns the names of the dimensions, in order.
func (v Variable) Dims() []string { return slices.Clone(v.dims) }

// Attrs returns the attributes, those of packing removed.
func (v Variable) Attrs() formats.Attrs { return v.attrs }

// Array returns the values without names.
func (v Variable) Array() Array { return v.array }

// Shape returns the length of each dimension.
func (v Variable) Shape() chunk.Shape { return v.array.Shape() }

// DType returns the element type.
func (v Variable) DType() dtype.DType { return v.array.DType() }

// Rank returns the number of dimensions.
func (v Variable) Rank() int { return len(v.dims) }

// Err returns why v could not be built, nil when it could.
func (v Variable) Err() error { return v.array.Err() }

// String returns name, dtype, dimensions and lengths: "tas float32(time: 12, lat: 3)".
func (v Variable) String() string {
	if v.Err() != nil {
		return v.Err().Error()
	}
	parts := make([]string, len(v.dims))
	for i, d := range v.dims {
		parts[i] = fmt.Sprintf("%s: %d", d, v.Shape()[i])
	}
	s := fmt.Sprintf("%v(%s)", v.DType(), strings.Join(parts, ", "))
	if v.name != "" {
		s = v.name + " " + s
	}
	return s
}

// Rename returns v under another name.
func (v Variable) Rename(name string) Variable {
	v.name = name
	return v
}

// RenameDims returns v with dimensions, and the coordinates named after them, renamed.
// from and to alternate.
func (v Variable) RenameDims(fromTo ...string) Variable {
	if v.Err() != nil {
		return v
	}
	out := v
	out.dims = slices.Clone(v.dims)
	out.coords = slices.Clone(v.coords)
	out.unlimited = slices.Clone(v.unlimited)
	for i := 0; i+1 < len(fromTo); i += 2 {
		from, to := fromTo[i], fromTo[i+1]
		found := false
		for k, d := range out.dims {
			if d == from {
				out.dims[k], found = to, true
			} else if d == to {
				return v.fail("ndarray: rename: %q is a dimension of %s already", to, v.label())
			}
		}
		for k, c := range out.coords {
			if c.name == from {
				found = true
			}
			out.coords[k] = c.renamed(from, to)
		}
		for k, d := range out.unlimited {
			if d == from {
				out.unlimited[k] = to
			}
		}
		if !found {
			return v.fail("ndarray: rename: %s has no dimension or coordinate %q", v.label(), from)
		}
	}
	return out
}

// WithAttrs returns v with other attributes.
func (v Variable) WithAttrs(attrs formats.Attrs) Variable {
	v.attrs = attrs
	return v
}

// label names v in messages.
func (v Variable) label() string {
	if v.name == "" {
		return fmt.Sprintf("the variable (%s)", strings.Join(v.dims, ", "))
	}
	return fmt.Sprintf("%q (%s)", v.name, strings.Join(v.dims, ", "))
}

// axis returns the position of a dimension, -1 when v lacks it.
func (v Variable) axis(dim string) int { return slices.Index(v.dims, dim) }

// dimLen returns the length of a dimension, -1 when v lacks it.
func (v Variable) dimLen(dim string) int64 {
	if i := v.axis(dim); i >= 0 {
		return v.Shape()[i]
	}
	return -1
}

// noDim is the error of a dimension v lacks.
func (v Variable) noDim(action, dim string) Variable {
	return v.fail("ndarray: %s: %s has no dimension %q; it has %s", action, v.label(), dim, quoted(v.dims))
}

// quoted lists names for messages.
func quoted(names []string) string {
	if len(names) == 0 {
		return "none"
	}
	q := make([]string, len(names))
	for i, n := range names {
		q[i] = fmt.Sprintf("%q", n)
	}
	return strings.Join(q, ", ")
}

// Coords returns the names of v's coordinates.
func (v Variable) Coords() []string {
	out := make([]string, len(v.coords))
	for i, c := range v.coords {
		out[i] = c.name
	}
	return out
}

// CoordOf returns a coordinate itself, nil for none: its labels, its attributes.
func (v Variable) CoordOf(name string) *Coord { return findCoord(v.coords, name) }

// HasCoord reports whether v has a coordinate.
func (v Variable) HasCoord(name string) bool { return v.CoordOf(name) != nil }

// Coord returns a coordinate as a variable. A name such as "time.month" is a part of a time
// coordinate. A dimension without coordinate gives its positions.
func (v Variable) Coord(name string) Variable {
	if v.Err() != nil {
		return v
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 && v.CoordOf(name) == nil {
		c := v.Coord(name[:i])
		if c.Err() != nil {
			return c
		}
		return c.Time(name[i+1:])
	}
	c := v.CoordOf(name)
	if c == nil {
		n := v.dimLen(name)
		if n < 0 {
			return v.fail("ndarray: %s has no coordinate %q; it has %s", v.label(), name, quoted(v.Coords()))
		}
		c = newCoord(name, []string{name}, nil, positions(n))
	}
	return v.fromCoord(c)
}

// positions returns the labels 0, 1, ... n-1.
func positions(n int64) *Labels {
	ids := make([]int64, n)
	for i := range ids {
		ids[i] = int64(i)
	}
	return intLabels(ids)
}

// fromCoord returns c as a variable with those of v's coordinates that fit its dimensions.
func (v Variable) fromCoord(c *Coord) Variable {
	out := Variable{name: c.name, dims: c.dims, array: c.Array(), attrs: c.attrs, host: c.host, global: v.global, unlimited: v.unlimited}
	for _, x := range v.coords {
		if subset(x.dims, c.dims) {
			out.coords = append(out.coords, x)
		}
	}
	if findCoord(out.coords, c.name) == nil {
		out.coords = append(out.coords, c)
	}
	return out
}

// subset reports whether every name of a is in b.
func subset(a, b []string) bool {
	for _, s := range a {
		if !slices.Contains(b, s) {
			return false
		}
	}
	return true
}

// timeCoord returns the coordinate that dates v's positions: the first time that is a dimension
// coordinate, else the first scalar one; nil for none.
func (v Variable) timeCoord() *Coord {
	for _, c := range v.coords {
		if c.isDimension() && c.isTime() && c.host != nil {
			return c
		}
	}
	for _, c := range v.coords {
		if len(c.dims) == 0 && c.isTime() && c.host != nil {
			return c
		}
	}
	return nil
}

// Transpose returns v with its dimensions in another order; without names it is reversed. Names
// not given follow in their old order where "..." stands, which is the end by default only if all are given.
func (v Variable) Transpose(dims ...string) Variable {
	if v.Err() != nil {
		return v
	}
	if len(dims) == 0 {
		dims = slices.Clone(v.dims)
		slices.Reverse(dims)
	}
	if i := slices.Index(dims, "..."); i >= 0 {
		dims = slices.Concat(dims[:i], without(v.dims, dims...), dims[i+1:])
	}
	if len(dims) != len(v.dims) || !subset(v.dims, dims) {
		return v.fail("ndarray: transpose: got dimensions %s, want each of %s once", quoted(dims), quoted(v.dims))
	}
	axes := make([]int, len(dims))
	for i, d := range dims {
		axes[i] = v.axis(d)
	}
	out := v
	out.dims = slices.Clone(dims)
	out.array = v.array.Transpose(axes...)
	out.host = nil
	return out
}

// AsType returns v's values converted to a dtype.
func (v Variable) AsType(dt dtype.DType) Variable {
	v.array = v.array.AsType(dt)
	v.host = nil
	return v
}

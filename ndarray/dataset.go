// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// Dataset is variables that share dimensions and coordinates. Open makes one; Close ends it.
type Dataset struct {
	vars   []dataVar
	coords []*Coord
	attrs  formats.Attrs
	dims   []formats.Dim
	only   string // the one variable a URI picked
	close  func() error
	group  *formats.Group
	stored map[string]*stored // of an open file: what its variables are made from
}

// dataVar is a variable of a data set with its role.
type dataVar struct {
	Variable
	plain   bool // without dimension names: behaves as a NumPy array
	support bool // a coordinate, bounds or grid mapping
}

// NewDataset returns a data set of variables in memory, with global attributes.
func NewDataset(attrs formats.Attrs, vars ...Variable) *Dataset {
	ds := &Dataset{attrs: attrs}
	for _, v := range vars {
		v.global = attrs
		ds.vars = append(ds.vars, dataVar{Variable: v})
		for _, c := range v.coords {
			if findCoord(ds.coords, c.name) == nil {
				ds.coords = append(ds.coords, c)
			}
		}
		for i, d := range v.dims {
			if v.Err() == nil && !slices.ContainsFunc(ds.dims, func(x formats.Dim) bool { return x.Name == d }) {
				ds.dims = append(ds.dims, formats.Dim{Name: d, Size: v.Shape()[i], Unlimited: slices.Contains(v.unlimited, d)})
			}
		}
	}
	return ds
}

// Close closes the file. Arrays made from it cannot be computed any more.
func (ds *Dataset) Close() error {
	if ds == nil || ds.close == nil {
		return nil
	}
	f := ds.close
	ds.close = nil
	return f()
}

// Attrs returns the global attributes.
func (ds *Dataset) Attrs() formats.Attrs { return ds.attrs }

// Dims returns the dimensions, those of the groups around included.
func (ds *Dataset) Dims() []formats.Dim { return slices.Clone(ds.dims) }

// Group returns the group the data set was made from, nil for one in memory.
func (ds *Dataset) Group() *formats.Group { return ds.group }

// Has reports whether there is a variable or coordinate of the name.
func (ds *Dataset) Has(name string) bool {
	return ds.find(name) >= 0 || findCoord(ds.coords, name) != nil
}

func (ds *Dataset) find(name string) int {
	return slices.IndexFunc(ds.vars, func(v dataVar) bool { return v.name == name })
}

// Var returns a variable or coordinate; a name that is not there gives one with an error.
func (ds *Dataset) Var(name string) Variable {
	if i := ds.find(name); i >= 0 {
		return ds.vars[i].Variable
	}
	if c := findCoord(ds.coords, name); c != nil {
		return Variable{coords: ds.coords, global: ds.attrs}.fromCoord(c)
	}
	return Variable{name: name}.fail("ndarray: no variable %q; the data set has %s", name, quoted(ds.Names()))
}

// IsPlain reports whether the file names no dimensions for a variable, which then behaves as a NumPy array.
func (ds *Dataset) IsPlain(name string) bool {
	i := ds.find(name)
	return i >= 0 && ds.vars[i].plain
}

// Names returns the names of all variables, coordinates, bounds and grid mappings included, in the file's order.
func (ds *Dataset) Names() []string {
	var out []string
	for _, v := range ds.vars {
		out = append(out, v.name)
	}
	for _, c := range ds.coords {
		if !slices.Contains(out, c.name) {
			out = append(out, c.name)
		}
	}
	return out
}

// Vars returns the names of the data variables: what is not a coordinate, bounds or grid mapping.
func (ds *Dataset) Vars() []string {
	var out []string
	for _, v := range ds.vars {
		if !v.support {
			out = append(out, v.name)
		}
	}
	return out
}

// Coords returns the names of the coordinates.
func (ds *Dataset) Coords() []string {
	out := make([]string, len(ds.coords))
	for i, c := range ds.coords {
		out[i] = c.name
	}
	return out
}

// Coord returns a coordinate as a variable.
func (ds *Dataset) Coord(name string) Variable {
	if c := findCoord(ds.coords, name); c != nil {
		return Variable{coords: ds.coords, global: ds.attrs}.fromCoord(c)
	}
	return Variable{name: name}.fail("ndarray: no coordinate %q; the data set has %s", name, quoted(ds.Coords()))
}

// Main returns the variable the URI picked, or the one data variable where there is exactly one.
func (ds *Dataset) Main() (Variable, bool) {
	if ds.only != "" {
		return ds.Var(ds.only), true
	}
	if names := ds.Vars(); len(names) == 1 {
		return ds.Var(names[0]), true
	}
	return Variable{}, false
}

// Map returns the data set of f's results for each data variable; what it leaves out (ok false) is dropped.
func (ds *Dataset) Map(f func(v Variable) (Variable, bool)) *Dataset {
	var out []Variable
	for _, v := range ds.vars {
		if v.support {
			continue
		}
		if w, ok := f(v.Variable); ok {
			out = append(out, w)
		}
	}
	r := NewDataset(ds.attrs, out...)
	return r
}

// Reduce returns the reduction of every data variable that has the dimensions; those that have
// none of them stay as they are. A dimension that no variable has is an error of the first.
func (ds *Dataset) Reduce(op string, o Reduction, dims ...string) *Dataset {
	known := map[string]bool{}
	for _, v := range ds.vars {
		for _, d := range v.dims {
			known[d] = known[d] || !v.support
		}
	}
	for _, d := range dims {
		if !known[d] {
			return NewDataset(ds.attrs, Variable{name: op}.fail("ndarray: %s: no variable of the data set has dimension %q", op, d))
		}
	}
	return ds.Map(func(v Variable) (Variable, bool) {
		var has []string
		for _, d := range dims {
			if v.axis(d) >= 0 {
				has = append(has, d)
			}
		}
		if len(dims) > 0 && len(has) == 0 {
			return v, true
		}
		return v.Reduce(op, o, has...), true
	})
}

// String lists the variables.
func (ds *Dataset) String() string {
	return fmt.Sprintf("data set of %s", quoted(ds.Names()))
}

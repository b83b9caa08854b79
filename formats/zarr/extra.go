// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// extraKey is the member of consolidated metadata under which we keep what Zarr itself cannot say: the exact types of
// numbers in attributes, which dimensions can grow, dimensions that no array has, names of types and of an enumeration's numbers. Other readers
// look past it, and it is no attribute, so that data sets compare equal everywhere.
const extraKey = "arrayrun"

// attrTypes are the types that JSON's numbers do not tell apart; int64 and float64 are what a reader makes of them anyway.
var attrTypes = map[string]reflect.Type{
	"int8": reflect.TypeFor[int8](), "int16": reflect.TypeFor[int16](), "int32": reflect.TypeFor[int32](), "int64": reflect.TypeFor[int64](),
	"uint8": reflect.TypeFor[uint8](), "uint16": reflect.TypeFor[uint16](), "uint32": reflect.TypeFor[uint32](), "uint64": reflect.TypeFor[uint64](),
	"float32": reflect.TypeFor[float32](), "float64": reflect.TypeFor[float64](),
}

// typesOf names the types of the attributes whose values would come back with another, those of the user's among them.
func typesOf(attrs formats.Attrs) object {
	var out object
	for _, a := range attrs {
		if a.Type != nil {
			out = append(out, member{a.Name, a.Type})
			continue
		}
		t := reflect.TypeOf(a.Value)
		if t == nil {
			continue
		}
		name := t.Kind().String()
		if t.Kind() == reflect.Slice {
			name = listKind(reflect.ValueOf(a.Value)).String()
		} else if name == "int64" || name == "float64" {
			continue
		}
		if attrTypes[name] != nil {
			out = append(out, member{a.Name, name})
		}
	}
	return out
}

// listKind is the kind of the elements of a list, or of a list of lists as the first one is.
func listKind(r reflect.Value) reflect.Kind {
	if k := r.Type().Elem().Kind(); k != reflect.Interface || r.Len() == 0 {
		return k
	}
	first := r.Index(0).Elem()
	if first.Kind() == reflect.Slice {
		return listKind(first)
	}
	return reflect.Interface // numbers of JSON
}

// extraOf returns what is to be kept beside the documents of an output, nil for nothing.
func extraOf(spec formats.Spec) object {
	var types object
	add := func(name string, attrs formats.Attrs) {
		if t := typesOf(attrs); t != nil {
			types = append(types, member{name, t})
		}
	}
	add("", spec.Attrs)
	for _, g := range spec.Groups {
		add(g.Path, g.Attrs)
	}
	for _, v := range spec.Vars {
		add(v.Name, v.Attrs)
	}
	var out object
	if types != nil {
		out = append(out, member{"attribute_types", types})
	}
	if dims := dimsOf(spec); dims != nil {
		out = append(out, member{"dimensions", dims})
	}
	if names := namesOf(spec); names != nil {
		out = append(out, member{"types", names})
	}
	var enums object
	for _, v := range spec.Vars {
		if enumerates(v.Stored, v.DType) {
			enums = append(enums, member{v.Name, v.Stored})
		}
	}
	if enums != nil {
		out = append(out, member{"enumerations", enums})
	}
	return out
}

// enumerates reports whether stored describes an enumeration of numbers of the type.
func enumerates(stored any, d dtype.DType) bool {
	m, ok := stored.(map[string]any)
	if !ok {
		return false
	}
	_, named := m["members"].(map[string]any)
	return named && m["enum"] == d.String()
}

// namesOf returns the types that groups name, nil for none: NetCDF-4 has them.
func namesOf(spec formats.Spec) (out object) {
	for _, g := range append([]formats.GroupSpec{{Types: spec.Types}}, spec.Groups...) {
		var types object
		for _, t := range g.Types {
			types = append(types, member{t.Name, t.Stored})
		}
		if types != nil {
			out = append(out, member{g.Path, types})
		}
	}
	return out
}

// dimsOf returns the dimensions of every group, nil where the arrays tell them all.
func dimsOf(spec formats.Spec) object {
	groups := append([]formats.GroupSpec{{Dims: spec.Dims}}, spec.Groups...)
	needed := false
	var out object
	for _, g := range groups {
		dims := object{}
		for _, d := range g.Dims {
			used := slices.ContainsFunc(spec.Vars, func(v formats.VarSpec) bool {
				return slices.Contains(v.Dims, d.Name) && strings.TrimSuffix(path.Dir("/"+v.Name), "/") == strings.TrimSuffix("/"+g.Path, "/")
			})
			needed = needed || d.Unlimited || !used
			dims = append(dims, member{d.Name, object{{"size", d.Size}, {"unlimited", d.Unlimited}}})
		}
		out = append(out, member{g.Path, dims})
	}
	if !needed {
		return nil
	}
	return out
}

// extra is what extraOf kept, read again.
type extra struct {
	types map[string]object
	dims  map[string][]formats.Dim
	names map[string][]formats.Type
	enums map[string]any
}

// readExtra reads the member; what it does not understand it leaves.
func readExtra(v any) *extra {
	o, ok := v.(object)
	if !ok {
		return nil
	}
	e := &extra{types: map[string]object{}, dims: map[string][]formats.Dim{}, names: map[string][]formats.Type{}, enums: map[string]any{}}
	t, _ := o.get("attribute_types")
	types, _ := t.(object)
	for _, m := range types {
		e.types[m.name], _ = m.value.(object)
	}
	n, _ := o.get("types")
	names, _ := n.(object)
	for _, g := range names {
		list, _ := g.value.(object)
		for _, m := range list {
			e.names[g.name] = append(e.names[g.name], formats.Type{Name: m.name, Stored: plain(m.value)})
		}
	}
	x, _ := o.get("enumerations")
	enums, _ := x.(object)
	for _, m := range enums {
		e.enums[m.name] = plain(m.value)
	}
	d, _ := o.get("dimensions")
	groups, _ := d.(object)
	for _, g := range groups {
		list, _ := g.value.(object)
		dims := []formats.Dim{}
		for _, m := range list {
			x, _ := m.value.(object)
			size, _ := x.get("size")
			grows, _ := x.get("unlimited")
			n, ok := size.(int64)
			if !ok || n < 0 {
				continue
			}
			dims = append(dims, formats.Dim{Name: m.name, Size: n, Unlimited: grows == true})
		}
		e.dims[g.name] = dims
	}
	return e
}

// attributes returns the attributes of the node at path with the types they were written with.
func (e *extra) attributes(path string, o object) formats.Attrs {
	attrs := attributes(o)
	if e == nil {
		return attrs
	}
	for _, m := range e.types[path] {
		for i := range attrs {
			if attrs[i].Name != m.name {
				continue
			}
			name, _ := m.value.(string)
			switch _, described := m.value.(object); {
			case attrTypes[name] != nil:
				attrs[i].Value = typed(attrs[i].Value, attrTypes[name])
			case described, strings.HasPrefix(name, "opaque"):
				attrs[i].Type = plain(m.value)
			}
		}
	}
	return attrs
}

// describe gives an array the names of its numbers.
func (e *extra) describe(path string, m *formats.ArrayMeta) {
	if e != nil && m.Stored == m.DType.String() && enumerates(e.enums[path], m.DType) {
		m.Stored = e.enums[path]
	}
}

// typed returns a number, or a list of them, as the type; v itself where that changes a value.
func typed(v any, t reflect.Type) any {
	one := func(x any) (reflect.Value, bool) {
		r := reflect.ValueOf(x)
		if !r.IsValid() || !r.CanInt() && !r.CanUint() && !r.CanFloat() {
			return r, false
		}
		out := r.Convert(t)
		back := out.Convert(r.Type())
		return out, back.Equal(r) || r.CanFloat() && r.Float() != r.Float()
	}
	list, ok := v.([]any)
	if !ok {
		if out, ok := one(v); ok {
			return out.Interface()
		}
		return v
	}
	if len(list) > 0 {
		if _, nested := list[0].([]any); nested {
			lists := make([]any, len(list))
			for i, x := range list {
				lists[i] = typed(x, t)
			}
			return lists
		}
	}
	out := reflect.MakeSlice(reflect.SliceOf(t), 0, len(list))
	for _, x := range list {
		y, ok := one(x)
		if !ok {
			return v
		}
		out = reflect.Append(out, y)
	}
	return out.Interface()
}

// begin gives a group the dimensions and names of types it was written with; dimensions of arrays follow.
func (e *extra) begin(g *formats.Group, path string) {
	if e != nil {
		g.Dims, g.Types = slices.Clone(e.dims[path]), e.names[path]
	}
}

// inherited reports whether a dimension of an array in the group at path is one of a group above it.
func (e *extra) inherited(group, name string, size int64) bool {
	if e == nil {
		return false
	}
	for group != "" {
		if group = path.Dir(group); group == "." {
			group = ""
		}
		for _, d := range e.dims[group] {
			if d.Name == name {
				return d.Size == size
			}
		}
	}
	return false
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// PlainHDF5 reports whether the output at path, of a member of the family, is one whose attributes are HDF5's rather than NetCDF's: those with several
// axes and bools are what h5py makes of arrays. netCDF-C looks past such; attributes that lie along several axes themselves would
// keep it from opening the file.
func PlainHDF5(path, format string) bool {
	if format != "" {
		return format == "hdf5"
	}
	return slices.Contains([]string{".h5", ".hdf5", ".he5"}, strings.ToLower(filepath.Ext(path)))
}

// Nested reports whether the value of an attribute has several axes. Lists of sequences have one.
func Nested(a formats.Attr) bool {
	if t, ok := a.Type.(map[string]any); ok && t["vlen"] != nil {
		return false
	}
	dims, _ := axes(a.Value)
	return len(dims) > 1
}

// axes returns the lengths of the axes of nested lists and their elements, nil axes for lists that are no array.
func axes(v any) (dims []int, leaves []any) {
	r := reflect.ValueOf(v)
	if !r.IsValid() || r.Kind() != reflect.Slice {
		return nil, []any{v}
	}
	dims = []int{r.Len()}
	var below []int
	for i := range r.Len() {
		d, l := axes(r.Index(i).Interface())
		if i > 0 && !slices.Equal(d, below) {
			return nil, nil
		}
		below, leaves = d, append(leaves, l...)
	}
	return append(dims, below...), leaves
}

// boolType is what h5py makes of bools.
var boolType = map[string]any{"enum": "int8", "members": map[string]any{"FALSE": int8(0), "TRUE": int8(1)}}

// isBools reports whether v is a bool or a list of them.
func isBools(v any) bool {
	r := reflect.TypeOf(v)
	return r != nil && (r.Kind() == reflect.Bool || r.Kind() == reflect.Slice && r.Elem().Kind() == reflect.Bool)
}

// plainHDF5Attr is the message of an attribute for which NetCDF has no type: a scalar that is an array, with one axis as with several, and for
// a bool an enumeration. ok is false for other attributes.
func (w *writer) plainHDF5Attr(heap *metaHeap, a formats.Attr) (m message, ok bool, err error) {
	dims, leaves := axes(a.Value)
	if !w.plain || len(leaves) == 0 || !Nested(a) && (a.Type != nil || !isBools(a.Value)) {
		return m, false, nil
	}
	var element, data []byte
	texts := !slices.ContainsFunc(leaves, func(v any) bool { _, ok := v.(string); return !ok })
	d, b, _, isNumber := numbers.Encode(leaves)
	stored := a.Type
	if stored == nil && isBools(leaves[0]) {
		stored = boolType
	}
	switch {
	case stored != nil:
		t, err := newType(stored, 0)
		if err != nil {
			return m, true, fmt.Errorf("attribute %q: %w", a.Name, err)
		}
		element = t.message()
		for _, v := range leaves {
			if data, err = t.encode(data, v, heap.put); err != nil {
				return m, true, fmt.Errorf("attribute %q: %w", a.Name, err)
			}
		}
	case texts:
		element = typeVlenText()
		for _, v := range leaves {
			addr, i := heap.put([]byte(v.(string)))
			data = vlenRef(data, len(v.(string)), addr, i)
		}
	case isNumber && numberType(d) != nil:
		element, data = numberType(d), b
	default:
		return m, false, nil
	}
	if len(dims) > 0 {
		element = typeArray(element, len(data), dims)
	}
	m, err = attribute(a.Name, element, spaceScalar(), data)
	return m, true, err
}

// typeArray is the datatype message, of version 2, of an array whose elements take size bytes together.
func typeArray(element []byte, size int, dims []int) []byte {
	w := (&buf{}).u(1, 0x2a).u(3, 0).u(4, uint64(size)).u(1, uint64(len(dims))).u(3, 0)
	for _, d := range dims {
		w.u(4, uint64(d))
	}
	for i := range dims {
		w.u(4, uint64(i)) // the order of the axes
	}
	return w.bytes(element).b
}

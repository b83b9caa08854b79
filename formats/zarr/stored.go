// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"reflect"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// storedElem returns the element type that ArrayMeta.Stored describes, of whatever format: the name of a dtype, "S12", "U5", "opaque16",
// "datetime64[ns]", or the fields of a record that lie one behind the other.
func storedElem(stored any, depth int) (elem, bool) {
	switch x := stored.(type) {
	case string:
		for _, k := range []struct {
			prefix string
			kind   byte
		}{{"S", 'S'}, {"U", 'U'}, {"opaque", 'V'}} {
			rest, ok := strings.CutPrefix(x, k.prefix)
			if n, err := strconv.Atoi(rest); ok && err == nil && n > 0 && n <= maxItem/4 {
				return fixed(k.kind, n), true
			}
		}
		if dt, err := dtype.Parse(x); err == nil && dt.String() == x && dt.IsNumeric() {
			return numeric(dt), true
		}
		return storedMoment(x)
	case map[string]any:
		list, _ := x["fields"].([]any)
		if depth > 8 || len(list) == 0 {
			return elem{}, false
		}
		var fields []field
		for _, y := range list {
			f, ok := storedField(y, depth)
			if !ok {
				return elem{}, false
			}
			fields = append(fields, f)
		}
		e, err := structOf(fields, list)
		return e, err == nil
	}
	return elem{}, false
}

// joinCharacters makes fields that are arrays of characters, which NetCDF has for texts, texts of a fixed size: the bytes are the same.
func (e *elem) joinCharacters() {
	for i := range e.fields {
		f := &e.fields[i]
		f.el.joinCharacters()
		if len(f.shape) == 1 && f.of.kind == 'S' && f.of.item == 1 {
			f.el, f.of, f.shape = fixed('S', f.el.item), nil, nil
		}
	}
}

// arrayField returns the name of a field that is an array, "" when there is none.
func (e *elem) arrayField() string {
	for _, f := range e.fields {
		if len(f.shape) > 0 {
			return f.name
		}
		if n := f.el.arrayField(); n != "" {
			return f.name + "." + n
		}
	}
	return ""
}

// storedField reads a name, a type and maybe a shape.
func storedField(v any, depth int) (f field, ok bool) {
	l, _ := v.([]any)
	if len(l) < 2 || len(l) > 3 {
		return f, false
	}
	if f.name, ok = l[0].(string); !ok {
		return f, false
	}
	if f.el, ok = storedElem(l[1], depth+1); !ok || len(l) == 2 {
		return f, ok
	}
	shape, n := reflect.ValueOf(l[2]), 1
	if shape.Kind() != reflect.Slice {
		return f, false
	}
	for i := range shape.Len() {
		d := reflect.ValueOf(shape.Index(i).Interface())
		if !d.CanInt() || d.Int() < 0 || d.Int() > maxItem || n*int(d.Int()) > maxItem {
			return f, false
		}
		n *= int(d.Int())
		f.shape = append(f.shape, d.Int())
	}
	one := f.el
	f.of = &one
	var err error
	f.el, err = repeat(one, n)
	return f, err == nil
}

// storedMoment reads "datetime64[25s]" and the like.
func storedMoment(name string) (elem, bool) {
	for prefix, kind := range map[string]byte{"datetime64": 'M', "timedelta64": 'm'} {
		rest, ok := strings.CutPrefix(name, prefix)
		if !ok {
			continue
		}
		unit := strings.Trim(rest, "[]")
		bare := strings.TrimLeft(unit, "0123456789")
		factor, err := strconv.ParseInt(strings.TrimSuffix(unit, bare), 10, 64)
		if err != nil {
			factor = 1
		}
		return moment(kind, bare, factor), true
	}
	return elem{}, false
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// attrJSON lists, as a JSON list of names, the attributes of a group or variable that stand for values NetCDF has no type for: texts for what they say in
// JSON, "" for null, and 0 and 1 for false and true.
const attrJSON = "_arrayrun_json"

// foldAttrs makes values of JSON that the format has no type for texts, or numbers where they are bools, and lists their names in attrJSON. Lists of
// texts are such values where texts is false: the classic format has none. NetCDF-4 has a compound for complex numbers. plain is PlainHDF5: bools and
// arrays of several axes stay as they are.
func foldAttrs(attrs formats.Attrs, texts, plain bool) (formats.Attrs, error) {
	var names []string
	out := slices.Clone(attrs)
	for i := range out {
		a := &out[i]
		nested := Nested(*a)
		switch {
		case a.Type != nil && !nested, plain && isBools(a.Value), (plain || !nested) && foldComplex(a, texts), plain && nested:
			continue
		}
		a.Type = nil // of arrays of several axes
		switch v := a.Value.(type) {
		case nil:
			a.Value = ""
		case bool:
			a.Value = map[bool]int8{true: 1}[v]
		case []bool:
			numbers := make([]int8, len(v))
			for k, yes := range v {
				numbers[k] = map[bool]int8{true: 1}[yes]
			}
			a.Value = numbers
		case map[string]any:
			if err := toText(a); err != nil {
				return nil, err
			}
		case []string:
			if texts || len(v) == 1 {
				continue
			}
			if err := toText(a); err != nil {
				return nil, err
			}
		case []any:
			if len(v) == 0 {
				a.Value = []int32{} // NetCDF has lists of nothing, of some type
				continue
			}
			if plainList(v, texts) {
				continue
			}
			if err := toText(a); err != nil {
				return nil, err
			}
		default:
			continue
		}
		names = append(names, a.Name)
	}
	if names == nil {
		return out, nil
	}
	if _, taken := attrs.Get(attrJSON); taken {
		return nil, fmt.Errorf("attribute %q: the format needs the name for %q: %w", attrJSON, names, formats.ErrFormat)
	}
	list := formats.Attr{Name: attrJSON, Value: names}
	if err := toText(&list); err != nil {
		return nil, err
	}
	return append(out, list), nil
}

// foldComplex makes complex numbers the records that NetCDF-4 has for them; ok is false where there are none.
func foldComplex(a *formats.Attr, texts bool) (ok bool) {
	_, leaves := axes(a.Value)
	if !texts || a.Type != nil || len(leaves) == 0 {
		return false
	}
	switch leaves[0].(type) {
	case complex64:
		a.Type = complexType(dtype.Complex64)
	case complex128:
		a.Type = complexType(dtype.Complex128)
	default:
		return false
	}
	a.Value = complexRecords(a.Value)
	return true
}

// complexRecords is complexRecord of each number in nested lists.
func complexRecords(v any) any {
	r := reflect.ValueOf(v)
	if r.Kind() != reflect.Slice {
		return complexRecord(v)
	}
	out := make([]any, r.Len())
	for i := range out {
		out[i] = complexRecords(r.Index(i).Interface())
	}
	return out
}

// toText makes the value of an attribute the text it is in JSON.
func toText(a *formats.Attr) error {
	text, err := zarr.AppendJSON(nil, a.Value)
	if err != nil {
		return fmt.Errorf("attribute %q: %w", a.Name, err)
	}
	a.Value = string(text)
	return nil
}

// plainList reports whether a list is numbers of one kind, or texts where there are lists of them.
func plainList(list []any, texts bool) bool {
	n := 0
	for _, x := range list {
		if _, ok := x.(string); ok {
			n++
		}
	}
	if n > 0 {
		return n == len(list) && texts
	}
	_, _, _, ok := numbers.Encode(list)
	return ok
}

// unfoldAttrs undoes foldAttrs. What does not fit its name in the list, because someone has changed it since, stays as it is.
func unfoldAttrs(attrs formats.Attrs) formats.Attrs {
	v, ok := attrs.Get(attrJSON)
	text, isText := v.(string)
	if !ok || !isText {
		return attrs
	}
	list, err := zarr.ParseJSON([]byte(text))
	items, isList := list.([]any)
	if err != nil || !isList {
		return attrs
	}
	names := map[string]bool{}
	for _, x := range items {
		if name, ok := x.(string); ok {
			names[name] = true
		}
	}
	out := attrs.Without(attrJSON)
	for i := range out {
		a := &out[i]
		if a.Type != nil || !names[a.Name] {
			continue
		}
		switch v := a.Value.(type) {
		case int8:
			a.Value = v != 0
		case []int8:
			if slices.ContainsFunc(v, func(x int8) bool { return x != 0 && x != 1 }) {
				continue
			}
			bools := make([]bool, len(v))
			for k, x := range v {
				bools[k] = x != 0
			}
			a.Value = bools
		case string:
			if v == "" {
				a.Value = nil
			} else if value, err := zarr.ParseJSON([]byte(v)); err == nil {
				a.Value = value
			}
		}
	}
	return out
}

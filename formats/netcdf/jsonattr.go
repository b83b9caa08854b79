// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
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
// texts are such values where texts is false: the classic format has none. NetCDF-4 has a compound for complex numbers.
func foldAttrs(attrs formats.Attrs, texts bool) (formats.Attrs, error) {
	var names []string
	out := slices.Clone(attrs)
	for i := range out {
		a := &out[i]
		if a.Type != nil {
			continue
		}
		switch v := a.Value.(type) {
		case complex64, complex128:
			if texts {
				d := dtype.Complex128
				if _, short := v.(complex64); short {
					d = dtype.Complex64
				}
				a.Type, a.Value = complexType(d), complexRecord(v)
			}
			continue
		case nil:
			a.Value = ""
		case bool:
			a.Value = map[bool]int8{true: 1}[v]
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

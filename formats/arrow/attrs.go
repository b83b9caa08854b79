// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// ownKey is the metadata entry that holds what texts cannot: the dimensions and which attributes are numbers.
const ownKey = "arrayrun"

// note is the value of ownKey, as JSON.
type note struct {
	Dims   *[]string         `json:"dims,omitempty"`   // of the variable: none for a scalar; nil: not recorded
	Types  map[string]string `json:"types,omitempty"`  // dtypes of attributes that are no texts
	Stored string            `json:"stored,omitempty"` // the dtype the values had
}

// typeNames are what note.Types calls lists of texts, of values of several kinds, truths and nothing.
const (
	typeTexts = "texts"
	typeBool  = "bool"
	typeJSON  = "json"
)

// entries returns attributes as metadata: texts as they are, others as JSON with their types in the note.
func entries(attrs formats.Attrs, n note) []pair {
	var out []pair
	for _, a := range attrs {
		if a.Name == ownKey {
			continue
		}
		if s, ok := a.Value.(string); ok {
			out = append(out, pair{a.Name, s})
			continue
		}
		typ, text := typeJSON, ""
		if d, _, count, ok := numbers.Encode(a.Value); ok {
			typ, text = d.String(), numberText(a.Value, count)
		} else {
			switch a.Value.(type) {
			case bool:
				typ = typeBool
			case []string:
				typ = typeTexts
			}
			b, err := json.Marshal(a.Value)
			if err != nil {
				typ, b = "", []byte(fmt.Sprint(a.Value)) // complex numbers
			}
			text = string(b)
		}
		if typ != "" {
			if n.Types == nil {
				n.Types = map[string]string{}
			}
			n.Types[a.Name] = typ
		}
		out = append(out, pair{a.Name, text})
	}
	if n.Dims == nil && n.Types == nil && n.Stored == "" {
		return out
	}
	b, err := json.Marshal(n)
	if err != nil { // it holds texts only
		panic(err)
	}
	return append(out, pair{ownKey, string(b)})
}

// numberText spells a number, or a list of them, with the digits that read back as the same.
func numberText(v any, count int) string {
	r := reflect.ValueOf(v)
	one := func(r reflect.Value) string {
		for r.Kind() == reflect.Interface {
			r = r.Elem()
		}
		switch r.Kind() {
		case reflect.Float32:
			return strconv.FormatFloat(r.Float(), 'g', -1, 32)
		case reflect.Float64:
			return strconv.FormatFloat(r.Float(), 'g', -1, 64)
		}
		return fmt.Sprint(r.Interface())
	}
	if r.Kind() != reflect.Slice {
		return one(r)
	}
	parts := make([]string, count)
	for i := range parts {
		parts[i] = one(r.Index(i))
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

// attributes is the inverse of entries. Entries of foreign files are texts.
func attributes(meta []pair) (formats.Attrs, note) {
	var n note
	for _, p := range meta {
		if p.key == ownKey {
			if json.Unmarshal([]byte(p.value), &n) != nil {
				n = note{}
			}
		}
	}
	var out formats.Attrs
	seen := map[string]bool{ownKey: true}
	for _, p := range meta {
		if seen[p.key] {
			continue
		}
		seen[p.key] = true
		var v any = strings.ToValidUTF8(p.value, "\ufffd")
		if t := n.Types[p.key]; t != "" {
			if x, ok := typed(t, p.value); ok {
				v = x
			}
		}
		out = append(out, formats.Attr{Name: strings.ToValidUTF8(p.key, "\ufffd"), Value: v})
	}
	return out, n
}

// typed reads the text of a value of the named type.
func typed(t, text string) (any, bool) {
	switch t {
	case typeBool:
		v, err := strconv.ParseBool(text)
		return v, err == nil
	case typeTexts:
		var v []string
		err := json.Unmarshal([]byte(text), &v)
		return v, err == nil
	case typeJSON:
		var v any
		err := json.Unmarshal([]byte(text), &v)
		return v, err == nil
	}
	d, err := dtype.Parse(t)
	if err != nil {
		return nil, false
	}
	parts := strings.Split(strings.Trim(text, "[]"), ",")
	var b []byte
	for _, p := range parts {
		if b, err = appendNumber(b, d, strings.TrimSpace(p)); err != nil {
			return nil, false
		}
	}
	v, ok := numbers.Decode(d, b)
	return v, ok
}

// appendNumber appends the little-endian bytes of the number a text spells.
func appendNumber(b []byte, d dtype.DType, text string) ([]byte, error) {
	bits := 8 * d.Size()
	var u uint64
	switch d.Kind() {
	case dtype.KindInt:
		n, err := strconv.ParseInt(text, 10, bits)
		if err != nil {
			return nil, err
		}
		u = uint64(n)
	case dtype.KindUint:
		n, err := strconv.ParseUint(text, 10, bits)
		if err != nil {
			return nil, err
		}
		u = n
	case dtype.KindFloat:
		x, err := strconv.ParseFloat(text, bits)
		if err != nil {
			return nil, err
		}
		switch d {
		case dtype.Float64:
			u = math.Float64bits(x)
		case dtype.Float32:
			u = uint64(math.Float32bits(float32(x)))
		default:
			return nil, fmt.Errorf("attribute of dtype %v", d)
		}
	default:
		return nil, fmt.Errorf("attribute of dtype %v", d)
	}
	var e [8]byte
	le.PutUint64(e[:], u)
	return append(b, e[:d.Size()]...), nil
}

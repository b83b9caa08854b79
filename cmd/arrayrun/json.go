// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"strconv"
	"strings"
)

// object is a JSON object that keeps the order of its members: files have one,
// and people compare outputs by eye.
type object []member

type member struct {
	name  string
	value any
}

func (o *object) set(name string, value any) { *o = append(*o, member{name, value}) }

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		k, err := plainJSON(m.name)
		if err != nil {
			return nil, err
		}
		b.Write(k)
		b.WriteByte(':')
		v, err := plainJSON(m.value)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.name, err)
		}
		b.Write(v)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// plainJSON is json.Marshal without the escaping of <, > and & meant for web pages.
func plainJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimRight(b.Bytes(), "\n"), nil
}

// number is a float in JSON: NaN and infinities are strings, a whole number
// keeps ".0" so that readers see a float, the digits are the shortest that give the value back.
type number float64

// MarshalJSON writes the number.
func (n number) MarshalJSON() ([]byte, error) {
	x := float64(n)
	switch {
	case math.IsNaN(x):
		return []byte(`"NaN"`), nil
	case math.IsInf(x, 1):
		return []byte(`"Infinity"`), nil
	case math.IsInf(x, -1):
		return []byte(`"-Infinity"`), nil
	}
	s := strconv.FormatFloat(x, 'g', -1, 64)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return []byte(s), nil
}

// jsonValue turns an attribute's value into what json.Marshal prints by the
// contract of info: numbers keep their value, complex numbers are [re, im].
func jsonValue(v any) any {
	switch v := v.(type) {
	case nil, string, bool, number, object:
		return v
	case float32:
		return number(v)
	case float64:
		return number(v)
	case complex64:
		return []any{number(real(v)), number(imag(v))}
	case complex128:
		return []any{number(real(v)), number(imag(v))}
	case []byte: // json would print base64
		return listValue(reflect.ValueOf(v))
	}
	r := reflect.ValueOf(v)
	switch r.Kind() {
	case reflect.Slice, reflect.Array:
		return listValue(r)
	case reflect.Map:
		out := map[string]any{}
		for _, k := range r.MapKeys() {
			out[fmt.Sprint(k.Interface())] = jsonValue(r.MapIndex(k).Interface())
		}
		return out
	}
	return v
}

func listValue(r reflect.Value) []any {
	out := make([]any, r.Len())
	for i := range out {
		out[i] = jsonValue(r.Index(i).Interface())
	}
	return out
}

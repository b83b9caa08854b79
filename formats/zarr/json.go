// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/arrayrun/arrayrun/formats"
)

// Why a JSON reader of its own: metadata documents hold bare NaN and Infinity (Python
// writes them), integers up to 2^64-1 that must stay exact, and members whose order is the user's.

// maxDepth bounds the nesting of a metadata document.
const maxDepth = 200

// object is a JSON object with its members in the order of the document.
type object []member

type member struct {
	name  string
	value any
}

// get returns the value of the last member with the name, as every other reader does.
func (o object) get(name string) (any, bool) {
	for i := len(o) - 1; i >= 0; i-- {
		if o[i].name == name {
			return o[i].value, true
		}
	}
	return nil, false
}

// parse reads a document: object, []any, string, bool, nil, int64, uint64 or float64.
func parse(b []byte) (any, error) {
	p := parser{b: b}
	v, err := p.value(0)
	if err == nil {
		if p.space(); p.i < len(b) {
			err = p.fail("something behind the document")
		}
	}
	return v, err
}

// ParseJSON reads a JSON text as metadata documents are read: bare NaN and infinities, integers exact as int64 or uint64. Objects
// become maps.
func ParseJSON(b []byte) (any, error) {
	v, err := parse(b)
	return plain(v), err
}

type parser struct {
	b []byte
	i int
}

func (p *parser) fail(what string) error {
	return fmt.Errorf("JSON: %s at byte %d of %d: %w", what, p.i, len(p.b), formats.ErrCorrupt)
}

func (p *parser) space() {
	for p.i < len(p.b) && (p.b[p.i] == ' ' || p.b[p.i] == '\n' || p.b[p.i] == '\t' || p.b[p.i] == '\r') {
		p.i++
	}
}

// words are the bare words.
var words = []struct {
	text  string
	value any
}{{"true", true}, {"false", false}, {"null", nil}, {"NaN", quietNaN}, {"Infinity", math.Inf(1)}, {"-Infinity", math.Inf(-1)}}

func (p *parser) value(depth int) (any, error) {
	if depth > maxDepth {
		return nil, p.fail("nesting too deep")
	}
	p.space()
	if p.i == len(p.b) {
		return nil, p.fail("document cut off")
	}
	switch p.b[p.i] {
	case '{':
		return p.object(depth)
	case '[':
		return p.array(depth)
	case '"':
		return p.text()
	}
	for _, w := range words {
		if len(p.b)-p.i >= len(w.text) && string(p.b[p.i:p.i+len(w.text)]) == w.text {
			p.i += len(w.text)
			return w.value, nil
		}
	}
	return p.number()
}

// next skips space and reports whether c follows; it is then consumed.
func (p *parser) next(c byte) bool {
	p.space()
	if p.i < len(p.b) && p.b[p.i] == c {
		p.i++
		return true
	}
	return false
}

func (p *parser) object(depth int) (any, error) {
	p.i++
	o := object{}
	if p.next('}') {
		return o, nil
	}
	for {
		p.space()
		if p.i == len(p.b) || p.b[p.i] != '"' {
			return nil, p.fail("no member name")
		}
		name, err := p.text()
		if err != nil {
			return nil, err
		}
		if !p.next(':') {
			return nil, p.fail("no colon")
		}
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		o = append(o, member{name, v})
		if p.next('}') {
			return o, nil
		}
		if !p.next(',') {
			return nil, p.fail("no comma")
		}
	}
}

func (p *parser) array(depth int) (any, error) {
	p.i++
	a := []any{}
	if p.next(']') {
		return a, nil
	}
	for {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
		if p.next(']') {
			return a, nil
		}
		if !p.next(',') {
			return nil, p.fail("no comma")
		}
	}
}

func (p *parser) text() (string, error) {
	p.i++
	start := p.i
	for p.i < len(p.b) && p.b[p.i] != '"' && p.b[p.i] != '\\' {
		p.i++
	}
	out := p.b[start:p.i:p.i]
	for p.i < len(p.b) {
		c := p.b[p.i]
		p.i++
		switch c {
		case '"':
			if !utf8.Valid(out) {
				return "", p.fail("text that is not UTF-8")
			}
			return string(out), nil
		case '\\':
			var err error
			if out, err = p.escape(out); err != nil {
				return "", err
			}
		default:
			out = append(out, c)
		}
	}
	return "", p.fail("text cut off")
}

var escapes = map[byte]byte{'"': '"', '\\': '\\', '/': '/', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t'}

func (p *parser) escape(out []byte) ([]byte, error) {
	if p.i == len(p.b) {
		return nil, p.fail("text cut off")
	}
	c := p.b[p.i]
	p.i++
	if c != 'u' {
		e, ok := escapes[c]
		if !ok {
			return nil, p.fail("unknown escape")
		}
		return append(out, e), nil
	}
	r, err := p.hex4()
	if err != nil {
		return nil, err
	}
	if utf16.IsSurrogate(r) && p.i+1 < len(p.b) && p.b[p.i] == '\\' && p.b[p.i+1] == 'u' {
		p.i += 2
		low, err := p.hex4()
		if err != nil {
			return nil, err
		}
		r = utf16.DecodeRune(r, low)
	}
	return utf8.AppendRune(out, r), nil
}

func (p *parser) hex4() (rune, error) {
	if p.i+4 > len(p.b) {
		return 0, p.fail("text cut off")
	}
	n, err := strconv.ParseUint(string(p.b[p.i:p.i+4]), 16, 32)
	if err != nil {
		return 0, p.fail("bad \\u escape")
	}
	p.i += 4
	return rune(n), nil
}

func (p *parser) number() (any, error) {
	start, float := p.i, false
	for p.i < len(p.b) {
		c := p.b[p.i]
		if c == '.' || c == 'e' || c == 'E' {
			float = true
		} else if (c < '0' || c > '9') && c != '-' && c != '+' {
			break
		}
		p.i++
	}
	t := string(p.b[start:p.i])
	if t == "" {
		return nil, p.fail("no value")
	}
	if !float {
		if n, err := strconv.ParseInt(t, 10, 64); err == nil {
			return n, nil
		}
		if n, err := strconv.ParseUint(t, 10, 64); err == nil {
			return n, nil
		}
	}
	f, err := strconv.ParseFloat(t, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fail("bad number")
	}
	return f, nil
}

// plain turns objects into maps: what an attribute's value may hold.
func plain(v any) any {
	switch x := v.(type) {
	case object:
		m := make(map[string]any, len(x))
		for _, e := range x {
			m[e.name] = plain(e.value)
		}
		return m
	case []any:
		out := make([]any, len(x))
		for i, e := range x {
			out[i] = plain(e)
		}
		return out
	}
	return v
}

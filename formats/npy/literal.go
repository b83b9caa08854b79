// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// literal reads the Python literals a header is made of: dictionaries with text keys,
// tuples and lists ([]any), texts, integers, True, False and None.
type literal struct {
	s string
	i int
}

func (p *literal) fail(what string) error {
	return fmt.Errorf("header: %s at character %d: %w", what, p.i, formats.ErrCorrupt)
}

func (p *literal) space() {
	for p.i < len(p.s) && strings.IndexByte(" \n\t\r", p.s[p.i]) >= 0 {
		p.i++
	}
}

func (p *literal) next(c byte) bool {
	p.space()
	if p.i < len(p.s) && p.s[p.i] == c {
		p.i++
		return true
	}
	return false
}

var constants = []struct {
	text  string
	value any
}{{"True", true}, {"False", false}, {"None", nil}}

func (p *literal) value(depth int) (any, error) {
	p.space()
	if p.i == len(p.s) || depth > 32 {
		return nil, p.fail("cut off or nested too deeply")
	}
	switch c := p.s[p.i]; c {
	case '{':
		return p.dict(depth)
	case '(':
		return p.sequence(')', depth)
	case '[':
		return p.sequence(']', depth)
	case '\'', '"':
		return p.text(c)
	}
	for _, c := range constants {
		if strings.HasPrefix(p.s[p.i:], c.text) {
			p.i += len(c.text)
			return c.value, nil
		}
	}
	start := p.i
	for p.i < len(p.s) && (p.s[p.i] >= '0' && p.s[p.i] <= '9' || p.s[p.i] == '-') {
		p.i++
	}
	n, err := strconv.ParseInt(p.s[start:p.i], 10, 64)
	if err != nil {
		return nil, p.fail("no literal")
	}
	if p.i < len(p.s) && p.s[p.i] == 'L' { // a long of Python 2
		p.i++
	}
	return n, nil
}

func (p *literal) dict(depth int) (any, error) {
	p.i++
	d := map[string]any{}
	for !p.next('}') {
		p.space()
		if p.i == len(p.s) || p.s[p.i] != '\'' && p.s[p.i] != '"' {
			return nil, p.fail("no key")
		}
		k, err := p.text(p.s[p.i])
		if err != nil {
			return nil, err
		}
		if !p.next(':') {
			return nil, p.fail("no colon")
		}
		if d[k], err = p.value(depth + 1); err != nil {
			return nil, err
		}
		if !p.next(',') && !(p.i < len(p.s) && p.s[p.i] == '}') {
			return nil, p.fail("no comma")
		}
	}
	return d, nil
}

func (p *literal) sequence(end byte, depth int) (any, error) {
	p.i++
	out := []any{}
	for !p.next(end) {
		v, err := p.value(depth + 1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
		if !p.next(',') && !(p.i < len(p.s) && p.s[p.i] == end) {
			return nil, p.fail("no comma")
		}
	}
	return out, nil
}

// text reads a quoted text; the only escapes a field name needs are quote and backslash.
func (p *literal) text(quote byte) (string, error) {
	p.i++
	var b strings.Builder
	for p.i < len(p.s) {
		c := p.s[p.i]
		p.i++
		switch {
		case c == quote:
			return b.String(), nil
		case c == '\\' && p.i < len(p.s):
			b.WriteByte(p.s[p.i])
			p.i++
		default:
			b.WriteByte(c)
		}
	}
	return "", p.fail("text cut off")
}

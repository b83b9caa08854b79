// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"fmt"
	"math/bits"
	"strconv"
	"strings"
)

// templates renders texts with {{ expressions }} of Jinja in them: names, texts, integers, + - * // % and ~,
// parentheses, and calls of other templates with named arguments.
type templates struct {
	text  map[string]string
	steps int // of the text being rendered
	total int // of all before it
	texts int
}

// Limits of rendering: templates come with the data.
const (
	maxRenderDepth = 8       // of templates within templates
	maxParens      = 32      // of expressions within expressions
	maxSteps       = 1000    // of one text, with the templates in it
	freeSteps      = 1 << 20 // of a document; its texts may take a few more each
)

// value is what an expression has: a text or an integer.
type value struct {
	text   string
	n      int64
	isText bool
}

func (v value) String() string {
	if v.isText {
		return v.text
	}
	return strconv.FormatInt(v.n, 10)
}

// start is called before each text that is rendered.
func (t *templates) start() error {
	t.total += t.steps
	t.steps = 0
	if t.texts++; t.total > freeSteps+16*t.texts {
		return fmt.Errorf("templates take more than %d steps: %w", t.total, ErrDamaged)
	}
	return nil
}

// render replaces the expressions in s. vars come before templates of their names.
func (t *templates) render(s string, vars []variable, depth int) (string, error) {
	if depth > maxRenderDepth {
		return "", fmt.Errorf("templates within templates are nested more than %d deep: %w", maxRenderDepth, ErrDamaged)
	}
	if !strings.Contains(s, "{{") && !strings.Contains(s, "{%") {
		return s, nil
	}
	var out strings.Builder
	for {
		text, rest, found := strings.Cut(s, "{{")
		if strings.Contains(text, "{%") || strings.Contains(text, "{#") {
			return "", fmt.Errorf("statements and comments of Jinja are not known: %w", ErrDamaged)
		}
		out.WriteString(text)
		if out.Len() > maxExpandedURL {
			return "", fmt.Errorf("it grows beyond %d bytes: %w", maxExpandedURL, ErrDamaged)
		}
		if !found {
			return out.String(), nil
		}
		x := &expression{t: t, s: rest, vars: vars, depth: depth}
		v, err := x.sum()
		if err == nil && !x.take("}}") {
			err = x.bad("want }}")
		}
		if err != nil {
			return "", err
		}
		out.WriteString(v.String())
		s = x.s
	}
}

// expression reads and evaluates the expression at the start of s.
type expression struct {
	t     *templates
	s     string
	vars  []variable
	depth int
	inner int
}

func (x *expression) bad(what string) error {
	return fmt.Errorf("%s before %.40q: %w", what, x.s, ErrDamaged)
}

func (x *expression) take(token string) bool {
	x.s = strings.TrimLeft(x.s, " \t\r\n")
	if !strings.HasPrefix(x.s, token) {
		return false
	}
	x.s = x.s[len(token):]
	return true
}

func (x *expression) sum() (value, error) {
	if x.inner++; x.inner > maxParens {
		return value{}, x.bad("parentheses nested too deep")
	}
	defer func() { x.inner-- }()
	v, err := x.product()
	for err == nil {
		switch {
		case x.take("+"):
			v, err = x.apply('+', v, x.product)
		case x.take("-"):
			v, err = x.apply('-', v, x.product)
		case x.take("~"):
			v, err = x.apply('~', v, x.product)
		default:
			return v, nil
		}
	}
	return v, err
}

func (x *expression) product() (value, error) {
	v, err := x.factor()
	for err == nil {
		switch {
		case x.take("//"):
			v, err = x.apply('/', v, x.factor)
		case x.take("**"), x.take("/"):
			return v, x.bad("** and / are not known, // is")
		case x.take("*"):
			v, err = x.apply('*', v, x.factor)
		case x.take("%"):
			v, err = x.apply('%', v, x.factor)
		case x.take("|"), x.take("."), x.take("["):
			return v, x.bad("filters, methods and indexes are not known")
		default:
			return v, nil
		}
	}
	return v, err
}

func (x *expression) apply(op byte, a value, right func() (value, error)) (value, error) {
	b, err := right()
	if err != nil {
		return a, err
	}
	long := len(a.text)+len(b.text) > maxExpandedURL
	switch {
	case long:
		return a, x.bad("a text that is too long")
	case op == '~':
		return value{text: a.String() + b.String(), isText: true}, nil
	case a.isText && b.isText && op == '+':
		return value{text: a.text + b.text, isText: true}, nil
	case a.isText && op == '%':
		return x.format(a.text, b)
	case a.isText || b.isText:
		return a, x.bad("a text where a number is wanted")
	}
	n, ok := a.n, true
	switch op {
	case '+':
		n = a.n + b.n
		ok = (n > a.n) == (b.n > 0) || b.n == 0
	case '-':
		n = a.n - b.n
		ok = (n < a.n) == (b.n > 0) || b.n == 0
	case '*':
		hi, lo := bits.Mul64(magnitude(a.n), magnitude(b.n))
		n, ok = a.n*b.n, hi == 0 && lo < 1<<63
	default: // as Python's: rounded down
		if ok = b.n != 0 && !(b.n == -1 && a.n == -1<<63); !ok {
			break
		}
		q, r := a.n/b.n, a.n%b.n
		if r != 0 && (r < 0) != (b.n < 0) {
			q, r = q-1, r+b.n
		}
		if n = q; op == '%' {
			n = r
		}
	}
	if !ok {
		return a, x.bad("arithmetic beyond 64 bits, or a division by zero,")
	}
	return value{n: n}, nil
}

func magnitude(n int64) uint64 {
	if n < 0 {
		return -uint64(n)
	}
	return uint64(n)
}

// format is Python's % with one %s, %d or %05d.
func (x *expression) format(text string, v value) (value, error) {
	head, rest, ok := strings.Cut(text, "%")
	i := strings.IndexAny(rest, "ds")
	if !ok || i < 0 || i > 3 || strings.Trim(rest[:i], "0123456789") != "" || rest[i] == 'd' && v.isText || strings.Contains(rest[i:], "%") {
		return v, x.bad("a format that is not one of %s, %d and %05d")
	}
	width, _ := strconv.Atoi(rest[:i]) // of up to three digits
	s := v.String()
	pad := " "
	if strings.HasPrefix(rest, "0") && rest[i] == 'd' {
		pad = "0"
	}
	sign := ""
	if pad == "0" && strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	s = sign + strings.Repeat(pad, max(width-len(s)-len(sign), 0)) + s
	return value{text: head + s + rest[i+1:], isText: true}, nil
}

func (x *expression) factor() (value, error) {
	if x.t.steps++; x.t.steps > maxSteps {
		return value{}, fmt.Errorf("it takes more than %d steps: %w", maxSteps, ErrDamaged)
	}
	negative := false
	for x.take("-") {
		negative = !negative
	}
	v, err := x.atom()
	if err == nil && negative {
		return x.apply('-', value{}, func() (value, error) { return v, nil })
	}
	return v, err
}

func (x *expression) atom() (value, error) {
	if x.take("(") {
		v, err := x.sum()
		if err == nil && !x.take(")") {
			err = x.bad("want )")
		}
		return v, err
	}
	if x.s == "" {
		return value{}, x.bad("want a value")
	}
	switch c := x.s[0]; {
	case c == '"' || c == '\'':
		end := strings.IndexByte(x.s[1:], c)
		if end < 0 || strings.IndexByte(x.s[1:1+end], '\\') >= 0 {
			return value{}, x.bad("want a text without escapes")
		}
		v := value{text: x.s[1 : 1+end], isText: true}
		x.s = x.s[end+2:]
		return v, nil
	case '0' <= c && c <= '9':
		i := 0
		for i < len(x.s) && '0' <= x.s[i] && x.s[i] <= '9' {
			i++
		}
		n, err := strconv.ParseInt(x.s[:i], 10, 64)
		if err != nil {
			return value{}, x.bad("an integer beyond 64 bits")
		}
		x.s = x.s[i:]
		return value{n: n}, nil
	}
	name := x.name()
	if name == "" {
		return value{}, x.bad("want a value")
	}
	for _, v := range x.vars {
		if v.name == name {
			return v.value, nil
		}
	}
	text, ok := x.t.text[name]
	if !ok {
		return value{}, x.bad(fmt.Sprintf("%.50q is neither a template nor a dimension", name))
	}
	args, err := x.arguments()
	if err != nil {
		return value{}, err
	}
	out, err := x.t.render(text, args, x.depth+1)
	return value{text: out, isText: true}, err
}

func (x *expression) name() string {
	x.s = strings.TrimLeft(x.s, " \t\r\n")
	i := 0
	for i < len(x.s) {
		c := x.s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			break
		}
		i++
	}
	name := x.s[:i]
	x.s = x.s[i:]
	return name
}

// arguments reads (name=value, ...), if it is there.
func (x *expression) arguments() ([]variable, error) {
	if !x.take("(") || x.take(")") {
		return nil, nil
	}
	var out []variable
	for {
		name := x.name()
		if name == "" || !x.take("=") || len(out) > maxDimensions {
			return nil, x.bad("want a few arguments with names")
		}
		v, err := x.sum()
		if err != nil {
			return nil, err
		}
		out = append(out, variable{name, v})
		if x.take(")") {
			return out, nil
		}
		if !x.take(",") {
			return nil, x.bad("want a comma or )")
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package expr

import "fmt"

// maxDepth bounds how deep expressions nest, so that no text can exhaust the stack.
const maxDepth = 400

// Parse returns the statements of a text: "name = expression" or expressions, separated by newlines
// or ";". What is not part of the language gives an *Error that says what to write instead.
func Parse(src string) ([]Statement, error) {
	toks, err := scan(src)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	var out []Statement
	for {
		for p.is(";") || p.cur().kind == kNewline {
			p.i++
		}
		if p.cur().kind == kEOF {
			break
		}
		s, err := p.statement()
		if err != nil {
			return nil, err
		}
		out = append(out, s)
		if !p.is(";") && p.cur().kind != kNewline && p.cur().kind != kEOF {
			return nil, p.unexpected("an operator or the end of the statement")
		}
	}
	if len(out) == 0 {
		return nil, Pos{1, 1}.errorf("the expression is empty")
	}
	return out, nil
}

// parser walks the tokens of one text.
type parser struct {
	toks  []token
	i     int
	depth int
}

func (p *parser) cur() token        { return p.toks[p.i] }
func (p *parser) is(op string) bool { t := p.cur(); return t.kind == kOp && t.text == op }

// take consumes the operator if it is next.
func (p *parser) take(op string) bool {
	if p.is(op) {
		p.i++
		return true
	}
	return false
}

func (t token) describe() string {
	switch t.kind {
	case kEOF:
		return "the end of the expression"
	case kNewline:
		return "the end of the line"
	case kString:
		return fmt.Sprintf("the text %q", t.text)
	}
	return fmt.Sprintf("%q", t.text)
}

func (p *parser) unexpected(want string) *Error {
	t := p.cur()
	if e := refused(t); e != nil {
		return e
	}
	return t.pos.errorf("got %s, want %s", t.describe(), want)
}

// refusals are the words and operators of Python that the language lacks, with the NumPy form.
var refusals = map[string]string{
	"and":    "use & with parentheses: (a > 0) & (b > 0)",
	"or":     "use | with parentheses: (a > 0) | (b > 0)",
	"not":    "use ~: ~(a > 0)",
	"&&":     "use &",
	"||":     "use |",
	"!":      "use ~",
	"in":     "use isin(a, [1, 2])",
	"is":     "use == , or isnull(a) for missing values",
	"if":     "use where(condition, a, b)",
	"else":   "use where(condition, a, b)",
	"for":    "operations work on whole arrays; loops are not part of the language",
	"while":  "operations work on whole arrays; loops are not part of the language",
	"lambda": "functions cannot be defined; write the expression itself, for instance where(a > 0, a, 0)",
	"def":    "functions cannot be defined; name a result with name = expression",
	"import": "the functions are there without a prefix: mean(a)",
	"from":   "the functions are there without a prefix: mean(a)",
	"await":  "it is not part of the language",
	"yield":  "it is not part of the language",
	"return": "the last expression is the result",
	"del":    "it is not part of the language",
	":=":     "use a statement: name = expression",
	"{":      "dictionaries and sets are not part of the language; use keywords: a.isel(time=0)",
	"->":     "it is not part of the language",
	"+=":     "use name = name + expression",
	"-=":     "use name = name - expression",
	"*=":     "use name = name * expression",
	"/=":     "use name = name / expression",
	"//=":    "use name = name // expression",
	"%=":     "use name = name % expression",
	"**=":    "use name = name ** expression",
	"@=":     "use name = name @ expression",
	"&=":     "use name = name & expression",
	"|=":     "use name = name | expression",
	"^=":     "use name = name ^ expression",
	"<<=":    "use name = name << expression",
	">>=":    "use name = name >> expression",
}

// refused returns the error of a token the language lacks, or nil.
func refused(t token) *Error {
	if t.kind != kOp && t.kind != kName {
		return nil
	}
	if hint, ok := refusals[t.text]; ok {
		return t.pos.errorf("%q is not part of the language: %s", t.text, hint)
	}
	return nil
}

// statement = [ name "=" ] expressions.
func (p *parser) statement() (Statement, error) {
	t := p.cur()
	s := Statement{Pos: t.pos}
	if t.kind == kName && p.toks[p.i+1].kind == kOp && p.toks[p.i+1].text == "=" {
		if refused(t) != nil {
			return s, refused(t)
		}
		if isWord(t.text) {
			return s, t.pos.errorf("%s cannot be assigned to", t.text)
		}
		s.Name = t.text
		p.i += 2
	}
	x, err := p.tuple()
	if err != nil {
		return s, err
	}
	if p.is("=") {
		return s, p.cur().pos.errorf("only a name can be assigned to: got %v before \"=\"; write == to compare", x)
	}
	s.X = x
	return s, nil
}

// tuple = expression { "," expression } [ "," ].
func (p *parser) tuple() (Node, error) {
	start := p.cur().pos
	x, err := p.expression()
	if err != nil || !p.is(",") {
		return x, err
	}
	items := []Node{x}
	for p.take(",") {
		t := p.cur()
		if t.kind == kEOF || t.kind == kNewline || p.is(";") || p.is(")") || p.is("]") || p.is("=") {
			break
		}
		if x, err = p.expression(); err != nil {
			return nil, err
		}
		items = append(items, x)
	}
	return &Seq{at: at{start}, Items: items, IsTuple: true}, nil
}

// comparisons is the set of the comparison operators.
var comparisons = map[string]bool{"<": true, "<=": true, ">": true, ">=": true, "==": true, "!=": true}

// expression is a comparison or anything that binds tighter.
func (p *parser) expression() (Node, error) {
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, p.cur().pos.errorf("the expression nests deeper than %d levels", maxDepth)
	}
	x, err := p.binary(0)
	if err != nil {
		return nil, err
	}
	for first := true; ; first = false {
		t := p.cur()
		if t.kind != kOp || !comparisons[t.text] {
			break
		}
		if !first {
			b := x.(*Binary)
			return nil, t.pos.errorf("chained comparison is not part of the language: use & with parentheses: (%v %s %v) & (%v %s ...)", b.X, b.Op, b.Y, b.Y, t.text)
		}
		p.i++
		y, err := p.binary(0)
		if err != nil {
			return nil, err
		}
		x = &Binary{at: at{t.pos}, Op: t.text, X: x, Y: y}
	}
	if e := refused(p.cur()); e != nil {
		return nil, e
	}
	return x, nil
}

// levels lists the binary operators from the loosest; all associate to the left.
var levels = []map[string]bool{
	{"|": true},
	{"^": true},
	{"&": true},
	{"<<": true, ">>": true},
	{"+": true, "-": true},
	{"*": true, "/": true, "//": true, "%": true, "@": true},
}

func (p *parser) binary(level int) (Node, error) {
	if level == len(levels) {
		return p.unary()
	}
	x, err := p.binary(level + 1)
	if err != nil {
		return nil, err
	}
	for {
		t := p.cur()
		if t.kind != kOp || !levels[level][t.text] {
			return x, nil
		}
		p.i++
		y, err := p.binary(level + 1)
		if err != nil {
			return nil, err
		}
		x = &Binary{at: at{t.pos}, Op: t.text, X: x, Y: y}
	}
}

// unary = ( "+" | "-" | "~" ) unary | power.
func (p *parser) unary() (Node, error) {
	t := p.cur()
	if t.kind == kOp && (t.text == "+" || t.text == "-" || t.text == "~") {
		p.depth++
		defer func() { p.depth-- }()
		if p.depth > maxDepth {
			return nil, t.pos.errorf("the expression nests deeper than %d levels", maxDepth)
		}
		p.i++
		x, err := p.unary()
		if err != nil {
			return nil, err
		}
		return &Unary{at: at{t.pos}, Op: t.text, X: x}, nil
	}
	return p.power()
}

// power = primary [ "**" unary ]: it binds tighter than a sign on its left, looser than one on its right.
func (p *parser) power() (Node, error) {
	x, err := p.primary()
	if err != nil {
		return nil, err
	}
	t := p.cur()
	if !p.take("**") {
		return x, nil
	}
	p.depth++
	defer func() { p.depth-- }()
	if p.depth > maxDepth {
		return nil, t.pos.errorf("the expression nests deeper than %d levels", maxDepth)
	}
	y, err := p.unary()
	if err != nil {
		return nil, err
	}
	return &Binary{at: at{t.pos}, Op: "**", X: x, Y: y}, nil
}

// primary = atom { "." name | "(" arguments ")" | "[" indices "]" }.
func (p *parser) primary() (Node, error) {
	x, err := p.atom()
	if err != nil {
		return nil, err
	}
	for {
		t := p.cur()
		switch {
		case p.take("."):
			n := p.cur()
			if n.kind != kName {
				return nil, n.pos.errorf("got %s after \".\", want a name", n.describe())
			}
			p.i++
			x = &Attr{at: at{n.pos}, X: x, Name: n.text}
		case p.take("("):
			if x, err = p.call(x, t.pos); err != nil {
				return nil, err
			}
		case p.take("["):
			if x, err = p.index(x, t.pos); err != nil {
				return nil, err
			}
		default:
			return x, nil
		}
	}
}

func isWord(s string) bool { return s == "True" || s == "False" || s == "None" }

func (p *parser) atom() (Node, error) {
	t := p.cur()
	if e := refused(t); e != nil {
		return nil, e
	}
	switch t.kind {
	case kInt:
		p.i++
		return &Int{at{t.pos}, t.num}, nil
	case kFloat:
		p.i++
		return &Float{at{t.pos}, t.f}, nil
	case kImag:
		p.i++
		return &Imag{at{t.pos}, t.f}, nil
	case kString:
		p.i++
		s := t.text
		for p.cur().kind == kString { // adjacent texts join
			s += p.cur().text
			p.i++
		}
		return &Str{at{t.pos}, s}, nil
	case kName:
		p.i++
		if isWord(t.text) {
			return &Word{at{t.pos}, t.text}, nil
		}
		return &Name{at{t.pos}, t.text}, nil
	}
	switch {
	case p.take("..."):
		return &Ellipsis{at{t.pos}}, nil
	case p.take("["):
		items, _, err := p.items("]", t.pos)
		if err != nil {
			return nil, err
		}
		return &Seq{at: at{t.pos}, Items: items}, nil
	case p.take("("):
		items, comma, err := p.items(")", t.pos)
		if err != nil {
			return nil, err
		}
		if len(items) == 1 && !comma {
			return items[0], nil
		}
		return &Seq{at: at{t.pos}, Items: items, IsTuple: true}, nil
	}
	return nil, p.unexpected("a value")
}

// items reads expressions up to the closing bracket; comma tells whether there was one.
func (p *parser) items(end string, open Pos) (list []Node, comma bool, err error) {
	for !p.take(end) {
		x, err := p.expression()
		if err != nil {
			return nil, comma, err
		}
		list = append(list, x)
		if p.take(",") {
			comma = true
		} else if !p.is(end) {
			return nil, comma, p.unclosed(end, open)
		}
	}
	return list, comma, nil
}

// unclosed is the error of a missing bracket or comma.
func (p *parser) unclosed(end string, open Pos) *Error {
	if p.cur().kind == kEOF {
		return open.errorf("bracket is not closed: got the end of the expression, want %q", end)
	}
	return p.unexpected(fmt.Sprintf("\",\" or %q", end))
}

func (p *parser) call(fn Node, open Pos) (Node, error) {
	c := &Call{at: at{fn.At()}, Fn: fn}
	if a, ok := fn.(*Attr); ok {
		c.pos = a.pos
	}
	seen := map[string]bool{}
	for !p.take(")") {
		t := p.cur()
		if p.is("*") || p.is("**") {
			return nil, t.pos.errorf("unpacking arguments with %s is not part of the language; write them out", t.text)
		}
		if t.kind == kName && p.toks[p.i+1].kind == kOp && p.toks[p.i+1].text == "=" {
			if e := refused(t); e != nil {
				return nil, e
			}
			if seen[t.text] {
				return nil, t.pos.errorf("keyword %s is given twice", t.text)
			}
			seen[t.text] = true
			p.i += 2
			x, err := p.expression()
			if err != nil {
				return nil, err
			}
			c.Kw = append(c.Kw, Keyword{t.text, x, t.pos})
		} else {
			x, err := p.expression()
			if err != nil {
				return nil, err
			}
			if len(c.Kw) > 0 {
				return nil, t.pos.errorf("an argument without a name follows one with a name; put it before")
			}
			c.Args = append(c.Args, x)
		}
		if !p.take(",") && !p.is(")") {
			return nil, p.unclosed(")", open)
		}
	}
	return c, nil
}

func (p *parser) index(x Node, open Pos) (Node, error) {
	n := &Index{at: at{open}, X: x}
	if p.is("]") {
		return nil, p.cur().pos.errorf("an index is missing between \"[\" and \"]\"")
	}
	for !p.take("]") {
		item, err := p.indexItem()
		if err != nil {
			return nil, err
		}
		n.Items = append(n.Items, item)
		if p.take(",") {
			n.IsTuple = true
		} else if !p.is("]") {
			return nil, p.unclosed("]", open)
		}
	}
	return n, nil
}

// indexItem = expression | [ expression ] ":" [ expression ] [ ":" [ expression ] ].
func (p *parser) indexItem() (Node, error) {
	s := &Slice{at: at{p.cur().pos}}
	part := func() (Node, error) {
		if p.is(":") || p.is(",") || p.is("]") {
			return nil, nil
		}
		return p.expression()
	}
	var err error
	if s.Lo, err = part(); err != nil {
		return nil, err
	}
	if !p.take(":") {
		if s.Lo == nil {
			return nil, p.unexpected("an index")
		}
		return s.Lo, nil
	}
	if s.Hi, err = part(); err != nil {
		return nil, err
	}
	if p.take(":") {
		if s.Step, err = part(); err != nil {
			return nil, err
		}
	}
	return s, nil
}

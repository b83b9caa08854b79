// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind is the kind of a token.
type kind uint8

const (
	kEOF kind = iota
	kNewline
	kName
	kInt
	kFloat
	kImag
	kString
	kOp
)

// token is a piece of the text. text is an operator's or name's spelling, or a string's value.
type token struct {
	kind kind
	pos  Pos
	text string
	num  *big.Int
	f    float64
}

// operators lists the spellings, longer ones first. Those Python has and we refuse are here too, so that
// the parser can name them.
var operators = []string{
	"**=", "//=", "<<=", ">>=", "...", "**", "//", "<<", ">>", "<=", ">=", "==", "!=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "@=", "&=", "|=", "^=", "&&", "||",
	"+", "-", "*", "/", "%", "@", "&", "|", "^", "~", "<", ">", "=", "(", ")", "[", "]", "{", "}", ",", ":", ".", ";", "!",
}

// scanner cuts a text into tokens.
type scanner struct {
	src   string
	off   int
	pos   Pos
	depth int // open brackets: newlines inside are blanks
	out   []token
}

// scan returns the tokens of src, ended by an EOF token.
func scan(src string) ([]token, error) {
	s := &scanner{src: src, pos: Pos{1, 1}}
	for {
		more, err := s.next()
		if err != nil {
			return nil, err
		}
		if !more {
			return append(s.out, token{kind: kEOF, pos: s.pos}), nil
		}
	}
}

// advance moves n bytes on.
func (s *scanner) advance(n int) {
	for _, r := range s.src[s.off : s.off+n] {
		if r == '\n' {
			s.pos.Line++
			s.pos.Col = 1
		} else {
			s.pos.Col++
		}
	}
	s.off += n
}

func (s *scanner) emit(t token, n int) {
	t.pos = s.pos
	s.out = append(s.out, t)
	s.advance(n)
}

func (s *scanner) next() (bool, error) {
	if s.off >= len(s.src) {
		return false, nil
	}
	rest := s.src[s.off:]
	c := rest[0]
	switch {
	case c == '\n':
		if s.depth > 0 {
			s.advance(1)
		} else {
			s.emit(token{kind: kNewline, text: "newline"}, 1)
		}
		return true, nil
	case c == ' ' || c == '\t' || c == '\r' || c == '\f':
		s.advance(1)
		return true, nil
	case c == '\\' && strings.HasPrefix(rest[1:], "\n"):
		s.advance(2)
		return true, nil
	case c == '#':
		n := strings.IndexByte(rest, '\n')
		if n < 0 {
			n = len(rest)
		}
		s.advance(n)
		return true, nil
	case c == '\'' || c == '"':
		return true, s.str(rest)
	case c >= '0' && c <= '9' || c == '.' && len(rest) > 1 && rest[1] >= '0' && rest[1] <= '9':
		return true, s.number(rest)
	}
	if n := nameLen(rest); n > 0 {
		s.emit(token{kind: kName, text: rest[:n]}, n)
		return true, nil
	}
	for _, op := range operators {
		if strings.HasPrefix(rest, op) {
			switch op {
			case "(", "[", "{":
				s.depth++
			case ")", "]", "}":
				s.depth = max(0, s.depth-1)
			}
			s.emit(token{kind: kOp, text: op}, len(op))
			return true, nil
		}
	}
	r, _ := utf8.DecodeRuneInString(rest)
	return false, s.pos.errorf("unexpected character %q", r)
}

func nameLen(s string) int {
	for i, r := range s {
		if r == '_' || unicode.IsLetter(r) || i > 0 && unicode.IsDigit(r) {
			continue
		}
		return i
	}
	return len(s)
}

// escapes maps the letter after a backslash to what it stands for.
var escapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", '\\': "\\", '\'': "'", '"': "\"", '0': "\x00", 'a': "\a", 'b': "\b", 'f': "\f", 'v': "\v", '\n': ""}

func (s *scanner) str(rest string) error {
	quote := rest[0]
	var b strings.Builder
	for i := 1; i < len(rest); i++ {
		switch c := rest[i]; {
		case c == quote:
			s.emit(token{kind: kString, text: b.String()}, i+1)
			return nil
		case c == '\n':
			return s.pos.errorf("string is not closed before the end of the line")
		case c == '\\' && i+1 < len(rest):
			i++
			if e, ok := escapes[rest[i]]; ok {
				b.WriteString(e)
			} else {
				b.WriteByte('\\')
				b.WriteByte(rest[i])
			}
		default:
			b.WriteByte(c)
		}
	}
	return s.pos.errorf("string is not closed: got the end of the expression, want %c", quote)
}

// number reads an integer (decimal, 0x, 0o, 0b, with underscores), a float or an imaginary number.
func (s *scanner) number(rest string) error {
	n := 0
	if len(rest) > 1 && rest[0] == '0' && strings.IndexByte("xXoObB", rest[1]) >= 0 {
		n = 2
		for n < len(rest) && (isHex(rest[n]) || rest[n] == '_') {
			n++
		}
		v, ok := new(big.Int).SetString(rest[:n], 0)
		if !ok {
			return s.pos.errorf("%q is not a number", rest[:n])
		}
		return s.endNumber(rest, token{kind: kInt, num: v, text: rest[:n]}, n)
	}
	digits := func() {
		for n < len(rest) && (rest[n] >= '0' && rest[n] <= '9' || rest[n] == '_' && n > 0) {
			n++
		}
	}
	digits()
	isInt := true
	if n < len(rest) && rest[n] == '.' {
		isInt = false
		n++
		digits()
	}
	if n < len(rest) && (rest[n] == 'e' || rest[n] == 'E') {
		k := n + 1
		if k < len(rest) && (rest[k] == '+' || rest[k] == '-') {
			k++
		}
		if k < len(rest) && rest[k] >= '0' && rest[k] <= '9' {
			isInt = false
			n = k
			digits()
		}
	}
	text := rest[:n]
	clean := strings.ReplaceAll(text, "_", "")
	if strings.HasSuffix(text, "_") || strings.Contains(text, "__") {
		return s.pos.errorf("%q is not a number", text)
	}
	isImag := n < len(rest) && (rest[n] == 'j' || rest[n] == 'J')
	if isInt && !isImag {
		if len(clean) > 1 && clean[0] == '0' && strings.Trim(clean, "0") != "" {
			return s.pos.errorf("leading zeros are not allowed in the number %s", text)
		}
		if len(clean) > 4300 {
			return s.pos.errorf("a number of %d digits is too long", len(clean))
		}
		v, ok := new(big.Int).SetString(clean, 10)
		if !ok {
			return s.pos.errorf("%q is not a number", text)
		}
		return s.endNumber(rest, token{kind: kInt, num: v, text: text}, n)
	}
	f, err := strconv.ParseFloat(clean, 64)
	if err != nil && f == 0 {
		return s.pos.errorf("%q is not a number", text)
	}
	t := token{kind: kFloat, f: f, text: text}
	if isImag {
		t.kind = kImag
		n++
	}
	return s.endNumber(rest, t, n)
}

// endNumber emits a number unless a letter follows it.
func (s *scanner) endNumber(rest string, t token, n int) error {
	if k := nameLen(rest[n:]); k > 0 {
		return s.pos.errorf("%q is not a number", rest[:n+k])
	}
	s.emit(t, n)
	return nil
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"strings"
	"testing"
)

func TestParse(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"1 + 2 * 3", "(1 + (2 * 3))"},
		{"-2**2", "(-(2 ** 2))"},
		{"2**-1", "(2 ** (-1))"},
		{"2**3**2", "(2 ** (3 ** 2))"},
		{"-a[0]**2", "(-(a[0] ** 2))"},
		{"a | b ^ c & d << 1 + 2", "(a | (b ^ (c & (d << (1 + 2)))))"},
		{"a < b | c", "(a < (b | c))"},
		{"~a & -b", "((~a) & (-b))"},
		{"a - b - c", "((a - b) - c)"},
		{"a // b % c @ d / e", "((((a // b) % c) @ d) / e)"},
		{"a[1:, ::-1, None, [0, 2], ...]", "a[1:, ::(-1), None, [0, 2], ...]"},
		{"a[:]", "a[:]"},
		{"a[1:2:3]", "a[1:2:3]"},
		{"mean(a, axis=(0, 1), keepdims=True)", "mean(a, axis=(0, 1), keepdims=True)"},
		{"a.mean('time').T", "a.mean(\"time\").T"},
		{"ds['10u'].sel(time='2001')", "ds[\"10u\"].sel(time=\"2001\")"},
		{"()", "()"},
		{"(1,)", "(1,)"},
		{"(1)", "1"},
		{"1, 2", "(1, 2)"},
		{"[1, 2,]", "[1, 2]"},
		{"f(\n  a,\n  b,\n)", "f(a, b)"},
		{"x = 1; y = x\nx + y", "x = 1\ny = x\n(x + y)"},
		{"\n\n a # comment\n;;", "a"},
		{"1_000 + 0xff + 1e-3 + .5 + 5. + 1.5E+2", "(((((1000 + 255) + 0.001) + 0.5) + 5) + 150)"},
		{"2j * 1", "(2j * 1)"},
		{`'a' "b" + 'it\'s\n'`, `("ab" + "it's\n")`},
		{"a == b", "(a == b)"},
		{"a \\\n + b", "(a + b)"},
		{"123456789012345678901234567890", "123456789012345678901234567890"},
		{"température + 1", "(température + 1)"},
		{"a.e", "a.e"},
		{"f()(1)[2].b", "f()(1)[2].b"},
	} {
		st, err := Parse(c.in)
		if err != nil {
			t.Errorf("Parse(%q): %v", c.in, err)
			continue
		}
		var lines []string
		for _, s := range st {
			l := s.X.String()
			if s.Name != "" {
				l = s.Name + " = " + l
			}
			lines = append(lines, l)
		}
		if got := strings.Join(lines, "\n"); got != c.want {
			t.Errorf("Parse(%q) = %s, want %s", c.in, got, c.want)
		}
	}
}

func TestParseErrors(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", "expression 1:1: the expression is empty"},
		{" ;\n", "expression 1:1: the expression is empty"},
		{"a and b", `expression 1:3: "and" is not part of the language: use & with parentheses: (a > 0) & (b > 0)`},
		{"a or b", `expression 1:3: "or" is not part of the language: use | with parentheses: (a > 0) | (b > 0)`},
		{"not a", `expression 1:1: "not" is not part of the language: use ~: ~(a > 0)`},
		{"1 < a < 3", `expression 1:7: chained comparison is not part of the language: use & with parentheses: (1 < a) & (a < ...)`},
		{"lambda x: x", `expression 1:1: "lambda" is not part of the language: functions cannot be defined; write the expression itself, for instance where(a > 0, a, 0)`},
		{"a if b else c", `expression 1:3: "if" is not part of the language: use where(condition, a, b)`},
		{"f(x for x in a)", `expression 1:5: "for" is not part of the language: operations work on whole arrays; loops are not part of the language`},
		{"a +", `expression 1:4: got the end of the expression, want a value`},
		{"a + * b", `expression 1:5: got "*", want a value`},
		{"(a + b", `expression 1:1: bracket is not closed: got the end of the expression, want ")"`},
		{"a[1", `expression 1:2: bracket is not closed: got the end of the expression, want "]"`},
		{"a[]", `expression 1:3: an index is missing between "[" and "]"`},
		{"f(a=1, 2)", `expression 1:8: an argument without a name follows one with a name; put it before`},
		{"f(a=1, a=2)", `expression 1:8: keyword a is given twice`},
		{"f(*a)", `expression 1:3: unpacking arguments with * is not part of the language; write them out`},
		{"a b", `expression 1:3: got "b", want an operator or the end of the statement`},
		{"x = 1\ny = $", `expression 2:5: unexpected character '$'`},
		{"'abc", `expression 1:1: string is not closed: got the end of the expression, want '`},
		{"1x", `expression 1:1: "1x" is not a number`},
		{"007", `expression 1:1: leading zeros are not allowed in the number 007`},
		{"a.1", `expression 1:2: got ".1", want an operator or the end of the statement`},
		{"a[0] = 1", `expression 1:6: only a name can be assigned to: got a[0] before "="; write == to compare`},
		{"True = 1", `expression 1:1: True cannot be assigned to`},
		{"a += 1", `expression 1:3: "+=" is not part of the language: use name = name + expression`},
		{"{1: 2}", `expression 1:1: "{" is not part of the language: dictionaries and sets are not part of the language; use keywords: a.isel(time=0)`},
		{"a)", `expression 1:2: got ")", want an operator or the end of the statement`},
	} {
		_, err := Parse(c.in)
		if err == nil {
			t.Errorf("Parse(%q): no error, want %s", c.in, c.want)
			continue
		}
		if err.Error() != c.want {
			t.Errorf("Parse(%q): %v, want %s", c.in, err, c.want)
		}
		if _, ok := err.(*Error); !ok {
			t.Errorf("Parse(%q): error is a %T", c.in, err)
		}
	}
}

func TestParseDepth(t *testing.T) {
	for _, s := range []string{strings.Repeat("(", 100000), strings.Repeat("-", 100000) + "1", strings.Repeat("f(", 100000), "a" + strings.Repeat("[a", 100000), "1" + strings.Repeat("**1", 100000)} {
		if _, err := Parse(s); err == nil {
			t.Errorf("Parse of %d characters: no error", len(s))
		}
	}
	if _, err := Parse("1" + strings.Repeat("+1", 5000)); err != nil {
		t.Errorf("a long sum: %v", err)
	}
}

func FuzzParse(f *testing.F) {
	f.Add("x = a.mean(axis=0); x[1:, ::-1] ** 2 // 3")
	f.Add("'\\n' 0x_f 1e5 ... {")
	f.Fuzz(func(t *testing.T, s string) {
		st, err := Parse(s)
		if err != nil {
			return
		}
		for _, x := range st {
			if x.X == nil {
				t.Fatalf("Parse(%q): a statement without an expression", s)
			}
			_ = x.X.String()
		}
	})
}

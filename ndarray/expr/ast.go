// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
)

// Node is a piece of a parsed expression. String prints it with every operation in parentheses, as
// the golden files of the parser show it.
type Node interface {
	At() Pos
	String() string
}

// at is the place every node has.
type at struct{ pos Pos }

// At returns the place where the node begins; for an operation, the place of its operator.
func (a at) At() Pos { return a.pos }

// The nodes. Names of operators are Python's spellings.
type (
	// Int is an integer literal of any size.
	Int struct {
		at
		Value *big.Int
	}
	// Float is a float literal.
	Float struct {
		at
		Value float64
	}
	// Imag is an imaginary literal: 2j.
	Imag struct {
		at
		Value float64
	}
	// Str is a text literal.
	Str struct {
		at
		Value string
	}
	// Word is True, False or None.
	Word struct {
		at
		Value string
	}
	// Name is a variable, constant or function.
	Name struct {
		at
		Value string
	}
	// Ellipsis is "...".
	Ellipsis struct{ at }
	// Seq is a list or, with IsTuple, a tuple.
	Seq struct {
		at
		Items   []Node
		IsTuple bool
	}
	// Unary is an operator with one operand.
	Unary struct {
		at
		Op string
		X  Node
	}
	// Binary is an operator with two operands.
	Binary struct {
		at
		Op   string
		X, Y Node
	}
	// Call is a function or method with its arguments.
	Call struct {
		at
		Fn   Node
		Args []Node
		Kw   []Keyword
	}
	// Attr is X.Name.
	Attr struct {
		at
		X    Node
		Name string
	}
	// Index is X[Items]; IsTuple where there was a comma.
	Index struct {
		at
		X       Node
		Items   []Node
		IsTuple bool
	}
	// Slice is Lo:Hi:Step inside an Index; missing parts are nil.
	Slice struct {
		at
		Lo, Hi, Step Node
	}
)

// Keyword is a named argument.
type Keyword struct {
	Name  string
	Value Node
	Pos   Pos
}

// Statement is "Name = X", or an expression alone where Name is "".
type Statement struct {
	Name string
	X    Node
	Pos  Pos
}

// String returns the digits.
func (n *Int) String() string { return n.Value.String() }

// String returns the shortest text of the number.
func (n *Float) String() string { return strconv.FormatFloat(n.Value, 'g', -1, 64) }

// String returns the number with a j.
func (n *Imag) String() string { return strconv.FormatFloat(n.Value, 'g', -1, 64) + "j" }

// String returns the text in quotes.
func (n *Str) String() string { return strconv.Quote(n.Value) }

// String returns the word.
func (n *Word) String() string { return n.Value }

// String returns the name.
func (n *Name) String() string { return n.Value }

// String returns "...".
func (n *Ellipsis) String() string { return "..." }

// String returns the operation in parentheses.
func (n *Unary) String() string { return "(" + n.Op + n.X.String() + ")" }

// String returns the operation in parentheses.
func (n *Binary) String() string {
	return fmt.Sprintf("(%v %s %v)", n.X, n.Op, n.Y)
}

// String returns the operand, a point and the name.
func (n *Attr) String() string { return n.X.String() + "." + n.Name }

// String returns the operand and the items in brackets.
func (n *Index) String() string {
	return n.X.String() + "[" + join(n.Items) + "]"
}

// String returns the items in brackets.
func (n *Seq) String() string {
	if !n.IsTuple {
		return "[" + join(n.Items) + "]"
	}
	if len(n.Items) == 1 {
		return "(" + n.Items[0].String() + ",)"
	}
	return "(" + join(n.Items) + ")"
}

// String returns the function and its arguments.
func (n *Call) String() string {
	parts := make([]string, 0, len(n.Args)+len(n.Kw))
	for _, a := range n.Args {
		parts = append(parts, a.String())
	}
	for _, k := range n.Kw {
		parts = append(parts, k.Name+"="+k.Value.String())
	}
	return n.Fn.String() + "(" + strings.Join(parts, ", ") + ")"
}

// String returns the parts with colons.
func (n *Slice) String() string {
	text := func(x Node) string {
		if x == nil {
			return ""
		}
		return x.String()
	}
	s := text(n.Lo) + ":" + text(n.Hi)
	if n.Step != nil {
		s += ":" + n.Step.String()
	}
	return s
}

func join(list []Node) string {
	parts := make([]string, len(list))
	for i, x := range list {
		parts[i] = x.String()
	}
	return strings.Join(parts, ", ")
}

// SPDX-License-Identifier: BSD-3-Clause

package expr

import "fmt"

// Error is what is wrong with an expression, and where: Line and Col count from 1, columns in
// characters. Every error that Parse and Eval make from the text is one, and Err is what
// a lower layer said, if it was one of those.
type Error struct {
	Line, Col int
	Msg       string
	Err       error
}

// Error returns "expression 1:17: text".
func (e *Error) Error() string { return fmt.Sprintf("expression %d:%d: %s", e.Line, e.Col, e.Msg) }

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Pos is a place in the text, counted from 1.
type Pos struct{ Line, Col int }

// String prints the place as 1:17.
func (p Pos) String() string { return fmt.Sprintf("%d:%d", p.Line, p.Col) }

func (p Pos) errorf(format string, args ...any) *Error {
	return &Error{Line: p.Line, Col: p.Col, Msg: fmt.Sprintf(format, args...)}
}

// wrap returns err with the place, or the *Error that it already is.
func (p Pos) wrap(err error) *Error {
	if e, ok := err.(*Error); ok {
		return e
	}
	return &Error{Line: p.Line, Col: p.Col, Msg: err.Error(), Err: err}
}

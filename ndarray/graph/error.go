// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// At is the place a user wrote an operation at ("pipeline.go:41", "1:17"); its
// methods are the constructors. The empty At is for nodes nobody wrote.
type At string

// Error is a node that could not be built: why, and where it was written. Text with
// a place ends in it, in parentheses.
type Error struct {
	Pos string
	Err error
}

// Error returns the text of Err and the place.
func (e *Error) Error() string {
	if e.Pos == "" {
		return e.Err.Error()
	}
	return fmt.Sprintf("%v (%s)", e.Err, e.Pos)
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// NewError returns a node that stands for what could not be built at pos: its Err
// is an *Error around err, it has rank 0 and no dtype. Everything made from it is it.
func NewError(err error, pos string) *Node {
	return &Node{DType: dtype.Invalid, Err: &Error{Pos: pos, Err: err}, Pos: pos, ID: lastID.Add(1)}
}

// errorf returns an error node with a formatted text.
func (at At) errorf(format string, args ...any) *Node {
	return NewError(Errorf(format, args...), string(at))
}

// Errorf is fmt.Errorf for messages to users: what it wraps is found by errors.Is,
// but the sentinels' texts and the names of lower packages are not said.
func Errorf(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &said{text: unsaid.Replace(err.Error()), err: err}
}

// unsaid takes out of messages what only programs need.
var unsaid = strings.NewReplacer(
	": "+chunk.ErrShape.Error(), "",
	": "+dtype.ErrPromote.Error(), "",
	": "+kernels.ErrUnsupported.Error(), "",
	"ndarray: kernels: ", "ndarray: ",
	": dtype: promote: ", ": ",
)

// said is an error with a text of its own.
type said struct {
	text string
	err  error
}

func (e *said) Error() string { return e.text }
func (e *said) Unwrap() error { return e.err }

// unknown returns the error node of an operation that needs a length which only a run can tell.
func (at At) unknown(what string, n *Node) *Node {
	return at.errorf("ndarray: %s: shape %v: a length of -1 is known only after the run; compute the mask first: %w", what, n.Grid.Shape, chunk.ErrShape)
}

// firstErr returns the first input that is an error node, nil when there is none.
func firstErr(in ...*Node) *Node {
	for _, n := range in {
		if n == nil {
			return NewError(fmt.Errorf("ndarray: operand is missing: got a nil node"), "")
		}
		if n.Err != nil {
			return n
		}
	}
	return nil
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"errors"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Array is a lazy array of any rank: an immutable value, cheap to copy and safe
// to share. Methods return new Arrays and never compute. The zero Array carries an error.
type Array struct{ n *graph.Node }

// errZero is the error of the zero Array.
var errZero = errors.New("ndarray: the zero Array has no elements; make one with FromSlice, Full, Open ...")

// FromNode returns the Array that n stands for.
func FromNode(n *graph.Node) Array { return Array{n} }

// Node returns the graph node a stands for, an error node for the zero Array.
func (a Array) Node() *graph.Node {
	if a.n == nil {
		return graph.NewError(errZero, "")
	}
	return a.n
}

// Shape returns the length of each axis, nil when Err is set. A length is -1 where
// it is known only after a run (a selection by a computed mask). The slice is shared: do not change it.
func (a Array) Shape() chunk.Shape { return a.Node().Grid.Shape }

// Rank returns the number of axes.
func (a Array) Rank() int { return len(a.Shape()) }

// Size returns the number of elements.
func (a Array) Size() int64 { return a.Shape().Size() }

// DType returns the element type, dtype.Invalid when Err is set.
func (a Array) DType() dtype.DType { return a.Node().DType }

// Grid returns how a is cut into chunks.
func (a Array) Grid() chunk.Grid { return a.Node().Grid }

// Err returns why a, or something it is made from, could not be built; nil when
// it could. The error is a *graph.Error, which knows the caller's file and line.
func (a Array) Err() error { return a.Node().Err }

// String returns dtype and shape, such as "float32[365 721 1440]", or the error's text.
func (a Array) String() string {
	if err := a.Err(); err != nil {
		return err.Error()
	}
	return a.DType().String() + a.Shape().String()
}

// Failed returns an Array that carries err, said to have happened at pos ("" for nowhere).
func Failed(err error, pos string) Array { return Array{graph.NewError(err, pos)} }

// failf returns an Array with a formatted error at the caller's place.
func failf(format string, args ...any) Array {
	return Array{graph.NewError(graph.Errorf(format, args...), string(here()))}
}

// module is the import path that calls of this module's own packages begin with.
const module = "github.com/arrayrun/arrayrun/"

// here returns the file and line outside the module (or in a test of it) that the
// call came from, "" where there is none.
func here() graph.At {
	var pcs [24]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(2, pcs[:])])
	for {
		f, more := frames.Next()
		if f.PC == 0 {
			return ""
		}
		inside := strings.HasPrefix(f.Function, module) && !strings.HasSuffix(f.File, "_test.go")
		if !inside && !strings.HasPrefix(f.Function, "runtime.") && !strings.HasPrefix(f.Function, "main.") {
			return graph.At(filepath.Base(f.File) + ":" + strconv.Itoa(f.Line))
		}
		if strings.HasPrefix(f.Function, "main.") && !strings.Contains(f.File, "cmd/arrayrun/") {
			return graph.At(filepath.Base(f.File) + ":" + strconv.Itoa(f.Line))
		}
		if !more {
			return ""
		}
	}
}

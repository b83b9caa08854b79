// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Convolve returns the sums of a's elements near each position times those of v backwards, both vectors: of all positions where they overlap for
// the mode "full" (the default for ""), as many as the longer one has, from the middle, for "same", and where all of the shorter one does for "valid".
// The shorter vector is held whole. DType: promoted; integers wrap, sums of float32 and float16 are made in float64 and rounded once.
//
// Vectors without elements and other ranks are errors.
func Convolve(a, v Array, mode string) Array {
	if bad, ok := checkVectors("convolve", a, v, mode); !ok {
		return bad
	}
	if v.Shape()[0] > a.Shape()[0] {
		a, v = v, a
	}
	return slide("convolve", a, v.Flip(0), mode, "full")
}

// Correlate returns the sums of a's elements near each position times those of v, conjugated, with the modes of Convolve; "" is "valid".
func Correlate(a, v Array, mode string) Array {
	if bad, ok := checkVectors("correlate", a, v, mode); !ok {
		return bad
	}
	if v.Shape()[0] > a.Shape()[0] {
		return Correlate(v, a, mode).conjugated().Flip(0)
	}
	return slide("correlate", a, v.conjugated(), mode, "valid")
}

// conjugated returns a with its imaginary parts negated.
func (a Array) conjugated() Array {
	if a.DType().IsComplex() {
		return Apply("conjugate", a)
	}
	return a
}

// checkVectors returns the error of operands that are no vectors, and of modes that are none.
func checkVectors(what string, a, v Array, mode string) (Array, bool) {
	for i, x := range []Array{a, v} {
		switch {
		case x.Err() != nil:
			return x, false
		case x.Rank() != 1 || x.Shape()[0] < 1:
			return failf("ndarray: %s: operand %d: got shape %v, want a vector with elements: %w", what, i+1, x.Shape(), chunk.ErrShape), false
		case !x.DType().IsNumeric():
			return failf("ndarray: %s: operand %d: got %v, want numbers: %w", what, i+1, x.DType(), dtype.ErrPromote), false
		}
	}
	switch mode {
	case "", "full", "same", "valid":
		return Array{}, true
	}
	return failf("ndarray: %s: mode: got %q, want full, same or valid", what, mode), false
}

// slide returns the sums of products of v with the parts of a, at least as long, that it comes to lie on.
func slide(what string, a, v Array, mode, def string) Array {
	out, err := dtype.Promote(a.DType(), v.DType())
	if err != nil {
		return failf("ndarray: %s: %w", what, err)
	}
	if mode == "" {
		mode = def
	}
	m := v.Shape()[0]
	before, behind := m-1, m-1
	switch mode {
	case "valid":
		before, behind = 0, 0
	case "same":
		before, behind = m/2, m-1-m/2
	}
	work := dtype.Float64
	switch {
	case out.IsComplex():
		work = dtype.Complex128
	case out == dtype.Uint64:
		work = out
	case out.IsInteger() || out == dtype.Bool:
		work = dtype.Int64
	}
	a, v = a.AsType(work).Pad([][2]int64{{before, behind}}, PadOptions{}), v.AsType(work)
	if a.Err() != nil {
		return a
	}
	n := a.Shape()[0] - m + 1
	arg := graph.OpaqueArg{
		Key: fmt.Sprintf("slide %d", m),
		Need: func(i int, at chunk.Region) chunk.Region {
			if i == 1 {
				return chunk.Region{Lo: chunk.Shape{0}, Hi: chunk.Shape{m}}
			}
			r := at.Clone()
			r.Hi[0] += m - 1
			return r
		},
		Scratch: func(chunk.Shape) int64 { return m * int64(work.Size()) },
		Run: func(_ context.Context, c graph.OpaqueCall) error {
			switch work {
			case dtype.Complex128:
				slideOver[complex128](c.Out, c.In[0], c.In[1])
			case dtype.Uint64:
				slideOver[uint64](c.Out, c.In[0], c.In[1])
			case dtype.Int64:
				slideOver[int64](c.Out, c.In[0], c.In[1])
			default:
				slideOver[float64](c.Out, c.In[0], c.In[1])
			}
			return nil
		},
	}
	// Chunks are so long that what is read for two of them is little.
	step := min(max(a.Grid().Axes[0].Max(), 8*m), n)
	sums := Array{here().Opaque(arg, work, chunk.Regular(chunk.Shape{n}, step), a.Node(), v.Node())}
	if out == dtype.Bool {
		return sums.NotEqual(0)
	}
	return sums.wrapped(out)
}

// slideOver stores the sum of products of v with the part of a that begins at each position.
func slideOver[T int64 | uint64 | float64 | complex128](out, a, v *chunk.Chunk) {
	d, x, w := chunk.Elems[T](out.Block), chunk.Elems[T](a.Block), chunk.Elems[T](v.Block)
	ds, xs, ws := lastStep(out), lastStep(a), lastStep(v)
	weights := make([]T, v.Shape[0])
	for j := range weights {
		weights[j] = w[v.Offset+int64(j)*ws]
	}
	for i := range out.Shape[0] {
		at := a.Offset + i*xs
		var sum T
		if xs == 1 {
			for j, y := range x[at : at+int64(len(weights))] {
				sum += T(y * weights[j]) // a conversion: no fused multiply-add anywhere
			}
		} else {
			for j, y := range weights {
				sum += T(x[at+int64(j)*xs] * y)
			}
		}
		d[out.Offset+i*ds] = sum
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"sort"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// inFloat returns a in the float dtype that functions such as sqrt have for it, an error for complex numbers and what is no number.
func (a Array) inFloat(what string) Array {
	if a.Err() != nil {
		return a
	}
	if !a.DType().IsNumeric() || a.DType().IsComplex() {
		return failf("ndarray: %s: got %v, want real numbers: %w", what, a.DType(), dtype.ErrPromote)
	}
	return a.AsType(Apply("sqrt", a).DType())
}

// eachRun calls f for each row along the last axis of chunks of one shape, with where it begins in each, and how long it is.
func eachRun(shape chunk.Shape, chunks []*chunk.Chunk, f func(at []int64, n int64)) {
	last := len(shape) - 1
	n, rows := int64(1), int64(1)
	if last >= 0 {
		n, rows = shape[last], shape[:last].Size()
	}
	at := make([]int64, len(chunks))
	index := make([]int64, max(last, 0))
	for range rows {
		for i, c := range chunks {
			at[i] = c.Offset
			for k, x := range index {
				at[i] += x * c.Strides[k]
			}
		}
		f(at, n)
		for k := len(index) - 1; k >= 0; k-- {
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
	}
}

// lastStep returns how far apart neighbours on the last axis are.
func lastStep(c *chunk.Chunk) int64 {
	if len(c.Strides) == 0 {
		return 0
	}
	return c.Strides[len(c.Strides)-1]
}

// each returns f of every element of a, float64, as T. key names f.
func each[T dtype.Number](a Array, key string, f func(x float64) T) Array {
	arg := graph.OpaqueArg{
		Key:     key,
		Need:    func(_ int, at chunk.Region) chunk.Region { return at.Clone() },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, call graph.OpaqueCall) error {
			out, in := call.Out, call.In
			d, s := chunk.Elems[T](out.Block), chunk.Elems[float64](in[0].Block)
			ds, ss := lastStep(out), lastStep(in[0])
			eachRun(out.Shape, []*chunk.Chunk{out, in[0]}, func(at []int64, n int64) {
				for i := range n {
					d[at[0]+i*ds] = f(s[at[1]+i*ss])
				}
			})
			return nil
		},
	}
	x := a.AsType(dtype.Float64)
	return Array{here().Opaque(arg, dtype.Of[T](), x.Grid(), x.Node())}
}

// FrExp returns a as mantissa times 2 to the power of exponent, an int32: the mantissa lies from 0.5 up to, without, 1 and has the sign of a. 0, NaN and
// infinities are their own mantissa, with the exponent 0. DType of the mantissa: that of Sqrt.
func (a Array) FrExp() (mantissa, exponent Array) {
	x := a.inFloat("frexp")
	if x.Err() != nil {
		return x, x
	}
	mantissa = each(x, "frexp mantissa", func(x float64) float64 {
		m, _ := math.Frexp(x)
		return m
	}).AsType(x.DType())
	exponent = each(x, "frexp exponent", func(x float64) int32 {
		_, e := math.Frexp(x)
		return int32(e)
	})
	return mantissa, exponent
}

// LdExp returns a times 2 to the power of exponent, an array of integers or bool, rounded once; they broadcast. DType: that of Sqrt of a.
func (a Array) LdExp(exponent Array) Array {
	x := a.inFloat("ldexp")
	if x.Err() != nil {
		return x
	}
	if exponent.Err() != nil {
		return exponent
	}
	if !exponent.DType().IsInteger() && exponent.DType() != dtype.Bool {
		return failf("ndarray: ldexp: exponent: got %v, want integers: %w", exponent.DType(), dtype.ErrPromote)
	}
	both := Broadcast(x.AsType(dtype.Float64), exponent.AsType(dtype.Int64))
	if both[0].Err() != nil {
		return both[0]
	}
	arg := graph.OpaqueArg{
		Key:     "ldexp",
		Need:    func(_ int, at chunk.Region) chunk.Region { return at.Clone() },
		Scratch: func(chunk.Shape) int64 { return 0 },
		Run: func(_ context.Context, call graph.OpaqueCall) error {
			out, in := call.Out, call.In
			d, s, e := chunk.Elems[float64](out.Block), chunk.Elems[float64](in[0].Block), chunk.Elems[int64](in[1].Block)
			ds, ss, es := lastStep(out), lastStep(in[0]), lastStep(in[1])
			eachRun(out.Shape, []*chunk.Chunk{out, in[0], in[1]}, func(at []int64, n int64) {
				for i := range n {
					d[at[0]+i*ds] = math.Ldexp(s[at[1]+i*ss], int(min(max(e[at[2]+i*es], -1<<30), 1<<30)))
				}
			})
			return nil
		},
	}
	return Array{here().Opaque(arg, dtype.Float64, both[0].Grid(), both[0].Node(), both[1].Node())}.AsType(x.DType())
}

// ModF returns the fractions and the whole parts of a, both with its sign. DType: that of Sqrt.
func (a Array) ModF() (fraction, whole Array) {
	x := a.inFloat("modf")
	if x.Err() != nil {
		return x, x
	}
	whole = x.Trunc()
	fraction = Apply("copysign", Where(Apply("isinf", x), x.zero(), x.Sub(whole)), x)
	return Where(x.IsNaN(), x, fraction), whole
}

// InterpOptions say what Interp does beyond the ends. nil are the first and the last value; Period, when not 0, makes the places go
// around, so that there are no ends.
type InterpOptions struct {
	Left, Right *float64
	Period      float64
}

// Interp returns, for the places a, the values of the line through the points (xp[i], fp[i]), a float64 array of a's shape. xp must ascend
// unless there is a period. NaN gives NaN, but the value where there is one point only.
//
// No points and lists of two lengths are errors.
func (a Array) Interp(xp, fp []float64, o InterpOptions) Array {
	switch {
	case a.Err() != nil:
		return a
	case len(xp) != len(fp) || len(xp) == 0:
		return failf("ndarray: interp: got %d places and %d values, want as many, at least 1: %w", len(xp), len(fp), chunk.ErrShape)
	case !a.DType().IsNumeric() || a.DType().IsComplex():
		return failf("ndarray: interp: places: got %v, want real numbers: %w", a.DType(), dtype.ErrPromote)
	}
	a = a.AsType(dtype.Float64)
	if o.Period != 0 {
		xp, fp = periodic(xp, fp, math.Abs(o.Period))
		a = a.Mod(math.Abs(o.Period))
		o.Left, o.Right = nil, nil
	}
	l := line{x: slices.Clone(xp), y: slices.Clone(fp), left: fp[0], right: fp[len(fp)-1]}
	if o.Left != nil {
		l.left = *o.Left
	}
	if o.Right != nil {
		l.right = *o.Right
	}
	return each(a, fmt.Sprintf("interp %x", l.hash()), l.at)
}

// periodic returns the points in order, with the last one before the first and the first one behind the last.
func periodic(xp, fp []float64, period float64) (x, y []float64) {
	order := numbered(0, len(xp))
	x, y = make([]float64, len(xp)), make([]float64, len(xp))
	for i, p := range xp {
		if x[i] = math.Mod(p, period); x[i] < 0 {
			x[i] += period
		}
	}
	at := slices.Clone(x)
	slices.SortStableFunc(order, func(i, j int) int {
		switch {
		case at[i] < at[j]:
			return -1
		case at[i] > at[j]:
			return 1
		}
		return 0
	})
	for k, i := range order {
		x[k], y[k] = at[i], fp[i]
	}
	n := len(x) - 1
	return slices.Concat([]float64{x[n] - period}, x, []float64{x[0] + period}), slices.Concat([]float64{y[n]}, y, []float64{y[0]})
}

// line is one through points whose x ascend, and what lies beyond them.
type line struct {
	x, y        []float64
	left, right float64
}

func (l *line) hash() []byte {
	h := sha256.New()
	var b [8]byte
	for _, list := range [][]float64{l.x, l.y, {l.left, l.right}} {
		for _, v := range list {
			binary.LittleEndian.PutUint64(b[:], math.Float64bits(v))
			h.Write(b[:])
		}
	}
	return h.Sum(nil)
}

// at returns the value at x by NumPy's formula, which takes the point to the right where the one to the left gives no number.
func (l *line) at(x float64) float64 {
	n := len(l.x)
	switch {
	case x < l.x[0]:
		return l.left
	case x > l.x[n-1]:
		return l.right
	case n == 1:
		return l.y[0] // of NaN too
	case x != x:
		return x
	}
	i := sort.Search(n, func(i int) bool { return l.x[i] > x }) - 1
	if i < 0 || i == n-1 || l.x[i] == x {
		return l.y[max(i, 0)]
	}
	slope := (l.y[i+1] - l.y[i]) / (l.x[i+1] - l.x[i])
	v := float64(slope*(x-l.x[i])) + l.y[i]
	if v == v {
		return v
	}
	if v = float64(slope*(x-l.x[i+1])) + l.y[i+1]; v != v && l.y[i] == l.y[i+1] {
		return l.y[i]
	}
	return v
}

// SPDX-License-Identifier: BSD-3-Clause

package aside

import (
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// most bounds the bytes of a variable that is kept.
const most = 16 << 20

// Var takes a variable: scalars and lists of numbers are kept, all else is let go. It is a formats.Sink.
type Var struct {
	Spec formats.VarSpec
	grid chunk.Grid
	data *chunk.Chunk // nil: not kept
}

// New returns the sink of a variable.
func New(v *formats.VarSpec) (*Var, error) {
	item := v.DType.Size()
	if v.DType == dtype.Raw {
		item = v.ItemBytes
	}
	n, err := v.Shape.Bytes(int64(item))
	if err != nil {
		return nil, fmt.Errorf("variable %s: %w", v.Name, err)
	}
	s := &Var{Spec: *v, grid: chunk.DefaultGrid(v.Shape, item)}
	if v.Grid != nil {
		s.grid = *v.Grid
	}
	if len(v.Shape) < 2 && n <= most && v.DType.IsNumeric() {
		s.data = &chunk.Chunk{DType: v.DType, ItemBytes: int32(item), Shape: v.Shape.Clone(), Strides: v.Shape.RowMajor(), Block: mem.Wrap(make([]byte, n))}
	}
	return s, nil
}

// Grid implements formats.Sink.
func (s *Var) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *Var) ScratchBytes() int64 { return 64 << 10 }

// WriteChunk implements formats.Sink.
func (s *Var) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || c.DType != s.Spec.DType {
		return 0, fmt.Errorf("formats: write %s %v: got a %v chunk of shape %v: %w", s.Spec.Name, r, c.DType, c.Shape, chunk.ErrShape)
	}
	if s.data != nil {
		formats.CopyElems(s.data.Sub(r), c)
	}
	return 0, nil
}

// Len returns the number of values that are kept: -1 for a scalar's one, 0 for none.
func (s *Var) Len() int64 {
	switch {
	case s == nil || s.data == nil:
		return 0
	case len(s.Spec.Shape) == 0:
		return -1
	}
	return s.Spec.Shape[0]
}

// Value returns value i as a Go number, a half-precision one as float32; nil for complex ones.
func (s *Var) Value(i int64) any {
	if f := values[s.data.DType]; f != nil {
		return f(s.data, i)
	}
	return nil
}

func value[T dtype.Number](c *chunk.Chunk, i int64) any { return chunk.Slice[T](c)[i] }

var values = [dtype.Count]func(c *chunk.Chunk, i int64) any{
	dtype.Bool: value[bool], dtype.Int8: value[int8], dtype.Int16: value[int16], dtype.Int32: value[int32], dtype.Int64: value[int64],
	dtype.Uint8: value[uint8], dtype.Uint16: value[uint16], dtype.Uint32: value[uint32], dtype.Uint64: value[uint64],
	dtype.Float16:  func(c *chunk.Chunk, i int64) any { return chunk.Slice[dtype.F16](c)[i].Float32() },
	dtype.BFloat16: func(c *chunk.Chunk, i int64) any { return chunk.Slice[dtype.BF16](c)[i].Float32() },
	dtype.Float32:  value[float32], dtype.Float64: value[float64],
}

// Float returns value i; what is no real number is NaN.
func (s *Var) Float(i int64) float64 {
	switch x := s.Value(i).(type) {
	case int8:
		return float64(x)
	case int16:
		return float64(x)
	case int32:
		return float64(x)
	case int64:
		return float64(x)
	case uint8:
		return float64(x)
	case uint16:
		return float64(x)
	case uint32:
		return float64(x)
	case uint64:
		return float64(x)
	case float32:
		return float64(x)
	case float64:
		return x
	}
	return math.NaN()
}

// Even returns the first value and the step of a list of two values or more, where all steps are the same to rounding.
func (s *Var) Even() (first, step float64, ok bool) {
	n := s.Len()
	if n < 2 {
		return 0, 0, false
	}
	first = s.Float(0)
	last := s.Float(n - 1)
	step = (last - first) / float64(n-1)
	tolerance := math.Abs(step) * 1e-3
	if s.Spec.DType == dtype.Float32 {
		tolerance += 1e-6 * max(math.Abs(first), math.Abs(last))
	}
	for i := range n {
		if d := s.Float(i) - (first + step*float64(i)); !(math.Abs(d) <= tolerance) {
			return 0, 0, false
		}
	}
	return first, step, step != 0
}

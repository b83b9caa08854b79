// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// Labels are a coordinate's values in host memory, C-ordered: one of Float, Int and Str
// holds them, as DType says (bool, integers and uint64's bits in Int). Missing numbers are NaN.
type Labels struct {
	DType dtype.DType
	Shape chunk.Shape
	Float []float64
	Int   []int64
	Str   []string
}

// Len returns the number of values.
func (l *Labels) Len() int { return int(l.Shape.Size()) }

// floatLabels and the like make one-dimensional Labels.
func floatLabels(v []float64) *Labels {
	return &Labels{DType: dtype.Float64, Shape: chunk.Shape{int64(len(v))}, Float: v}
}

func intLabels(v []int64) *Labels {
	return &Labels{DType: dtype.Int64, Shape: chunk.Shape{int64(len(v))}, Int: v}
}

func textLabels(v []string) *Labels {
	return &Labels{DType: dtype.String, Shape: chunk.Shape{int64(len(v))}, Str: v}
}

// Number returns value i as a float64, NaN for text.
func (l *Labels) Number(i int) float64 {
	switch {
	case l.Float != nil:
		return l.Float[i]
	case l.Int == nil:
		return math.NaN()
	case l.DType == dtype.Uint64:
		return float64(uint64(l.Int[i]))
	}
	return float64(l.Int[i])
}

// equal reports whether l and o hold the same values in the same form; NaN equals nothing.
func (l *Labels) equal(o *Labels) bool {
	return slices.Equal(l.Shape, o.Shape) && slices.Equal(l.Float, o.Float) && slices.Equal(l.Int, o.Int) && slices.Equal(l.Str, o.Str)
}

// Text returns value i as people write it.
func (l *Labels) Text(i int) string {
	switch {
	case l.Str != nil:
		return strconv.Quote(l.Str[i])
	case l.Float != nil:
		if l.DType == dtype.Float32 {
			return strconv.FormatFloat(l.Float[i], 'g', -1, 32)
		}
		return strconv.FormatFloat(l.Float[i], 'g', -1, 64)
	case l.DType == dtype.Uint64:
		return strconv.FormatUint(uint64(l.Int[i]), 10)
	}
	return strconv.FormatInt(l.Int[i], 10)
}

// key returns value i as something to compare labels of different dtypes by: text, or a number's value.
func (l *Labels) key(i int) any {
	if l.Str != nil {
		return l.Str[i]
	}
	if l.Int != nil && (l.Int[i] > 1<<53 || l.Int[i] < -1<<53) {
		return l.Int[i]
	}
	f := l.Number(i)
	if f != f {
		return "NaN"
	}
	return f + 0
}

// instant reads value i as a time.
func (l *Labels) instant(u *cf.Units, i int) (cf.Instant, bool) {
	switch {
	case l.Int != nil && l.DType != dtype.Bool:
		return u.InstantOf(l.Int[i])
	case l.Float != nil:
		return u.Instant(l.Float[i])
	}
	return cf.Instant{}, false
}

// Take returns the values at positions along an axis; -1 is missing (NaN, "", 0).
func (l *Labels) Take(axis int, ids []int64) *Labels {
	out := &Labels{DType: l.DType, Shape: l.Shape.Clone()}
	outer, inner := int64(1), int64(1)
	for i, n := range l.Shape {
		if i < axis {
			outer *= n
		} else if i > axis {
			inner *= n
		}
	}
	n := l.Shape[axis]
	out.Shape[axis] = int64(len(ids))
	switch {
	case l.Str != nil:
		out.Str = takeSlice(l.Str, outer, n, inner, ids, "")
	case l.Float != nil:
		out.Float = takeSlice(l.Float, outer, n, inner, ids, math.NaN())
	default:
		out.Int = takeSlice(l.Int, outer, n, inner, ids, 0)
	}
	return out
}

// at returns the values at one position along an axis, which goes.
func (l *Labels) at(axis int, i int64) *Labels {
	out := l.Take(axis, []int64{i})
	out.Shape = slices.Delete(out.Shape, axis, axis+1)
	return out
}

func takeSlice[T any](v []T, outer, n, inner int64, ids []int64, missing T) []T {
	out := make([]T, 0, outer*int64(len(ids))*inner)
	for o := range outer {
		for _, id := range ids {
			if id < 0 {
				for range inner {
					out = append(out, missing)
				}
				continue
			}
			at := (o*n + id) * inner
			out = append(out, v[at:at+inner]...)
		}
	}
	return out
}

// Array returns the values as an array of their dtype.
func (l *Labels) Array() Array {
	shape := l.Shape
	switch l.DType {
	case dtype.Bool:
		return FromSlice(convert(l.Int, func(v int64) bool { return v != 0 }), shape...).shaped(shape)
	case dtype.Int8:
		return FromSlice(convert(l.Int, func(v int64) int8 { return int8(v) }), shape...).shaped(shape)
	case dtype.Int16:
		return FromSlice(convert(l.Int, func(v int64) int16 { return int16(v) }), shape...).shaped(shape)
	case dtype.Int32:
		return FromSlice(convert(l.Int, func(v int64) int32 { return int32(v) }), shape...).shaped(shape)
	case dtype.Int64:
		return FromSlice(l.Int, shape...).shaped(shape)
	case dtype.Uint8:
		return FromSlice(convert(l.Int, func(v int64) uint8 { return uint8(v) }), shape...).shaped(shape)
	case dtype.Uint16:
		return FromSlice(convert(l.Int, func(v int64) uint16 { return uint16(v) }), shape...).shaped(shape)
	case dtype.Uint32:
		return FromSlice(convert(l.Int, func(v int64) uint32 { return uint32(v) }), shape...).shaped(shape)
	case dtype.Uint64:
		return FromSlice(convert(l.Int, func(v int64) uint64 { return uint64(v) }), shape...).shaped(shape)
	case dtype.Float32:
		return FromSlice(convert(l.Float, func(v float64) float32 { return float32(v) }), shape...).shaped(shape)
	case dtype.Float64:
		return FromSlice(l.Float, shape...).shaped(shape)
	case dtype.String:
		return FromChunk(textChunk(l.Str, shape), nil)
	}
	return failf("ndarray: coordinate values of dtype %v are not numbers or text", l.DType)
}

// shaped makes a scalar of the one-element array that FromSlice gives for no shape at all.
func (a Array) shaped(shape chunk.Shape) Array {
	if len(shape) == 0 && a.Rank() == 1 {
		return a.Index(At(0))
	}
	return a
}

func convert[S, T any](v []S, f func(S) T) []T {
	out := make([]T, len(v))
	for i, x := range v {
		out[i] = f(x)
	}
	return out
}

// textChunk returns a String chunk in Go memory.
func textChunk(v []string, shape chunk.Shape) *chunk.Chunk {
	var heap []byte
	b := make([]byte, 16*len(v))
	for i, s := range v {
		binary.NativeEndian.PutUint64(b[16*i:], uint64(len(heap)))
		binary.NativeEndian.PutUint64(b[16*i+8:], uint64(len(s)))
		heap = append(heap, s...)
	}
	return &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: shape.Clone(), Strides: shape.RowMajor(), Block: mem.Wrap(b), Heap: heap}
}

// chunkLabels returns the values of a contiguous chunk: numbers, text (String or Raw, whose
// padding of zeros and blanks at the end is cut). ok is false for complex numbers.
func chunkLabels(c *chunk.Chunk) (l *Labels, ok bool) {
	l = &Labels{DType: c.DType, Shape: c.Shape.Clone()}
	switch c.DType {
	case dtype.Bool:
		l.Int = convert(chunk.Slice[bool](c), func(v bool) int64 {
			if v {
				return 1
			}
			return 0
		})
	case dtype.Int8:
		l.Int = toInts[int8](c)
	case dtype.Int16:
		l.Int = toInts[int16](c)
	case dtype.Int32:
		l.Int = toInts[int32](c)
	case dtype.Int64:
		l.Int = toInts[int64](c)
	case dtype.Uint8:
		l.Int = toInts[uint8](c)
	case dtype.Uint16:
		l.Int = toInts[uint16](c)
	case dtype.Uint32:
		l.Int = toInts[uint32](c)
	case dtype.Uint64:
		l.Int = toInts[uint64](c)
	case dtype.Float32:
		l.Float = convert(chunk.Slice[float32](c), func(v float32) float64 { return float64(v) })
	case dtype.Float64:
		l.Float = slices.Clone(chunk.Slice[float64](c))
	case dtype.Raw:
		l.DType = dtype.String
		b, n := c.Bytes(), int(c.ItemBytes)
		for i := range l.Len() {
			l.Str = append(l.Str, strings.TrimRight(string(b[i*n:(i+1)*n]), "\x00 "))
		}
	case dtype.String:
		b := c.Bytes()
		for i := range l.Len() {
			at := binary.NativeEndian.Uint64(b[16*i:])
			n := binary.NativeEndian.Uint64(b[16*i+8:])
			if at+n > uint64(len(c.Heap)) {
				return nil, false
			}
			l.Str = append(l.Str, string(c.Heap[at:at+n]))
		}
	default:
		return nil, false
	}
	return l, true
}

func toInts[T dtype.Number](c *chunk.Chunk) []int64 {
	return convert(chunk.Slice[T](c), func(v T) int64 {
		switch x := any(v).(type) {
		case int8:
			return int64(x)
		case int16:
			return int64(x)
		case int32:
			return int64(x)
		case int64:
			return x
		case uint8:
			return int64(x)
		case uint16:
			return int64(x)
		case uint32:
			return int64(x)
		case uint64:
			return int64(x)
		}
		return 0
	})
}

// decodeLabels applies a CF coding to stored values, as cf.Decode does to arrays.
func decodeLabels(l *Labels, c cf.Coding) *Labels {
	if c.IsPlain() || l.Str != nil {
		return l
	}
	v := cf.DecodeValues(c, l.Int, l.Float)
	out := &Labels{DType: c.Decoded, Shape: l.Shape}
	if c.Decoded.IsFloat() {
		out.Float = v
		return out
	}
	out.Int = convert(v, func(f float64) int64 { return int64(f) })
	return out
}

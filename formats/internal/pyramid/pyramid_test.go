// SPDX-License-Identifier: BSD-3-Clause

package pyramid

import (
	"fmt"
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

func of[T dtype.Number](shape chunk.Shape, values ...T) *chunk.Chunk {
	dt := dtype.Of[T]()
	c := &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*int64(dt.Size())))}
	copy(chunk.Slice[T](c), values)
	return c
}

func halved[T dtype.Number](src *chunk.Chunk, y int, nearest bool, fill []byte) string {
	shape := src.Shape.Clone()
	shape[y], shape[y+1] = (shape[y]+1)/2, (shape[y+1]+1)/2
	dst := of[T](shape)
	Halve(dst, src, y, nearest, fill)
	return fmt.Sprint(chunk.Slice[T](dst))
}

func TestHalve(t *testing.T) {
	nan := math.NaN()
	for _, c := range []struct{ name, got, want string }{
		{"odd sides", halved[float64](of(chunk.Shape{3, 3}, 1.0, 2, 3, 4, 5, 6, 7, 8, 9), 0, false, nil), "[3 4.5 7.5 9]"},
		{"nearest", halved[float64](of(chunk.Shape{3, 3}, 1.0, 2, 3, 4, 5, 6, 7, 8, 9), 0, true, nil), "[1 3 7 9]"},
		{"NaN is left out", halved[float64](of(chunk.Shape{2, 4}, nan, 2, nan, nan, 4, nan, nan, nan), 0, false, nil), "[3 NaN]"},
		{"fill is left out", halved[int16](of[int16](chunk.Shape{2, 4}, -9, 2, -9, -9, 5, -9, -9, -9), 0, false, []byte{0xf7, 0xff}), "[4 -9]"},
		{"halves away from zero", halved[int8](of[int8](chunk.Shape{1, 8}, 1, 2, -1, -2, -1, 0, 126, 127), 0, false, nil), "[2 -2 -1 127]"},
		{"no overflow", halved[uint64](of[uint64](chunk.Shape{2, 2}, math.MaxUint64, math.MaxUint64, math.MaxUint64, math.MaxUint64-4), 0, false, nil), "[18446744073709551614]"},
		{"samples behind", halved[uint8](of[uint8](chunk.Shape{1, 2, 2}, 1, 10, 3, 20), 0, false, nil), "[2 15]"},
		{"planes before", halved[uint8](of[uint8](chunk.Shape{2, 1, 2}, 1, 3, 10, 20), 1, false, nil), "[2 15]"},
		{"complex", halved[complex128](of(chunk.Shape{1, 2}, 1+2i, 3+4i), 0, false, nil), "[(2+3i)]"},
		{"half precision", halved[dtype.F16](of(chunk.Shape{1, 2}, dtype.F16Of(1), dtype.F16Of(2)), 0, false, nil), fmt.Sprint([]dtype.F16{dtype.F16Of(1.5)})},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package pyramid

import (
	"bytes"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// Halve makes each element of dst of the up to four of src that it stands for along the axes y and y+1; along the others
// dst and src are equally long. Along those two src has twice dst's length, or one less at the image's edge.
//
// They are the first of the four where nearest is set, else their mean: NaN and elements that equal fill, where it is not nil, are left out, and where
// nothing is left the result is fill, or NaN. Integers round to the nearest, halves away from zero. dst and src have one numeric dtype, any strides.
func Halve(dst, src *chunk.Chunk, y int, nearest bool, fill []byte) {
	q := &halver{dst: dst, src: src, y: y, fill: bytes.Clone(fill)}
	if nearest {
		item := int64(dst.ItemBytes)
		d, s := dst.Block.Bytes(), src.Block.Bytes()
		q.each(func(to int64, from []int64) { copy(d[to*item:(to+1)*item], s[from[0]*item:]) })
		return
	}
	means[dst.DType](q)
}

// halver walks dst.
type halver struct {
	dst, src *chunk.Chunk
	y        int
	fill     []byte
}

// each calls f with the place of every element of dst and those of the elements of src it stands for.
func (q *halver) each(f func(to int64, from []int64)) {
	shape := q.dst.Shape
	if shape.Size() == 0 {
		return
	}
	sy, sx := q.src.Strides[q.y], q.src.Strides[q.y+1]
	ny, nx := q.src.Shape[q.y], q.src.Shape[q.y+1]
	k := make([]int64, len(shape))
	to, from := q.dst.Offset, q.src.Offset
	var at [4]int64
	for {
		n := 1
		at[0] = from
		right, below := 2*k[q.y+1]+1 < nx, 2*k[q.y]+1 < ny
		if right {
			at[n] = from + sx
			n++
		}
		if below {
			at[n] = from + sy
			n++
		}
		if right && below {
			at[n] = from + sy + sx
			n++
		}
		f(to, at[:n])
		i := len(shape) - 1
		for ; i >= 0; i-- {
			step := q.src.Strides[i]
			if i == q.y || i == q.y+1 {
				step *= 2
			}
			k[i]++
			to += q.dst.Strides[i]
			from += step
			if k[i] < shape[i] {
				break
			}
			to -= k[i] * q.dst.Strides[i]
			from -= k[i] * step
			k[i] = 0
		}
		if i < 0 {
			return
		}
	}
}

// means are the means by dtype.
var means = [dtype.Count]func(q *halver){
	dtype.Bool: meanInts[uint8],
	dtype.Int8: meanInts[int8], dtype.Int16: meanInts[int16], dtype.Int32: meanInts[int32], dtype.Int64: meanInts[int64],
	dtype.Uint8: meanInts[uint8], dtype.Uint16: meanInts[uint16], dtype.Uint32: meanInts[uint32], dtype.Uint64: meanInts[uint64],
	dtype.Float16: meanFloats(dtype.F16.Float64, dtype.F16Of), dtype.BFloat16: meanFloats(dtype.BF16.Float64, dtype.BF16Of),
	dtype.Float32:   meanFloats(func(x float32) float64 { return float64(x) }, func(x float64) float32 { return float32(x) }),
	dtype.Float64:   meanFloats(func(x float64) float64 { return x }, func(x float64) float64 { return x }),
	dtype.Complex64: meanComplex[complex64], dtype.Complex128: meanComplex[complex128],
}

func elems[T dtype.Number](q *halver) (src, dst []T, fill T, filled bool) {
	if filled = q.fill != nil; filled {
		fill = chunk.Elems[T](mem.Wrap(q.fill))[0]
	}
	return chunk.Elems[T](q.src.Block), chunk.Elems[T](q.dst.Block), fill, filled
}

// meanInts never overflows: quotients and remainders are added apart.
func meanInts[T int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64](q *halver) {
	src, dst, fill, filled := elems[T](q)
	q.each(func(to int64, from []int64) {
		n := T(0)
		for _, i := range from {
			if !filled || src[i] != fill {
				n++
			}
		}
		if n == 0 {
			dst[to] = fill
			return
		}
		quot, rem := T(0), int64(0)
		for _, i := range from {
			if x := src[i]; !filled || x != fill {
				quot += x / n
				rem += int64(x % n)
			}
		}
		k := int64(n)
		for ; rem < 0; rem += k {
			quot--
		}
		quot += T(rem / k)
		if rem %= k; 2*rem > k || 2*rem == k && quot >= 0 {
			quot++
		}
		dst[to] = quot
	})
}

func meanFloats[T dtype.Number](wide func(T) float64, narrow func(float64) T) func(q *halver) {
	return func(q *halver) {
		src, dst, fill, filled := elems[T](q)
		missing := math.NaN()
		if filled {
			missing = wide(fill)
		}
		q.each(func(to int64, from []int64) {
			sum, n := 0.0, 0
			for _, i := range from {
				if x := wide(src[i]); x == x && x != missing {
					sum += x
					n++
				}
			}
			if n == 0 {
				dst[to] = narrow(missing)
				return
			}
			dst[to] = narrow(sum / float64(n))
		})
	}
}

func meanComplex[T complex64 | complex128](q *halver) {
	src, dst, _, _ := elems[T](q)
	q.each(func(to int64, from []int64) {
		sum := complex128(0)
		for _, i := range from {
			sum += complex128(src[i])
		}
		dst[to] = T(sum / complex(float64(len(from)), 0))
	})
}

// SPDX-License-Identifier: BSD-3-Clause

package lapack

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
)

// What matrices can be unfit for.
var (
	ErrSingular  = errors.New("is singular")
	ErrDefinite  = errors.New("is not positive definite")
	ErrConverge  = errors.New("has no decomposition that was found: it did not converge")
	ErrNotFinite = errors.New("holds NaN or infinities")
)

// Number is what routines compute in.
type Number interface{ float64 | complex128 }

// Routine makes Out elements of the matrices of its operands, which it may change. Bytes bounds what Run takes of its Work.
type Routine[T Number] struct {
	In    []int
	Out   int
	Bytes int64
	Run   func(w *Work[T], in [][]T, out []T) error
}

// Room bounds the bytes that Each takes.
func (r *Routine[T]) Room() int64 {
	n := int64(r.Out)
	for _, k := range r.In {
		n += int64(k)
	}
	return r.Bytes + mem.ClassBytes(16*max(n, 1))
}

// Work is room that is used again: what a routine asks for lasts until the next matrix.
type Work[T Number] struct {
	floats []float64
	found  []float64 // what another routine has found
	ints   []int
	real   *Work[float64] // of the real matrices that stand for complex ones
}

// nan stands for what does not exist.
var nan = math.NaN()

// take returns n elements of a slice that grows, contents undefined.
func take[E any](s *[]E, n int) []E {
	if len(*s) < n {
		*s = make([]E, n)
	}
	return (*s)[:n]
}

// Each runs a routine for every matrix of the region at of the result. Chunks have len(at.Lo)-core axes of matrices, and behind them those of
// the matrix: core of the result. Matrices of the dtypes float32 and float64 are computed in float64, of complex64 and complex128 in complex128.
// An error tells the position of the matrix.
func Each[T Number](ctx context.Context, r *Routine[T], at chunk.Region, core int, out *chunk.Chunk, in []*chunk.Chunk, alloc mem.Allocator) error {
	rank := len(at.Lo) - core
	if out.Shape[:rank].Size() == 0 {
		return nil
	}
	total := r.Out
	for _, n := range r.In {
		total += n
	}
	var zero T
	size := int64(8)
	if _, isComplex := any(zero).(complex128); isComplex {
		size = 16
	}
	block, err := alloc.Alloc(max(1, int64(total)) * size)
	if err != nil {
		return err
	}
	defer block.Release()
	room := elems[T](block)
	result := room[:r.Out]
	operands := make([][]T, len(in))
	used := r.Out
	for i, n := range r.In {
		operands[i] = room[used : used+n]
		used += n
	}
	var w Work[T]
	var list [kernels.MaxAxes]int64
	pos := list[:rank]
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		for i, c := range in {
			if err := load(operands[i], c, offset(c, pos), rank); err != nil {
				return err
			}
		}
		if err := r.Run(&w, operands, result); err != nil {
			return fmt.Errorf("%s %w", matrixName(at, pos), err)
		}
		if err := store(out, offset(out, pos), rank, result); err != nil {
			return err
		}
		k := rank - 1
		for ; k >= 0; k-- {
			if pos[k]++; pos[k] < out.Shape[k] {
				break
			}
			pos[k] = 0
		}
		if k < 0 {
			return nil
		}
	}
}

// elems returns the elements of a block.
func elems[T Number](b *mem.Block) []T { return chunk.Elems[T](b) }

// matrixName returns what messages call a matrix of a region.
func matrixName(at chunk.Region, pos []int64) string {
	if len(pos) == 0 {
		return "the matrix"
	}
	list := make([]string, len(pos))
	for k, p := range pos {
		list[k] = fmt.Sprint(at.Lo[k] + p)
	}
	return "matrix (" + strings.Join(list, ", ") + ")"
}

// offset returns where a matrix of c begins.
func offset(c *chunk.Chunk, pos []int64) int64 {
	at := c.Offset
	for k, p := range pos {
		at += p * c.Strides[k]
	}
	return at
}

// coreOf returns the axes of a matrix as two, the first perhaps of length 1.
func coreOf(c *chunk.Chunk, rank int) (rows, cols, down, right int64) {
	switch n := len(c.Shape) - rank; n {
	case 0:
		return 1, 1, 0, 0
	case 1:
		return 1, c.Shape[rank], 0, c.Strides[rank]
	}
	return c.Shape[rank], c.Shape[rank+1], c.Strides[rank], c.Strides[rank+1]
}

// load packs the matrix of c that begins at an element.
func load[T Number](to []T, c *chunk.Chunk, at int64, rank int) error {
	switch x := any(to).(type) {
	case []float64:
		switch c.DType {
		case dtype.Float32:
			pack(x, chunk.Elems[float32](c.Block), c, at, rank, func(v float32) float64 { return float64(v) })
			return nil
		case dtype.Float64:
			pack(x, chunk.Elems[float64](c.Block), c, at, rank, func(v float64) float64 { return v })
			return nil
		}
	case []complex128:
		switch c.DType {
		case dtype.Complex64:
			pack(x, chunk.Elems[complex64](c.Block), c, at, rank, func(v complex64) complex128 { return complex128(v) })
			return nil
		case dtype.Complex128:
			pack(x, chunk.Elems[complex128](c.Block), c, at, rank, func(v complex128) complex128 { return v })
			return nil
		}
	}
	return fmt.Errorf("kernels/cpu/lapack: operand of %v: %w", c.DType, dtype.ErrPromote)
}

func pack[T, S any](to []T, from []S, c *chunk.Chunk, at int64, rank int, as func(S) T) {
	rows, cols, down, right := coreOf(c, rank)
	for i := range rows {
		row := to[i*cols:][:cols]
		for j := range row {
			row[j] = as(from[at+i*down+int64(j)*right])
		}
	}
}

// store spreads a matrix to its place in c, which begins at an element. Real numbers are pairs of parts where c is complex.
func store[T Number](c *chunk.Chunk, at int64, rank int, from []T) error {
	switch x := any(from).(type) {
	case []float64:
		switch c.DType {
		case dtype.Float32:
			unpack(chunk.Elems[float32](c.Block), x, c, at, rank, func(v float64) float32 { return float32(v) })
			return nil
		case dtype.Float64:
			unpack(chunk.Elems[float64](c.Block), x, c, at, rank, func(v float64) float64 { return v })
			return nil
		case dtype.Complex64:
			unpackPairs(chunk.Elems[complex64](c.Block), x, c, at, rank, func(v complex128) complex64 { return complex64(v) })
			return nil
		case dtype.Complex128:
			unpackPairs(chunk.Elems[complex128](c.Block), x, c, at, rank, func(v complex128) complex128 { return v })
			return nil
		}
	case []complex128:
		switch c.DType {
		case dtype.Complex64:
			unpack(chunk.Elems[complex64](c.Block), x, c, at, rank, func(v complex128) complex64 { return complex64(v) })
			return nil
		case dtype.Complex128:
			unpack(chunk.Elems[complex128](c.Block), x, c, at, rank, func(v complex128) complex128 { return v })
			return nil
		}
	}
	return fmt.Errorf("kernels/cpu/lapack: result of %v: %w", c.DType, dtype.ErrPromote)
}

func unpack[T, S any](to []S, from []T, c *chunk.Chunk, at int64, rank int, as func(T) S) {
	rows, cols, down, right := coreOf(c, rank)
	for i := range rows {
		for j, v := range from[i*cols:][:cols] {
			to[at+i*down+int64(j)*right] = as(v)
		}
	}
}

func unpackPairs[S any](to []S, from []float64, c *chunk.Chunk, at int64, rank int, as func(complex128) S) {
	rows, cols, down, right := coreOf(c, rank)
	for i := range rows {
		row := from[2*i*cols:][:2*cols]
		for j := range cols {
			to[at+i*down+j*right] = as(complex(row[2*j], row[2*j+1]))
		}
	}
}

// finite reports whether no element is NaN or infinite.
func finite(a []float64) bool {
	for _, v := range a {
		if math.IsNaN(v - v) {
			return false
		}
	}
	return true
}

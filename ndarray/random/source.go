// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"context"
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// source is the integers of one call: each is a function of the stream and of the element's position in C order, whatever is read before it.
type source struct {
	meta  formats.ArrayMeta
	from  stretch
	rule  rule
	order *shuffle // of a permutation: nothing else is drawn
}

// rule makes an integer of what is drawn: lo + draw>>shift or, with n above 0, lo + draw*n / 2^(bits drawn), rounded down. Sums wrap around.
type rule struct {
	width uint // bits of a draw: 64, 32, 16 or 8
	shift uint
	n     uint64 // draws are then of 64 bits or, above mostSingle, 128
	lo    uint64
}

// mostSingle is the largest n for which one word is enough: no event is then off by more than 2^-32 of probability, with two words never by more than 2^-64.
const mostSingle = 1 << 32

// pair reports whether an integer takes two words.
func (r rule) pair() bool { return r.n > mostSingle }

// bounded returns lo + floor(x*n / 2^64).
func (r rule) bounded(x uint64) uint64 {
	hi, _ := bits.Mul64(x, r.n)
	return r.lo + hi
}

// boundedPair returns lo + floor((x*2^64 + y)*n / 2^128).
func (r rule) boundedPair(x, y uint64) uint64 {
	hi, lo := bits.Mul64(x, r.n)
	more, _ := bits.Mul64(y, r.n)
	_, carry := bits.Add64(lo, more, 0)
	return r.lo + hi + carry
}

func (s *source) Meta() *formats.ArrayMeta { return &s.meta }
func (s *source) ScratchBytes() int64      { return 0 }

// ReadChunk makes chunk k.
func (s *source) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	return s.ReadRegion(ctx, s.meta.Grid.Region(k), dst)
}

// ReadRegion makes the elements in r. Nothing is read from storage, so it reports 0 bytes.
func (s *source) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if !dst.Shape.Equal(r.Shape()) || dst.DType != s.meta.DType {
		return 0, fmt.Errorf("random: read: chunk of %v%v for region %v of %v: %w", dst.DType, dst.Shape, r, s.meta.DType, chunk.ErrShape)
	}
	return 0, fillers[dst.DType](ctx, s, r, dst)
}

// fillers is what makes elements of each dtype.
var fillers = [...]func(ctx context.Context, s *source, r chunk.Region, dst *chunk.Chunk) error{
	dtype.Int8: fill[int8], dtype.Int16: fill[int16], dtype.Int32: fill[int32], dtype.Int64: fill[int64],
	dtype.Uint8: fill[uint8], dtype.Uint16: fill[uint16], dtype.Uint32: fill[uint32], dtype.Uint64: fill[uint64],
}

// integer is the types of integers.
type integer interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

// batch is how many elements are drawn together: their words stay in the first-level cache.
const batch = 512

// fill walks the stretches of r that are consecutive in C order.
func fill[T integer](ctx context.Context, s *source, r chunk.Region, dst *chunk.Chunk) error {
	rank := len(dst.Shape)
	run, axis := int64(1), rank // elements of a stretch; the axes from axis on are in it
	for axis > 0 && (axis == rank || dst.Shape[axis] == s.meta.Shape[axis]) && (dst.Shape[axis-1] == 1 || dst.Strides[axis-1] == run) {
		axis--
		run *= dst.Shape[axis]
	}
	step := int64(1)
	if run == 1 && rank > 0 { // elements that lie apart in dst
		axis = rank - 1
		run, step = dst.Shape[axis], dst.Strides[axis]
	}
	if dst.Shape.Size() == 0 {
		return nil
	}
	elems, strides := chunk.Elems[T](dst.Block), s.meta.Shape.RowMajor()
	var scratch scratch
	at := make(chunk.Shape, axis)
	for {
		to, first := dst.Offset, int64(0)
		for i := range rank {
			first += r.Lo[i] * strides[i]
		}
		for i, x := range at {
			to += x * dst.Strides[i]
			first += x * strides[i]
		}
		for done := int64(0); done < run; done += batch {
			if err := ctx.Err(); err != nil {
				return err
			}
			n := min(run-done, batch)
			draw(s, &scratch, uint64(first+done), n)
			if step == 1 {
				put(elems[to+done:to+done+n], scratch.words[:n])
				continue
			}
			for i, x := range scratch.words[:n] {
				elems[to+(done+int64(i))*step] = T(x)
			}
		}
		k := axis - 1
		for ; k >= 0; k-- {
			if at[k]++; at[k] < dst.Shape[k] {
				break
			}
			at[k] = 0
		}
		if k < 0 {
			return nil
		}
	}
}

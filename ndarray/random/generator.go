// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
)

// Generator makes lazy arrays of random numbers. Each call takes the stretch of the stream behind that of the call before, as NumPy's
// generators do, so arrays do not share draws and the order of the calls matters. A call that makes an array with an error takes nothing. It is not safe for
// concurrent use; the arrays are.
type Generator struct {
	seed   seedSequence
	spawns uint32
	stream *philox
	next   uint64 // the first word that is not taken
	spare  bool   // the upper half of the word left is not taken
	left   uint64
}

// New returns the generator that draws what numpy.random.Generator(numpy.random.Philox(seed)) does.
func New(seed uint64) *Generator { return newGenerator(seedSequence{entropy: seed}) }

func newGenerator(s seedSequence) *Generator { return &Generator{seed: s, stream: newPhilox(s.key())} }

// maxSpawns is how many children a generator may have, and how many generations.
const maxSpawns = 1 << 20

// Spawn returns n new generators, each with a stream of its own: those of NumPy's Generator.spawn. Later calls return others.
func (g *Generator) Spawn(n int) ([]*Generator, error) {
	if n < 0 || n > maxSpawns-int(g.spawns) {
		return nil, fmt.Errorf("random: spawn: got %d generators, want 0 to %d", n, maxSpawns-int(g.spawns))
	}
	out := make([]*Generator, n)
	for i := range out {
		s := g.seed
		s.path = append(append([]uint32(nil), s.path...), g.spawns)
		g.spawns++
		out[i] = newGenerator(s)
	}
	return out, nil
}

// take returns the next stretch of n integers by a rule.
func (g *Generator) take(r rule, n uint64) (stretch, error) {
	words := n
	at := stretch{stream: g.stream, first: g.next, spare: g.spare && r.width < 64, left: g.left}
	spare, left := g.spare, g.left
	switch {
	case n == 0:
		return at, nil
	case r.pair():
		words *= 2
	case r.width < 64:
		halves := (n-1)/(32/uint64(r.width)) + 1
		if at.spare {
			halves--
		}
		words = (halves + 1) / 2
		spare, left = halves%2 == 1, g.next+words-1
	}
	next, over := bits.Add64(g.next, words, 0)
	if over != 0 {
		return at, fmt.Errorf("%d elements begin at word %d of the stream, which ends at 2**64: use another seed", n, g.next)
	}
	g.next, g.spare, g.left = next, spare, left
	return at, nil
}

// integers returns an array of integers by a rule.
func (g *Generator) integers(fn string, r rule, shape chunk.Shape, dt dtype.DType, opts []ndarray.Option) ndarray.Array {
	grid, err := ndarray.CreatedGrid(shape, dt, opts...)
	if err != nil {
		return failf("%s: %w", fn, err)
	}
	from, err := g.take(r, uint64(shape.Size()))
	if err != nil {
		return failf("%s: %w", fn, err)
	}
	return array(fn, &source{from: from, rule: r}, dt, grid)
}

// array returns the array of a source, which gets its metadata here.
func array(fn string, s *source, dt dtype.DType, grid chunk.Grid) ndarray.Array {
	shape := grid.Shape.Clone()
	s.meta = formats.ArrayMeta{Shape: shape, DType: dt, ItemBytes: dt.Size(), Grid: grid, Stored: dt.String(), Bytes: shape.Size() * int64(dt.Size())}
	return ndarray.FromSource(s, fn)
}

// words returns an array of whole words.
func (g *Generator) words(fn string, shape chunk.Shape, opts []ndarray.Option) ndarray.Array {
	return g.integers(fn, rule{width: 64}, shape, dtype.Uint64, opts)
}

// Integers returns integers from lo to hi, without hi: as likely one as another. dtype.Invalid gives int64.
//
// Where hi-lo is a power of two, or all that the dtype has, these are NumPy's own; so are they where it is 1. Else NumPy discards some draws, and how many is not known
// before they are made: here one word is taken for each, or two from 2**32 values on, and multiplied by hi-lo, so that no set of integers has a probability
// that is wrong by more than 2**-32, with two words 2**-64.
//
// lo not below hi, and limits outside the dtype, are errors, as are dtypes that are not integers.
func (g *Generator) Integers(lo, hi int64, shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	if dt == dtype.Invalid {
		dt = dtype.Int64
	}
	if !dt.IsInteger() {
		return failf("integers: dtype: got %v, want integers: %w", dt, dtype.ErrPromote)
	}
	if lo >= hi {
		return failf("integers: limits: got %d to %d, want the first below the second", lo, hi)
	}
	size := uint(8 * dt.Size())
	least, most := int64(0), int64(math.MaxInt64) // of uint64, hi cannot be beyond
	switch {
	case dt.Kind() == dtype.KindInt:
		least, most = -1<<(size-1), 1<<(size-1)-1
	case size < 64:
		most = 1<<size - 1
	}
	if lo < least || hi-1 > most {
		return failf("integers: limits: got %d to %d, want %d to %d of %v", lo, hi, least, most, dt)
	}
	return g.between("integers", uint64(lo), uint64(hi)-uint64(lo), shape, dt, opts)
}

// between returns integers from lo on, of n values; n = 0 stands for 2**64.
func (g *Generator) between(fn string, lo, n uint64, shape chunk.Shape, dt dtype.DType, opts []ndarray.Option) ndarray.Array {
	size := uint(8 * dt.Size())
	switch {
	case n == 1:
		a := ndarray.Full(shape, 0, dt, opts...)
		if lo == 0 || a.Err() != nil {
			return a
		}
		if dt.Kind() == dtype.KindUint {
			return ndarray.Full(shape, lo, dt, opts...)
		}
		return ndarray.Full(shape, int64(lo), dt, opts...)
	case n&(n-1) == 0: // and 0
		width := size
		if n != 0 && n <= 1<<32 {
			width = min(width, 32)
		}
		return g.integers(fn, rule{width: width, shift: width - uint(bits.Len64(n-1)), lo: lo}, shape, dt, opts)
	}
	return g.integers(fn, rule{width: 64, n: n, lo: lo}, shape, dt, opts)
}

// Bits returns unsigned integers of which every bit is random: NumPy's integers(0, 2**bits, dtype=...). dtype.Invalid gives uint64, of which one is one word of the
// stream, random_raw's; other dtypes than unsigned integers are errors.
func (g *Generator) Bits(shape chunk.Shape, dt dtype.DType, opts ...ndarray.Option) ndarray.Array {
	if dt == dtype.Invalid {
		dt = dtype.Uint64
	}
	if dt.Kind() != dtype.KindUint {
		return failf("bits: dtype: got %v, want unsigned integers: %w", dt, dtype.ErrPromote)
	}
	return g.integers("bits", rule{width: uint(8 * dt.Size())}, shape, dt, opts)
}

// failf returns an array that carries an error.
func failf(format string, args ...any) ndarray.Array {
	return ndarray.Failed(fmt.Errorf("random: "+format, args...), "")
}

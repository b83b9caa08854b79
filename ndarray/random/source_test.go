// SPDX-License-Identifier: BSD-3-Clause

package random

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// sourceOf returns the source of integers by a rule.
func sourceOf(g *Generator, r rule, shape chunk.Shape, dt dtype.DType) (*source, error) {
	from, err := g.take(r, uint64(shape.Size()))
	return &source{meta: formats.ArrayMeta{Shape: shape, DType: dt, ItemBytes: dt.Size(), Grid: chunk.Regular(shape)}, from: from, rule: r}, err
}

// rules are the ways to make integers, with a dtype that holds them.
var rules = []struct {
	rule rule
	dt   dtype.DType
}{
	{rule{width: 64}, dtype.Uint64},
	{rule{width: 64, shift: 20, lo: 7}, dtype.Int64},
	{rule{width: 64, n: 1000, lo: 3}, dtype.Int32},
	{rule{width: 64, n: 3 << 62}, dtype.Uint64},
	{rule{width: 32}, dtype.Uint32},
	{rule{width: 32, shift: 12, lo: 1}, dtype.Int64},
	{rule{width: 16}, dtype.Uint16},
	{rule{width: 16, shift: 3}, dtype.Int16},
	{rule{width: 8}, dtype.Uint8},
	{rule{width: 8, shift: 1}, dtype.Int8},
}

// value returns element i of a contiguous chunk of integers.
func value(c *chunk.Chunk, i int64) uint64 {
	size := int64(c.ItemBytes)
	var v uint64
	for k, b := range c.Block.Bytes()[i*size : (i+1)*size] {
		v |= uint64(b) << (8 * k)
	}
	return v
}

// TestRegions reads regions of any place, shape and strides and compares them with the same elements read one by one.
func TestRegions(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, 1))
	for _, shape := range []chunk.Shape{{}, {1}, {5000}, {7, 1, 513}, {3, 4, 5, 6}, {40, 37}, {2000, 2}} {
		for k, c := range rules {
			g := New(uint64(k))
			for range k % 3 { // some begin with the half of a word
				if _, err := g.take(rule{width: 32}, 1); err != nil {
					t.Fatal(err)
				}
			}
			s, err := sourceOf(g, c.rule, shape, c.dt)
			if err != nil {
				t.Fatal(err)
			}
			strides := shape.RowMajor()
			for range 20 {
				at := chunk.Region{Lo: make(chunk.Shape, len(shape)), Hi: make(chunk.Shape, len(shape))}
				for i, n := range shape {
					at.Lo[i] = r.Int64N(n)
					at.Hi[i] = at.Lo[i] + 1 + r.Int64N(n-at.Lo[i])
					if r.IntN(3) == 0 {
						at.Lo[i], at.Hi[i] = 0, n
					}
				}
				dst := stridedChunk(r, c.dt, at.Shape())
				if _, err := s.ReadRegion(context.Background(), at, dst); err != nil {
					t.Fatal(err)
				}
				index := make(chunk.Shape, len(shape))
				for range min(at.Size(), 50) {
					to, from := dst.Offset, int64(0)
					for i := range index {
						index[i] = r.Int64N(dst.Shape[i])
						to += index[i] * dst.Strides[i]
						from += (at.Lo[i] + index[i]) * strides[i]
					}
					one := &scratch{}
					draw(s, one, uint64(from), 1)
					mask := uint64(math.MaxUint64) >> (64 - 8*c.dt.Size())
					if got, want := value(dst, to), one.words[0]&mask; got != want {
						t.Fatalf("seed %d, rule %+v, shape %v, region %v, strides %v: element %v = %d, want %d", seed, c.rule, shape, at, dst.Strides, index, got, want)
					}
				}
			}
		}
	}
}

// stridedChunk returns a chunk whose axes lie in memory in any order, perhaps with gaps, perhaps backwards.
func stridedChunk(r *rand.Rand, dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	c := &chunk.Chunk{DType: dt, ItemBytes: int32(dt.Size()), Shape: shape, Strides: shape.RowMajor()}
	n := shape.Size()
	if r.IntN(2) == 0 {
		n = 1 + r.Int64N(2)
		for _, i := range r.Perm(len(shape)) {
			c.Strides[i] = n
			n *= shape[i]
			if r.IntN(3) == 0 {
				c.Offset += (shape[i] - 1) * c.Strides[i]
				c.Strides[i] = -c.Strides[i]
			}
		}
	}
	c.Block = mem.Wrap(make([]byte, n*int64(dt.Size())))
	return c
}

// TestReadRefuses wants errors for chunks that are not of the region, and for work that nobody waits for any more.
func TestReadRefuses(t *testing.T) {
	s, err := sourceOf(New(1), rule{width: 64}, chunk.Shape{4}, dtype.Uint64)
	if err != nil {
		t.Fatal(err)
	}
	whole := chunk.Whole(chunk.Shape{4})
	r := rand.New(rand.NewPCG(1, 1))
	if _, err := s.ReadRegion(context.Background(), whole, stridedChunk(r, dtype.Uint64, chunk.Shape{3})); err == nil {
		t.Error("read of 4 elements into 3: no error")
	}
	if _, err := s.ReadRegion(context.Background(), whole, stridedChunk(r, dtype.Int32, chunk.Shape{4})); err == nil {
		t.Error("read of uint64 into int32: no error")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := s.ReadRegion(ctx, whole, stridedChunk(r, dtype.Uint64, chunk.Shape{4})); err != context.Canceled {
		t.Errorf("read after the end: %v, want %v", err, context.Canceled)
	}
}

// TestStreamEnds takes words up to the last of a stream, and no further: what cannot be had takes nothing.
func TestStreamEnds(t *testing.T) {
	g := New(3)
	half := uint64(1) << 63
	for _, n := range []uint64{half, half - 10} {
		if _, err := g.take(rule{width: 64}, n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := g.take(rule{width: 64, n: 3 << 62}, 6); err == nil {
		t.Error("12 words of 10: no error")
	}
	at, err := g.take(rule{width: 64, n: 3 << 62}, 4)
	if want := uint64(math.MaxUint64) - 9; err != nil || at.first != want {
		t.Errorf("8 words of 10: at %d, %v, want %d", at.first, err, want)
	}
	if _, err := g.take(rule{width: 32}, 6); err == nil {
		t.Error("6 halves of 2 words: no error")
	}
}

// TestNoOverlap wants the draws of calls to lie one behind another: of any mix of widths no word, and no half of one, is drawn twice.
func TestNoOverlap(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 5))
	g := New(5)
	halves := map[uint64]int{}
	for call := range 400 {
		c := rules[r.IntN(len(rules))].rule
		n := r.Uint64N(20)
		at, err := g.take(c, n)
		if err != nil {
			t.Fatal(err)
		}
		use := func(half uint64) {
			if old, ok := halves[half]; ok {
				t.Fatalf("calls %d and %d both draw half %d", old, call, half)
			}
			halves[half] = call
		}
		if c.width == 64 {
			if c.pair() {
				n *= 2
			}
			for i := range 2 * n {
				use(2*at.first + i)
			}
			continue
		}
		count := (n + 32/uint64(c.width) - 1) / (32 / uint64(c.width))
		if at.spare && count > 0 {
			use(2*at.left + 1)
			count--
		}
		for i := range count {
			use(2*at.first + i)
		}
	}
}

// TestBounded compares multiplied draws with exact arithmetic at the ends of what is drawn.
func TestBounded(t *testing.T) {
	const most = math.MaxUint64
	for _, c := range []struct {
		n, x, y, want uint64
	}{
		{3, 0, 0, 0}, {3, most, 0, 2}, {3, 1 << 63, 0, 1}, {3, most / 3, 0, 0}, {3, most/3 + 1, 0, 1},
		{most, most, most, most - 1}, {3 << 62, most, most, 3<<62 - 1}, {3 << 62, 0, most, 0}, {3 << 62, 1, most, 1}, {3 << 62, 1, 1 << 62, 0},
		{mostSingle + 1, most, most, mostSingle}, {mostSingle + 1, 1 << 63, 0, 1 << 31},
	} {
		r := rule{width: 64, n: c.n, lo: 5}
		got := r.bounded(c.x)
		if r.pair() {
			got = r.boundedPair(c.x, c.y)
		}
		if got != c.want+5 {
			t.Errorf("%d values, drawn %d, %d: got %d, want %d", c.n, c.x, c.y, got-5, c.want)
		}
	}
}

// BenchmarkDraw makes a chunk of 4 MiB by each rule.
func BenchmarkDraw(b *testing.B) {
	for _, c := range []struct {
		name string
		rule int
	}{{"bits64", 0}, {"bounded", 2}, {"pair", 3}, {"bits32", 4}, {"bits8", 8}} {
		b.Run("rule="+c.name, func(b *testing.B) {
			shape := chunk.Shape{1 << 19}
			s, err := sourceOf(New(1), rules[c.rule].rule, shape, rules[c.rule].dt)
			if err != nil {
				b.Fatal(err)
			}
			dst := &chunk.Chunk{DType: s.meta.DType, ItemBytes: int32(s.meta.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*8))}
			whole := chunk.Whole(shape)
			for b.Loop() {
				if _, err := s.ReadRegion(context.Background(), whole, dst); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(shape.Size()), "ns/element")
		})
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// randomView returns a chunk of the shape whose axes lie in random order and direction, with gaps.
func randomView(r *rand.Rand, shape chunk.Shape, item int) *chunk.Chunk {
	strides, n, off := make([]int64, len(shape)), int64(1), int64(r.IntN(3))
	for _, ax := range r.Perm(len(shape)) {
		strides[ax] = n
		n *= shape[ax] + int64(r.IntN(2))
		if r.IntN(4) == 0 && shape[ax] > 0 {
			off += (shape[ax] - 1) * strides[ax]
			strides[ax] = -strides[ax]
		}
	}
	b := make([]byte, (off+n+1)*int64(item))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return &chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(item), Shape: shape, Strides: strides, Offset: off, Block: mem.Wrap(b)}
}

// each calls f with the byte offset of every element, row-major.
func each(c *chunk.Chunk, f func(i int64, b []byte)) {
	b, item := c.Block.Bytes(), int64(c.ItemBytes)
	for i := range c.Shape.Size() {
		o, rest := c.Offset, i
		for ax := len(c.Shape) - 1; ax >= 0; ax-- {
			o += rest % c.Shape[ax] * c.Strides[ax]
			rest /= c.Shape[ax]
		}
		f(i, b[o*item:(o+1)*item])
	}
}

func TestCopyElemsMatchesDefinition(t *testing.T) {
	for seed := range 600 {
		r := rand.New(rand.NewPCG(uint64(seed), 1))
		shape := make(chunk.Shape, r.IntN(5))
		for i := range shape {
			shape[i] = int64(r.IntN(9))
			if len(shape) == 2 {
				shape[i] = int64(r.IntN(90))
			}
		}
		item := []int{1, 2, 4, 8, 16, 3, 12}[r.IntN(7)]
		src, dst := randomView(r, shape, item), randomView(r, shape, item)
		outside := bytes.Clone(dst.Block.Bytes())
		want := map[int64][]byte{}
		each(src, func(i int64, b []byte) { want[i] = bytes.Clone(b) })
		CopyElems(dst, src)
		each(dst, func(i int64, b []byte) {
			if !bytes.Equal(b, want[i]) {
				t.Fatalf("seed %d: shape %v item %d: element %d = %x, want %x", seed, shape, item, i, b, want[i])
			}
		})
		// what is not an element of dst must not have changed
		undo := *dst
		undo.Block = mem.Wrap(outside)
		var was [][]byte
		each(&undo, func(_ int64, b []byte) { was = append(was, bytes.Clone(b)) })
		each(dst, func(i int64, b []byte) { copy(b, was[i]) })
		if !bytes.Equal(dst.Block.Bytes(), outside) {
			t.Fatalf("seed %d: shape %v: CopyElems wrote beside the elements", seed, shape)
		}
		fill := []byte("0123456789abcdef")[:item]
		FillElems(dst, fill)
		each(dst, func(i int64, b []byte) {
			if !bytes.Equal(b, fill) {
				t.Fatalf("seed %d: FillElems: element %d = %x, want %x", seed, i, b, fill)
			}
		})
		FillElems(dst, nil)
		each(dst, func(i int64, b []byte) {
			if !allZero(b) {
				t.Fatalf("seed %d: FillElems(nil): element %d = %x, want zeros", seed, i, b)
			}
		})
	}
}

func TestCopyStrings(t *testing.T) {
	mk := func() *chunk.Chunk {
		s := chunk.Shape{2, 3}
		return &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: s, Strides: s.RowMajor(), Block: mem.Wrap(make([]byte, 96))}
	}
	src, dst := mk(), mk()
	for i, s := range []string{"a", "", "long text", "é", "x", "yz"} {
		SetText(src, int64(i), []byte(s))
	}
	FillElems(dst, []byte("fill"))
	CopyElems(dst.Sub(chunk.Region{Lo: chunk.Shape{0, 0}, Hi: chunk.Shape{1, 1}}), src.Sub(chunk.Region{Lo: chunk.Shape{0, 0}, Hi: chunk.Shape{1, 1}}))
	part := dst.Sub(chunk.Region{Lo: chunk.Shape{1, 0}, Hi: chunk.Shape{2, 3}})
	CopyElems(part, src.Sub(chunk.Region{Lo: chunk.Shape{0, 0}, Hi: chunk.Shape{1, 3}}))
	dst.Heap = part.Heap
	for i, want := range []string{"fill", "fill", "fill", "a", "", "long text"} {
		if i == 0 {
			continue // its text went to the heap of the first, discarded view
		}
		if got := string(Text(dst, int64(i))); got != want {
			t.Errorf("text %d = %q, want %q", i, got, want)
		}
	}
}

func BenchmarkCopyElems(b *testing.B) {
	shape := chunk.Shape{1000, 1000}
	src := &chunk.Chunk{DType: dtype.Float32, ItemBytes: 4, Shape: shape, Strides: []int64{1, 1000}, Block: mem.Wrap(make([]byte, 4e6))}
	dst := &chunk.Chunk{DType: dtype.Float32, ItemBytes: 4, Shape: shape, Strides: []int64{1000, 1}, Block: mem.Wrap(make([]byte, 4e6))}
	b.Run("transpose", func(b *testing.B) {
		b.SetBytes(4e6)
		for b.Loop() {
			CopyElems(dst, src)
		}
	})
}

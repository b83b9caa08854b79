// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"fmt"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// Chunk is a view of elements in a block. Strides and Offset count elements;
// a stride of 0 repeats, a negative one runs backwards. A String element is an
// offset and a length (two int64) into Heap.
//
// A function that receives a Chunk borrows it until it returns.
type Chunk struct {
	DType     dtype.DType
	ItemBytes int32 // bytes of one element; for Raw the record's size
	Shape     Shape
	Strides   []int64
	Offset    int64
	Block     *mem.Block
	Heap      []byte
}

// New returns a C-ordered chunk with undefined contents. The caller owns its
// block's one reference. itemBytes is used for Raw only. A shape that no memory
// could hold gives an error wrapping ErrShape.
func New(a mem.Allocator, dt dtype.DType, itemBytes int, shape Shape) (*Chunk, error) {
	if dt != dtype.Raw {
		itemBytes = dt.Size()
	}
	n, err := shape.Bytes(int64(itemBytes))
	if err != nil {
		return nil, err
	}
	b, err := a.Alloc(n)
	if err != nil {
		return nil, err
	}
	return &Chunk{DType: dt, ItemBytes: int32(itemBytes), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: b}, nil
}

// Retain adds a reference to the block.
func (c *Chunk) Retain() { c.Block.Retain() }

// Release drops a reference to the block; c must not be used afterwards by its releaser.
func (c *Chunk) Release() {
	if c.Block != nil {
		c.Block.Release()
	}
}

// Contiguous reports whether the elements lie in C order without gaps.
func (c *Chunk) Contiguous() bool {
	n := int64(1)
	for i := len(c.Shape) - 1; i >= 0; i-- {
		if c.Shape[i] != 1 && c.Strides[i] != n {
			return false
		}
		n *= c.Shape[i]
	}
	return true
}

// Bytes returns the bytes of a contiguous chunk, without copying; it panics on another.
func (c *Chunk) Bytes() []byte {
	if !c.Contiguous() {
		panic("chunk: Bytes of a chunk that is not contiguous")
	}
	o := c.Offset * int64(c.ItemBytes)
	return c.Block.Bytes()[o : o+c.Shape.Size()*int64(c.ItemBytes)]
}

// Sub returns the part of c inside r (in c's own coordinates), sharing its
// block: no reference is added, so it is valid as long as c is.
func (c *Chunk) Sub(r Region) *Chunk {
	s := *c
	s.Shape = r.Shape()
	for i := range r.Lo {
		s.Offset += r.Lo[i] * c.Strides[i]
	}
	return &s
}

// Base returns the address of the element at index 0.
func (c *Chunk) Base() unsafe.Pointer {
	b := c.Block.Bytes()
	if len(b) == 0 {
		return nil
	}
	return unsafe.Pointer(uintptr(unsafe.Pointer(unsafe.SliceData(b))) + uintptr(c.Offset*int64(c.ItemBytes)))
}

// Values is a typed view of a chunk: At and Set take one index per axis.
type Values[T dtype.Number] struct {
	data    []T
	strides []int64
	offset  int64
}

// View returns c's elements as T, sharing memory. It panics when T is not c's dtype.
func View[T dtype.Number](c *Chunk) Values[T] {
	if dtype.Of[T]() != c.DType {
		panic(fmt.Sprintf("chunk: View of %v as %v", c.DType, dtype.Of[T]()))
	}
	return Values[T]{Elems[T](c.Block), c.Strides, c.Offset}
}

// Elems returns a block's bytes as a slice of T, sharing memory.
func Elems[T dtype.Number](b *mem.Block) []T {
	p := b.Bytes()
	var z T
	n := len(p) / int(unsafe.Sizeof(z))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(p))), n)
}

// Slice returns the elements of a contiguous chunk as a slice, sharing memory;
// it panics on another layout or dtype.
func Slice[T dtype.Number](c *Chunk) []T {
	if dtype.Of[T]() != c.DType || !c.Contiguous() {
		panic(fmt.Sprintf("chunk: Slice of a %v chunk with strides %v as %v", c.DType, c.Strides, dtype.Of[T]()))
	}
	return Elems[T](c.Block)[c.Offset : c.Offset+c.Shape.Size()]
}

// At returns the element at the index, one number per axis.
func (v Values[T]) At(index ...int64) T { return v.data[v.pos(index)] }

// Set stores x at the index, one number per axis.
func (v Values[T]) Set(x T, index ...int64) { v.data[v.pos(index)] = x }

func (v Values[T]) pos(index []int64) int64 {
	o := v.offset
	for i, x := range index {
		o += x * v.strides[i]
	}
	return o
}

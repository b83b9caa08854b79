// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Product is the product of matrices,
//
//	out[b, i, j] = sum over k of x[b, i, k] * y[b, k, j]
//
// where b, i, k and j stand for Batch, Rows, Sums and Cols axes each, in this order. Operands and result have one dtype, float32 or
// float64.
//
// The k are numbered row-major and taken in ascending order, in blocks of OuterBlock. The sum of a block begins with 0 and takes one product after
// another, each step a fused multiply-add that rounds to the dtype; the sums of the blocks are added, in their order, to a total that begins with 0.
//
// A call has the lengths of b, i, k and j, in this order, for Shape; its inputs and its output, which shares no memory with
// them, have the shapes that follow from it. Axes of any chunk may have any stride.
type Product struct {
	DType                   dtype.DType
	Batch, Rows, Sums, Cols int
}

// ProductScratch is how many bytes of scratch a call of a product takes at most, on any device.
const ProductScratch = 3 << 20

// String returns the canonical text: product float32 batch=1 rows=1 sums=1 cols=1.
func (p *Product) String() string {
	return fmt.Sprintf("product %v batch=%d rows=%d sums=%d cols=%d", p.DType, p.Batch, p.Rows, p.Sums, p.Cols)
}

// Key returns the canonical text, which is short.
func (p *Product) Key() string { return p.String() }

// Hash returns a hash of Key.
func (p *Product) Hash() uint64 { return hashKey(p.Key()) }

// Verify returns an error for another dtype, wrapping ErrUnsupported, and for numbers of axes below 0.
func (p *Product) Verify() error {
	if p.DType != dtype.Float32 && p.DType != dtype.Float64 {
		return fmt.Errorf("kernels: %v: got %v, want float32 or float64: %w", p, p.DType, ErrUnsupported)
	}
	if min(p.Batch, p.Rows, p.Sums, p.Cols) < 0 {
		return fmt.Errorf("kernels: %v: want no number of axes below 0", p)
	}
	return nil
}

// ProductAxes are strides, or lengths, of the axes that b, i, k and j stand for; nil where a chunk lacks them.
type ProductAxes struct{ Batch, Rows, Sums, Cols []int64 }

// Split returns the parts of a call's Shape.
func (p *Product) Split(shape chunk.Shape) ProductAxes {
	i := p.Batch
	k := i + p.Rows
	j := k + p.Sums
	return ProductAxes{shape[:i:i], shape[i:k:k], shape[k:j:j], shape[j:]}
}

// Left, Right and Result return the parts of the shape, or the strides, of the first and of the second input and of the output.
func (p *Product) Left(axes []int64) ProductAxes {
	i, k := p.Batch, p.Batch+p.Rows
	return ProductAxes{Batch: axes[:i:i], Rows: axes[i:k:k], Sums: axes[k:]}
}

// Right is like Left.
func (p *Product) Right(axes []int64) ProductAxes {
	i, j := p.Batch, p.Batch+p.Sums
	return ProductAxes{Batch: axes[:i:i], Sums: axes[i:j:j], Cols: axes[j:]}
}

// Result is like Left.
func (p *Product) Result(axes []int64) ProductAxes {
	i, j := p.Batch, p.Batch+p.Rows
	return ProductAxes{Batch: axes[:i:i], Rows: axes[i:j:j], Cols: axes[j:]}
}

// Check returns an error for a call whose chunks do not fit the product.
func (p *Product) Check(c *Call) error {
	if len(c.In) != 2 || len(c.Out) != 1 || len(c.Shape) != p.Batch+p.Rows+p.Sums+p.Cols {
		return fmt.Errorf("kernels: run %v: got %d inputs, %d outputs and a loop of shape %v, want 2, 1 and rank %d",
			p, len(c.In), len(c.Out), c.Shape, p.Batch+p.Rows+p.Sums+p.Cols)
	}
	l := p.Split(c.Shape)
	for _, x := range [3]struct {
		name string
		c    *chunk.Chunk
		want [3][]int64
	}{
		{"first operand", c.In[0], [3][]int64{l.Batch, l.Rows, l.Sums}},
		{"second operand", c.In[1], [3][]int64{l.Batch, l.Sums, l.Cols}},
		{"result", c.Out[0], [3][]int64{l.Batch, l.Rows, l.Cols}},
	} {
		at := 0
		fits := x.c.DType == p.DType && len(x.c.Shape) == len(x.want[0])+len(x.want[1])+len(x.want[2])
		for _, part := range x.want {
			for _, n := range part {
				fits = fits && x.c.Shape[at] == n
				at++
			}
		}
		if !fits {
			return fmt.Errorf("kernels: run %v: %s: got %v%v, want %v%v%v%v: %w", p, x.name, x.c.DType, x.c.Shape, p.DType, x.want[0], x.want[1], x.want[2], chunk.ErrShape)
		}
	}
	return nil
}

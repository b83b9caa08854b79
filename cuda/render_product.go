// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// A block of threads computes productSide x productSide elements of a product, from productDeep sums of both operands at a time, which
// are in shared memory. A thread has productRows rows of them, in the columns threadIdx.x and threadIdx.x + 32.
const (
	productSide = 64
	productDeep = 16
	productRows = productSide * tileSide / blockThreads
)

// productForm is the form of a product of matrices: one step.
type productForm struct{ *kernels.Product }

func newProductForm(u kernels.Unit) (form, error) {
	p, ok := u.(*kernels.Product)
	if !ok {
		return nil, nil
	}
	if n := p.Batch + p.Rows + p.Sums + p.Cols; n > kernels.MaxAxes {
		return nil, fmt.Errorf("cuda: %v: %d axes, want at most %d: %w", p, n, kernels.MaxAxes, kernels.ErrUnsupported)
	}
	return productForm{p}, p.Verify()
}

func (k productForm) check(c *kernels.Call) error { return k.Check(c) }

func (k productForm) reads(*piece, int) reading { return readsAll }

func (k productForm) changes(*kernels.Call) []*chunk.Chunk { return nil }

func (k productForm) whole(c *kernels.Call) *piece { return &piece{Call: c} }

// axes returns where the rows, the sums and the columns begin among the axes of a loop, and where the last end.
func (k productForm) axes() (rows, sums, cols, end int) {
	return k.Batch, k.Batch + k.Rows, k.Batch + k.Rows + k.Sums, k.Batch + k.Rows + k.Sums + k.Cols
}

// steps plans the launch over the loop of all axes, of which each operand lacks some.
func (k productForm) steps(p *piece, in []*chunk.Chunk) []*step {
	rows, sums, cols, end := k.axes()
	var set, fixed kernels.AxisSet
	for a := range end {
		fixed |= kernels.Axes(a)
		if a >= sums && a < cols {
			set |= kernels.Axes(a)
		}
	}
	x, y := *in[0], *in[1]
	left, right := k.Left(x.Strides), k.Right(y.Strides)
	l := k.Split(p.Shape)
	none := func(n int) []int64 { return make([]int64, n) }
	x.Shape, x.Strides = p.Shape, slices.Concat(left.Batch, left.Rows, left.Sums, none(len(l.Cols)))
	y.Shape, y.Strides = p.Shape, slices.Concat(right.Batch, none(len(l.Rows)), right.Sums, right.Cols)
	g := newGeometry(p.Shape, set, fixed, []*chunk.Chunk{&x, &y}, []bool{true, true})
	tiles := func(part []int64) int64 { return (chunk.Shape(part).Size() + productSide - 1) / productSide }
	st := &step{geo: g, vector: 1, width: 1, template: templateTiles, updates: func(int) bool { return false },
		count: chunk.Shape(l.Batch).Size() * tiles(l.Rows) * tiles(l.Cols)}
	for _, a := range g.from {
		st.name += fmt.Sprint(a, " ")
	}
	st.name += fmt.Sprint(rows, sums, cols, g.wide)
	st.source = func() (*Source, error) { return renderProduct(k, g) }
	return []*step{st}
}

// halves cuts the longest axis of the result.
func (k productForm) halves(p *piece) ([]*piece, bool) {
	_, sums, cols, end := k.axes()
	axis := -1
	for a, n := range p.Shape {
		if (a < sums || a >= cols) && n > 1 && (axis < 0 || n > p.Shape[axis]) {
			axis = a
		}
	}
	if axis < 0 {
		return nil, false
	}
	n := p.Shape[axis]
	half := func(lo, hi int64) *piece {
		c := *p.Call
		c.Shape = p.Shape.Clone()
		c.Shape[axis] = hi - lo
		part := func(of *chunk.Chunk, from, to int) *chunk.Chunk { // of a chunk that lacks the axes between
			at := axis
			switch {
			case axis >= to:
				at -= to - from
			case axis >= from:
				return of
			}
			r := chunk.Whole(of.Shape)
			r.Lo[at], r.Hi[at] = lo, hi
			return of.Sub(r)
		}
		c.In = []*chunk.Chunk{part(p.In[0], cols, end), part(p.In[1], k.Batch, sums)}
		c.Out = []*chunk.Chunk{part(p.Out[0], sums, cols)}
		return &piece{Call: &c}
	}
	return []*piece{half(0, n/2), half(n/2, n)}, false
}

func (k productForm) example(shape chunk.Shape, _ int64) ([]*step, error) {
	_, _, _, end := k.axes()
	if len(shape) != end {
		return nil, fmt.Errorf("cuda: sources: got a shape of rank %d, want %d: %w", len(shape), end, chunk.ErrShape)
	}
	l := k.Split(shape)
	operand := func(parts ...[]int64) *chunk.Chunk {
		s := chunk.Shape(slices.Concat(parts...))
		return &chunk.Chunk{DType: k.DType, ItemBytes: int32(k.DType.Size()), Shape: s, Strides: s.RowMajor()}
	}
	in := []*chunk.Chunk{operand(l.Batch, l.Rows, l.Sums), operand(l.Batch, l.Sums, l.Cols)}
	return k.steps(k.whole(&kernels.Call{Shape: shape}), in), nil
}

// place writes the offset of an operand's element at number from of the axes from first to end of the loop, plus base, to a new variable to.
func (w *writer) place(g *geometry, operand, first, end int, from, base, to, indent string) {
	var axes []int
	for j, a := range g.from {
		if a >= first && a < end {
			axes = append(axes, j)
		}
	}
	w.printf("%six %s = %s;\n", indent, to, base)
	for i := len(axes) - 1; i >= 0; i-- {
		j := axes[i]
		s := w.number(fmt.Sprintf("s%d_%d", operand, j), func(l *launch) int64 { return l.geo.stride[operand][j] })
		if i == 0 {
			w.printf("%s%s += (ix)(%s) * (ix)%s;\n", indent, to, from, s)
			continue
		}
		d := w.number(fmt.Sprintf("d%d", j), dimOf(j))
		w.printf("%s%s += (ix)(%s %% (un)%s) * (ix)%s;\n", indent, to, from, d, s)
		from = fmt.Sprintf("%s / (un)%s", from, d)
	}
}

// renderProduct returns the source of a product. Sums go up in sequence inside blocks of kernels.OuterBlock, whose sums are added in their order.
func renderProduct(k productForm, g *geometry) (*Source, error) {
	w := newWriter(g.wide)
	t := ctype[k.DType]
	fma := "fma"
	if k.DType == dtype.Float32 {
		fma = "fmaf"
	}
	rows, sums, cols, end := k.axes()
	w.param(t+" *__restrict__ ", "out", func(l *launch) uint64 { return l.out[0] })
	for i := range 2 {
		w.param("const "+t+" *__restrict__ ", fmt.Sprintf("in%d", i), func(l *launch) uint64 { return l.in[i] })
	}
	length := func(name string, first, end int) string {
		return w.number(name, func(l *launch) int64 { return l.call.Shape[first:end].Size() })
	}
	n := w.number("n", func(l *launch) int64 { return int64(l.count) })
	high, deep, wide := length("rows", rows, sums), length("sums", sums, cols), length("cols", cols, end)
	w.printf("\t__shared__ %s x[%d][%d], y[%d][%d];\n", t, productDeep, productSide+1, productDeep, productSide)
	w.printf("\tconst un id = threadIdx.y * %d + threadIdx.x, wide = (un)((%s + %d) / %d), high = (un)((%s + %d) / %d);\n",
		tileSide, wide, productSide-1, productSide, high, productSide-1, productSide)
	w.printf("\tfor (un tile = blockIdx.x; tile < (un)%s; tile += gridDim.x) {\n", n)
	w.printf("\t\tconst un left = tile %% wide * %d, rest = tile / wide, top = rest %% high * %d, matrix = rest / high;\n", productSide, productSide)
	w.place(g, 0, 0, rows, "matrix", "0", "px", "\t\t")
	w.place(g, 1, 0, rows, "matrix", "0", "py", "\t\t")
	w.printf("\t\t%s total[%d][2] = {};\n", t, productRows)
	w.printf("\t\tfor (un block = 0; block < (un)%s; block += %d) {\n", deep, kernels.OuterBlock)
	w.printf("\t\t\t%s sum[%d][2] = {};\n", t, productRows)
	w.printf("\t\t\tconst un last = (un)%s - block < %d ? (un)%s : block + %d;\n", deep, kernels.OuterBlock, deep, kernels.OuterBlock)
	w.printf("\t\t\tfor (un from = block; from < last; from += %d) {\n", productDeep)
	w.printf("\t\t\t\tfor (un e = id; e < %d; e += %d) {\n", productSide*productDeep, blockThreads)
	w.printf("\t\t\t\t\tconst un s = e %% %d, r = e / %d, k = from + s, i = top + r;\n\t\t\t\t\tif (k < last && i < (un)%s) {\n", productDeep, productDeep, high)
	w.place(g, 0, rows, sums, "i", "px", "at", "\t\t\t\t\t\t")
	w.place(g, 0, sums, cols, "k", "at", "here", "\t\t\t\t\t\t")
	w.printf("\t\t\t\t\t\tx[s][r] = in0[here];\n\t\t\t\t\t}\n\t\t\t\t}\n")
	w.printf("\t\t\t\tfor (un e = id; e < %d; e += %d) {\n", productSide*productDeep, blockThreads)
	w.printf("\t\t\t\t\tconst un s = e / %d, c = e %% %d, k = from + s, j = left + c;\n\t\t\t\t\tif (k < last && j < (un)%s) {\n", productSide, productSide, wide)
	w.place(g, 1, sums, cols, "k", "py", "at", "\t\t\t\t\t\t")
	w.place(g, 1, cols, end, "j", "at", "here", "\t\t\t\t\t\t")
	w.printf("\t\t\t\t\t\ty[s][c] = in1[here];\n\t\t\t\t\t}\n\t\t\t\t}\n\t\t\t\t__syncthreads();\n")
	w.printf("\t\t\t\tconst un some = last - from < %d ? last - from : %d;\n", productDeep, productDeep)
	w.printf("\t\t\t\tfor (un s = 0; s < some; s++) {\n\t\t\t\t\tconst %s a = y[s][threadIdx.x], b = y[s][threadIdx.x + %d];\n", t, tileSide)
	w.printf("\t\t\t\t\tfor (un r = 0; r < %d; r++) {\n\t\t\t\t\t\tconst %s v = x[s][threadIdx.y * %d + r];\n", productRows, t, productRows)
	w.printf("\t\t\t\t\t\tsum[r][0] = %s(v, a, sum[r][0]);\n\t\t\t\t\t\tsum[r][1] = %s(v, b, sum[r][1]);\n\t\t\t\t\t}\n\t\t\t\t}\n\t\t\t\t__syncthreads();\n\t\t\t}\n", fma, fma)
	w.printf("\t\t\tfor (un r = 0; r < %d; r++) {\n\t\t\t\ttotal[r][0] += sum[r][0];\n\t\t\t\ttotal[r][1] += sum[r][1];\n\t\t\t}\n\t\t}\n", productRows)
	w.printf("\t\tfor (un r = 0; r < %d; r++) {\n\t\t\tconst un i = top + threadIdx.y * %d + r;\n", productRows, productRows)
	w.printf("\t\t\tif (i >= (un)%s) break;\n", high)
	w.printf("\t\t\tconst un at = (matrix * (un)%s + i) * (un)%s, j = left + threadIdx.x;\n", high, wide)
	w.printf("\t\t\tif (j < (un)%s) out[at + j] = total[r][0];\n\t\t\tif (j + %d < (un)%s) out[at + j + %d] = total[r][1];\n\t\t}\n\t}\n", wide, tileSide, wide, tileSide)
	return w.finish("product", perTile)
}

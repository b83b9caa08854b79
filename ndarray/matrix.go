// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Sums of products with fewer rows, columns or terms than leastSide, or fewer products than leastWork, are a multiplication and a sum, in one
// program with what comes before and after.
const (
	leastSide = 4
	leastWork = 4096
)

// depth is how many terms of the sums one call adds; more are cut into runs of about as many, whose sums are added afterwards.
const depth = 4096

// fewSums is how many times larger than the sums of all runs operands are from which those sums are computed before they are added.
const fewSums = 8

// matrices returns contract's result for two operands as a product of matrices, where it is one of floats that is large enough: what is summed
// is in both operands. See kernels.Product for the order of the sums; runs of depth are added as Sum does. Complex
// numbers are products of real and imaginary parts.
func matrices(out []int, x, y labelled, dt dtype.DType) (Array, bool) {
	if !dt.IsFloat() && !dt.IsComplex() || x.a.unknown() || y.a.unknown() {
		return Array{}, false
	}
	m, ok := newMatrixProduct(out, x, y)
	if !ok {
		return Array{}, false
	}
	in := dt
	switch dt {
	case dtype.Float16, dtype.BFloat16:
		in = dtype.Float32
	case dtype.Complex64, dtype.Complex128:
		return m.complex(dt), true
	}
	return m.of(m.x.a.AsType(in), m.y.a.AsType(in)).AsType(dt), true
}

// matrixProduct is a product of matrices: its axes are labelled, and each label is of the batch, in operands and result, or of the rows, of the
// columns or of the sums.
type matrixProduct struct {
	out                     []int
	x, y                    labelled
	size                    map[int]int64
	batch, rows, sums, cols []int
	runs                    int     // how many of sums' axes, from the first on, are cut: the last of them into steps, those before into single positions
	step                    int64   // 0: nothing is cut
	counts                  []int64 // of each of those axes, how many pieces
}

// newMatrixProduct sorts the labels, or reports false where the sum of products is none of matrices, or too small.
func newMatrixProduct(out []int, x, y labelled) (*matrixProduct, bool) {
	m := &matrixProduct{out: out, size: map[int]int64{}}
	for _, t := range []labelled{x, y} {
		for k, l := range t.labels {
			m.size[l] = max(m.size[l], t.a.Shape()[k])
		}
	}
	m.x, m.y = m.squeezed(x), m.squeezed(y)
	for _, l := range slices.Concat(m.x.labels, m.y.labels) {
		inX, inY, kept := slices.Contains(m.x.labels, l), slices.Contains(m.y.labels, l), slices.Contains(out, l)
		list := &m.sums
		switch {
		case inX && inY && kept:
			list = &m.batch
		case inX && kept:
			list = &m.rows
		case inY && kept:
			list = &m.cols
		case !inX || !inY:
			return nil, false
		}
		if !slices.Contains(*list, l) {
			*list = append(*list, l)
		}
	}
	rows, cols, sums := m.length(m.rows), m.length(m.cols), m.length(m.sums)
	if min(rows, cols, sums) < leastSide || float64(rows)*float64(cols)*float64(sums) < leastWork {
		return nil, false
	}
	m.cutSums()
	return m, true
}

// squeezed returns t without the axes of length 1 that repeat along the other operand's.
func (m *matrixProduct) squeezed(t labelled) labelled {
	var axes, labels []int
	for k, l := range t.labels {
		if t.a.Shape()[k] == m.size[l] {
			labels = append(labels, l)
		} else {
			axes = append(axes, k)
		}
	}
	if axes == nil {
		return t
	}
	return labelled{t.a.Squeeze(axes...), labels}
}

// length returns the product of the lengths of labels.
func (m *matrixProduct) length(labels []int) int64 {
	n := int64(1)
	for _, l := range labels {
		n *= m.size[l]
	}
	return n
}

// cutSums cuts the sums into runs of depth at most: one axis into steps, and those before it into single positions.
func (m *matrixProduct) cutSums() {
	if m.length(m.sums) <= depth {
		return
	}
	inner := int64(1)
	k := len(m.sums) - 1
	for inner*m.size[m.sums[k]] <= depth {
		inner *= m.size[m.sums[k]]
		k--
	}
	m.runs, m.step = k+1, depth/inner
	for _, l := range m.sums[:k] {
		m.counts = append(m.counts, m.size[l])
	}
	m.counts = append(m.counts, (m.size[m.sums[k]]+m.step-1)/m.step)
}

// complex returns the product of complex numbers: those of the parts.
func (m *matrixProduct) complex(dt dtype.DType) Array {
	parts := func(a Array) (re, im Array, real bool) {
		if !a.DType().IsComplex() {
			return a.AsType(dt.Part()), Array{}, true
		}
		a = a.AsType(dt)
		return Apply("real", a), Apply("imag", a), false
	}
	xr, xi, realX := parts(m.x.a)
	yr, yi, realY := parts(m.y.a)
	switch {
	case realX:
		return Apply("complex", m.of(xr, yr), m.of(xr, yi))
	case realY:
		return Apply("complex", m.of(xr, yr), m.of(xi, yr))
	}
	return Apply("complex", m.of(xr, yr).Sub(m.of(xi, yi)), m.of(xr, yi).Add(m.of(xi, yr)))
}

// of returns the product of x and y, of float32 or float64, which have the operands' labels.
func (m *matrixProduct) of(x, y Array) Array {
	for _, a := range []Array{x, y} {
		if a.Err() != nil {
			return a
		}
	}
	unit := &kernels.Product{DType: x.DType(), Batch: len(m.batch), Rows: len(m.rows), Sums: len(m.sums), Cols: len(m.cols)}
	grid := m.grid(x, y)
	// Each operand is wanted once for every piece of the other's labels in the result, and what both are made of twice: powers would double it again and again.
	inX, inY := x.functions(), y.functions()
	shared := slices.ContainsFunc(inX, func(n *graph.Node) bool { return slices.Contains(inY, n) })
	if len(inX) > 0 && (shared || m.pieces(grid, m.cols) > 1) {
		x = x.Once()
	}
	if len(inY) > 0 && (shared || m.pieces(grid, m.rows) > 1) {
		y = y.Once()
	}
	operands := [2][]int{m.x.labels, m.y.labels}
	arg := graph.OpaqueArg{
		Key:     fmt.Sprintf("%v of %v and %v to %v, steps of %d", unit, m.x.labels, m.y.labels, m.out, m.step),
		Need:    func(i int, at chunk.Region) chunk.Region { return m.need(operands[i], at) },
		Scratch: func(chunk.Shape) int64 { return kernels.ProductScratch },
		Blocks:  grid.Axes,
		Strided: true,
		Unit:    unit,
		Work: func(out chunk.Shape) float64 {
			return float64(out.Size()) * float64(m.length(m.sums)) / float64(chunk.Shape(m.counts).Size())
		},
		Run: m.run,
	}
	p := Array{here().Opaque(arg, x.DType(), grid, x.Node(), y.Node())}
	if m.step > 0 {
		if p.bytes()*fewSums <= x.bytes()+y.bytes() {
			p = p.Once() // tasks for runs, of which a fold would put many into one
		}
		p = p.Sum(0)
	}
	return p
}

// bytes returns the size of a's elements.
func (a Array) bytes() float64 { return float64(a.Size()) * float64(a.DType().Size()) }

// pieces returns how many chunks of the result lie side by side along labels.
func (m *matrixProduct) pieces(g chunk.Grid, labels []int) int64 {
	n := int64(1)
	for _, l := range labels {
		n *= g.Axes[len(g.Axes)-len(m.out)+slices.Index(m.out, l)].Count()
	}
	return n
}

// tileSide bounds the rows and the columns of a chunk of the result, batchBytes what is read and written for one of several small matrices.
const (
	tileSide   = 1024
	batchBytes = 4 << 20
)

// grid returns the grid of the result, before it: runs of the sums, one a chunk. Chunks are squares of rows and columns, along the operands' own
// chunks, of several matrices where those are small.
func (m *matrixProduct) grid(x, y Array) chunk.Grid {
	rows, cols, deep := m.length(m.rows), m.length(m.cols), min(m.length(m.sums), depth)
	side := min(max(int64(math.Sqrt(float64(rows)*float64(cols)/16)), 256), tileSide)
	high := min(rows, side)
	wide := min(cols, 2*side-high)
	high = min(rows, 2*side-wide)
	bytes := int64(x.DType().Size())
	some := max(batchBytes/max((high*deep+deep*wide+high*wide)*bytes, 1), 1)
	steps := map[int]int64{}
	divide := func(labels []int, n int64, of labelled, a Array) {
		for i := len(labels) - 1; i >= 0; i-- {
			l := labels[i]
			step := min(max(n, 1), m.size[l])
			if c := a.Grid().Axes[slices.Index(of.labels, l)].Max(); c > 1 && c < step {
				step = step / c * c
			}
			steps[l] = max(step, 1)
			if n /= steps[l]; steps[l] < m.size[l] {
				n = 1
			}
		}
	}
	divide(m.batch, some, m.x, x)
	divide(m.rows, high, m.x, x)
	divide(m.cols, wide, m.y, y)
	var g chunk.Grid
	if m.step > 0 {
		g.Shape = append(g.Shape, chunk.Shape(m.counts).Size())
		g.Axes = append(g.Axes, chunk.Axis{Len: g.Shape[0], Step: 1})
	}
	for _, l := range m.out {
		g.Shape = append(g.Shape, m.size[l])
		g.Axes = append(g.Axes, chunk.Axis{Len: m.size[l], Step: steps[l]})
	}
	return g
}

// span returns what run n of the sums covers of a label of theirs: all where its axis is not cut.
func (m *matrixProduct) span(n int64, label int) (lo, hi int64) {
	k := slices.Index(m.sums, label)
	if k >= m.runs {
		return 0, m.size[label]
	}
	for i := m.runs - 1; i > k; i-- {
		n /= m.counts[i]
	}
	n %= m.counts[k]
	if k < m.runs-1 {
		return n, n + 1
	}
	return n * m.step, min((n+1)*m.step, m.size[label])
}

// need returns the region that an operand with the labels is read in for region at of the result.
func (m *matrixProduct) need(labels []int, at chunk.Region) chunk.Region {
	first, last, lead := int64(0), int64(1), 0
	if m.step > 0 {
		first, last, lead = at.Lo[0], at.Hi[0], 1
	}
	r := chunk.Region{Lo: make(chunk.Shape, len(labels)), Hi: make(chunk.Shape, len(labels))}
	for k, l := range labels {
		if p := slices.Index(m.out, l); p >= 0 {
			r.Lo[k], r.Hi[k] = at.Lo[lead+p], at.Hi[lead+p]
			continue
		}
		switch {
		case last-first == 1:
			r.Lo[k], r.Hi[k] = m.span(first, l)
		case m.runs == 1 && last > first:
			r.Lo[k], _ = m.span(first, l)
			_, r.Hi[k] = m.span(last-1, l)
		case last > first: // runs of several axes may lie anywhere
			r.Hi[k] = m.size[l]
		}
	}
	return r
}

// run computes a region of the result, one run of the sums after another.
func (m *matrixProduct) run(ctx context.Context, c graph.OpaqueCall) error {
	if c.Out.Shape.Size() == 0 {
		return nil
	}
	scratch, err := c.Device.Allocator().Alloc(kernels.ProductScratch)
	if err != nil {
		return err
	}
	defer scratch.Release()
	first, last := int64(0), int64(1)
	if m.step > 0 {
		first, last = c.At.Lo[0], c.At.Hi[0]
	}
	for n := first; n < last; n++ {
		out := *c.Out
		if m.step > 0 {
			out.Offset += (n - first) * out.Strides[0]
			out.Shape, out.Strides = out.Shape[1:], out.Strides[1:]
		}
		x := ordered(m.operand(c, 0, n), m.x.labels, m.batch, m.rows, m.sums)
		y := ordered(m.operand(c, 1, n), m.y.labels, m.batch, m.sums, m.cols)
		err := c.Kernel.Run(ctx, &kernels.Call{
			In: []*chunk.Chunk{x, y}, Out: []*chunk.Chunk{ordered(&out, m.out, m.batch, m.rows, m.cols)}, Scratch: scratch,
			Shape: slices.Concat(x.Shape, y.Shape[len(m.batch)+len(m.sums):]),
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// operand returns what run n needs of the chunk of an operand.
func (m *matrixProduct) operand(c graph.OpaqueCall, i int, n int64) *chunk.Chunk {
	labels := [2][]int{m.x.labels, m.y.labels}[i]
	have := m.need(labels, c.At)
	r := have.Clone()
	for k, l := range labels {
		if slices.Contains(m.sums, l) {
			r.Lo[k], r.Hi[k] = m.span(n, l)
		}
		r.Lo[k] -= have.Lo[k]
		r.Hi[k] -= have.Lo[k]
	}
	return c.In[i].Sub(r)
}

// ordered returns c, whose axes have the labels, with those of several lists, one after another.
func ordered(c *chunk.Chunk, labels []int, lists ...[]int) *chunk.Chunk {
	out := *c
	out.Shape, out.Strides = nil, nil
	for _, l := range slices.Concat(lists...) {
		k := slices.Index(labels, l)
		out.Shape, out.Strides = append(out.Shape, c.Shape[k]), append(out.Strides, c.Strides[k])
	}
	return &out
}

// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"context"
	"fmt"
	"math"
	"sync"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// How a product is cut, after Goto and van de Geijn, "Anatomy of high-performance matrix multiplication" (2008): a block of the sums times
// productCols columns of the second operand is packed for the last cache, a block times productRows rows of the first one for the
// second, and tiles of the result stay in registers for the length of a block.
const (
	productRows = 126
	productCols = 1024
)

// The tile of the block machine, whose inner loop runs along the columns.
const (
	plainRows = 4
	plainCols = 64
)

// productKernel is a compiled Product.
type productKernel struct {
	p                  *kernels.Product
	tileRows, tileCols int
	code               Loop  // of a tile, or nil
	size               int64 // bytes of an element
	run                func(ctx context.Context, k *productKernel, c *kernels.Call) error
	works              sync.Pool // *productWork
}

func compileProduct(p *kernels.Product, asm Assembler) (kernels.Kernel, error) {
	if err := p.Verify(); err != nil {
		return nil, err
	}
	k := &productKernel{p: p, tileRows: plainRows, tileCols: plainCols, size: int64(p.DType.Size()), run: runProduct[float64]}
	if p.DType == dtype.Float32 {
		k.run = runProduct[float32]
	}
	if asm != nil {
		if k.code = asm.Loop("product tile", p.DType); k.code != nil {
			k.tileRows, k.tileCols = asm.ProductTile(p.DType)
		}
	}
	k.works.New = func() any { return &productWork{beside: make([]byte, int64(k.tileRows*k.tileCols)*k.size)} }
	return k, nil
}

// Executor tells what computes the tiles: see kernels.Explained.
func (k *productKernel) Executor() string {
	if k.code != nil {
		return "machine code"
	}
	return "block machine"
}

// packed is how many rows, sums and columns are packed at a time, and the bytes that the rows take.
func (k *productKernel) packed(l kernels.ProductAxes) (rows, sums, cols, rowBytes int64) {
	up := func(n int64, most, tile int) int64 {
		t := int64(tile)
		return (min(n, int64(most)/t*t) + t - 1) / t * t
	}
	rows, cols = up(chunk.Shape(l.Rows).Size(), productRows, k.tileRows), up(chunk.Shape(l.Cols).Size(), productCols, k.tileCols)
	sums = min(chunk.Shape(l.Sums).Size(), kernels.OuterBlock)
	return rows, sums, cols, (rows*sums*k.size + 63) &^ 63
}

// Scratch returns the bytes of what is packed.
func (k *productKernel) Scratch(shape chunk.Shape) int64 {
	_, sums, cols, rowBytes := k.packed(k.p.Split(shape))
	return rowBytes + sums*cols*k.size
}

// Run computes the call.
func (k *productKernel) Run(ctx context.Context, c *kernels.Call) error {
	if err := k.p.Check(c); err != nil {
		return fmt.Errorf("kernels/cpu: %w", err)
	}
	if c.Out[0].Shape.Size() == 0 {
		return nil
	}
	return k.run(ctx, k, c)
}

// productWork is the state of one call: where the elements of the piece at work lie, of the first operand's rows, the second one's
// columns and the sums of both, and of the result; and a tile beside it.
type productWork struct {
	rows, outRows [productRows]int64
	cols, outCols [productCols]int64
	sums          [kernels.OuterBlock]int64
	beside        []byte
	args          loopArgs
}

// numbers is what products are computed in.
type numbers interface{ float32 | float64 }

// axisWalk gives the places of the elements of several axes in row-major order.
type axisWalk struct {
	shape, strides []int64
	at             [kernels.MaxAxes]int64
	pos            int64
}

// next returns the place of the element the walk is at and moves on.
func (w *axisWalk) next() int64 {
	p := w.pos
	for i := len(w.shape) - 1; i >= 0; i-- {
		w.at[i]++
		w.pos += w.strides[i]
		if w.at[i] < w.shape[i] {
			break
		}
		w.pos -= w.strides[i] * w.at[i]
		w.at[i] = 0
	}
	return p
}

// places fills to with the next places of the walk and returns it.
func (w *axisWalk) places(to []int64) []int64 {
	for i := range to {
		to[i] = w.next()
	}
	return to
}

// productCall is one call: a product of matrices for each position of the batch.
type productCall[T numbers] struct {
	*productKernel
	*productWork
	l                   kernels.ProductAxes // lengths
	left, right, result kernels.ProductAxes // strides
	x, y, out           []T
	a, b                []T   // packed: strips of a tile's rows, and of its columns, each sum after sum
	most                int64 // rows at a time
}

func runProduct[T numbers](ctx context.Context, k *productKernel, c *kernels.Call) error {
	w := &productCall[T]{
		productKernel: k, productWork: k.works.Get().(*productWork), l: k.p.Split(c.Shape),
		left: k.p.Left(c.In[0].Strides), right: k.p.Right(c.In[1].Strides), result: k.p.Result(c.Out[0].Strides),
		x: chunk.Elems[T](c.In[0].Block), y: chunk.Elems[T](c.In[1].Block), out: chunk.Elems[T](c.Out[0].Block),
	}
	defer k.works.Put(w.productWork)
	rows, sums, cols, rowBytes := k.packed(w.l)
	w.most = rows
	if sums > 0 {
		w.a = unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(c.Scratch.Bytes()))), rows*sums)
		w.b = unsafe.Slice((*T)(unsafe.Add(unsafe.Pointer(unsafe.SliceData(c.Scratch.Bytes())), rowBytes)), cols*sums)
	}
	xs, ys := axisWalk{shape: w.l.Batch, strides: w.left.Batch, pos: c.In[0].Offset}, axisWalk{shape: w.l.Batch, strides: w.right.Batch, pos: c.In[1].Offset}
	outs := axisWalk{shape: w.l.Batch, strides: w.result.Batch, pos: c.Out[0].Offset}
	for range chunk.Shape(w.l.Batch).Size() {
		if err := w.matrix(ctx, xs.next(), ys.next(), outs.next(), cols); err != nil {
			return err
		}
	}
	return nil
}

// matrix computes the matrix at a place of the result, from those at x and y, most columns at a time.
func (w *productCall[T]) matrix(ctx context.Context, x, y, out, most int64) error {
	n := chunk.Shape(w.l.Cols).Size()
	from, to := axisWalk{shape: w.l.Cols, strides: w.right.Cols, pos: y}, axisWalk{shape: w.l.Cols, strides: w.result.Cols}
	for j := int64(0); j < n; j += most {
		here := min(most, n-j)
		if err := w.columns(ctx, x, out, from.places(w.cols[:here]), to.places(w.outCols[:here])); err != nil {
			return err
		}
	}
	return nil
}

// columns computes columns of a matrix, one block of the sums after another: from what lies at the places cols of the second operand.
func (w *productCall[T]) columns(ctx context.Context, x, out int64, cols, outCols []int64) error {
	sums, m := chunk.Shape(w.l.Sums).Size(), chunk.Shape(w.l.Rows).Size()
	left, right := axisWalk{shape: w.l.Sums, strides: w.left.Sums}, axisWalk{shape: w.l.Sums, strides: w.right.Sums}
	for s := int64(0); s == 0 || s < sums; s += kernels.OuterBlock {
		deep := min(sums-s, kernels.OuterBlock)
		pack(w.b, w.y, cols, right.places(w.sums[:deep]), w.tileCols)
		at := left.places(w.sums[:deep])
		from, to := axisWalk{shape: w.l.Rows, strides: w.left.Rows, pos: x}, axisWalk{shape: w.l.Rows, strides: w.result.Rows, pos: out}
		for i := int64(0); i < m; i += w.most {
			if err := ctx.Err(); err != nil {
				return err
			}
			here := min(w.most, m-i)
			pack(w.a, w.x, from.places(w.rows[:here]), at, w.tileRows)
			into := target[T]{out: w.out, rows: to.places(w.outRows[:here]), cols: outCols}
			if s == 0 {
				into.clear()
			}
			if deep > 0 {
				w.tiles(&into, int(deep))
			}
		}
	}
	return nil
}

// pack copies the elements at the places lanes[i] + sums[s] of x to strips of width lanes, sum after sum; what is missing of the last strip is 0.
func pack[T numbers](to, x []T, lanes, sums []int64, width int) {
	lanesRun, sumsRun := isRun(lanes), isRun(sums)
	for ; len(lanes) > 0; lanes = lanes[min(width, len(lanes)):] {
		n := min(width, len(lanes))
		strip := to[:width*len(sums)]
		to = to[len(strip):]
		if n < width {
			clear(strip)
		}
		switch {
		case lanesRun:
			for s, at := range sums {
				copy(strip[s*width:][:n], x[lanes[0]+at:])
			}
		case sumsRun:
			i := 0
			for ; i+4 <= n; i += 4 {
				row := func(k int) []T { return x[lanes[i+k]+sums[0]:][:len(sums)] }
				packFour(strip[i:], row(0), row(1), row(2), row(3), width)
			}
			for ; i < n; i++ {
				for s, v := range x[lanes[i]+sums[0]:][:len(sums)] {
					strip[s*width+i] = v
				}
			}
		default:
			for s, at := range sums {
				for i, lane := range lanes[:n] {
					strip[s*width+i] = x[lane+at]
				}
			}
		}
	}
}

// packFour turns four rows of one length: element s of each goes to place s*width and behind it.
func packFour[T numbers](to, a, b, c, d []T, width int) {
	b, c, d = b[:len(a)], c[:len(a)], d[:len(a)]
	for s, v := range a {
		four := to[s*width:][:4:4]
		four[0], four[1], four[2], four[3] = v, b[s], c[s], d[s]
	}
}

// isRun reports whether places are neighbours, one after another.
func isRun(places []int64) bool {
	for i, p := range places {
		if p != places[0]+int64(i) {
			return false
		}
	}
	return len(places) > 0
}

// target is a piece of the result: the places of its rows and of its columns.
type target[T numbers] struct {
	out        []T
	rows, cols []int64
}

func (t *target[T]) clear() {
	run := isRun(t.cols)
	for _, row := range t.rows {
		if run {
			clear(t.out[row+t.cols[0]:][:len(t.cols)])
			continue
		}
		for _, col := range t.cols {
			t.out[row+col] = 0
		}
	}
}

// step returns the elements between neighbours among the rows, 0 where they differ.
func (t *target[T]) step() int64 {
	if len(t.rows) < 2 {
		return 0
	}
	by := t.rows[1] - t.rows[0]
	for i, row := range t.rows {
		if row != t.rows[0]+int64(i)*by {
			return 0
		}
	}
	return max(by, 0)
}

// tiles adds the products of what is packed, deep sums of them, to a piece of the result. A strip of columns stays in the first cache while
// the strips of rows go by.
func (w *productCall[T]) tiles(to *target[T], deep int) {
	height, width := w.tileRows, w.tileCols
	step := to.step()
	direct := step > 0 && isRun(to.cols)
	beside := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(w.beside))), height*width)
	for j := 0; j < len(to.cols); j += width {
		b := w.b[j*deep:][:width*deep]
		for i := 0; i < len(to.rows); i += height {
			a := w.a[i*deep:][:height*deep]
			rows, cols := to.rows[i:min(i+height, len(to.rows))], to.cols[j:min(j+width, len(to.cols))]
			if direct && len(rows) == height && len(cols) == width {
				w.tile(a, b, to.out[rows[0]+cols[0]:], int(step), deep)
				continue
			}
			clear(beside)
			w.tile(a, b, beside, width, deep)
			for r, row := range rows {
				for c, col := range cols {
					to.out[row+col] += beside[r*width+c]
				}
			}
		}
	}
}

// tile adds the products of a strip of rows and one of columns to acc, whose rows are step elements apart.
func (w *productCall[T]) tile(a, b, acc []T, step, deep int) {
	if w.code == nil {
		plainTile(a, b, acc, step, deep)
		return
	}
	w.args.acc, w.args.x, w.args.mean = unsafe.Pointer(unsafe.SliceData(acc)), unsafe.Pointer(unsafe.SliceData(a)), unsafe.Pointer(unsafe.SliceData(b))
	w.args.stride, w.args.rows = step*int(w.size), deep
	w.code.Run(unsafe.Pointer(&w.args))
}

// plainTile is the portable twin of the machine code: tiles of plainRows and plainCols.
func plainTile[T numbers](a, b, acc []T, step, deep int) {
	for r := range plainRows {
		var sum [plainCols]T
		for s := range deep {
			fmaRow(&sum, a[s*plainRows+r], (*[plainCols]T)(b[s*plainCols:]))
		}
		row := acc[r*step:][:plainCols]
		for c, v := range sum {
			row[c] += v
		}
	}
}

// fmaRow is sum = fma(x, y, sum). In float32 the float64 sum is rounded as in fma32.
func fmaRow[T numbers](sum *[plainCols]T, x T, y *[plainCols]T) {
	if unsafe.Sizeof(x) == 8 {
		for c, v := range y {
			sum[c] = T(math.FMA(float64(x), float64(v), float64(sum[c])))
		}
		return
	}
	for c, v := range y {
		sum[c] = T(fmaShort(float64(float64(x)*float64(v)), float64(sum[c])))
	}
}

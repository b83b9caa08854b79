// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
)

// windowPanel is how many bytes of states are made at once, that they stay in the second-level cache, and windowBox the same where windows have several
// axes. windowLanes is how many lines are folded together where so many fit: a join of fewer is mostly its call.
const (
	windowPanel = 256 << 10
	windowBox   = 1 << 20
	windowLanes = 64
)

// piece returns the lengths of the pieces that a region of the shape is cut into along the axes of the windows, so that the states of a piece stay in the
// cache and of enough lines together. What windows reach beyond a piece is folded twice; pieces are as long as windows at least.
func (j *windowJob) piece(out chunk.Shape) chunk.Shape {
	axes := 0
	for _, n := range j.length {
		if n > 0 {
			axes++
		}
	}
	states := windowBox / (2 * 8 * j.fold.comps)
	if axes == 1 {
		states = windowPanel / (2 * 8 * j.fold.comps * windowLanes)
	}
	reach := int64(math.Pow(float64(states), 1/float64(axes)))
	steps := out.Clone()
	for k, n := range j.length {
		if n > 0 && len(j.length) > 1 { // a line alone is one piece
			steps[k] = min(steps[k], max(reach-(n-1), n))
		}
	}
	return steps
}

// panel returns the lengths that windows at a region of the shape reach along the axes that have one, the axis whose neighbours are
// folded together (-1 for none) and how many of them.
func (j *windowJob) panel(out chunk.Shape) (reach []int, lane, width int) {
	all := 2 * 8 * j.fold.comps
	lane = -1
	for k, n := range j.length {
		if n == 0 {
			lane = k
			continue
		}
		reach = append(reach, int(out[k]+n-1))
		all *= int(out[k] + n - 1)
	}
	width = 1
	if lane >= 0 {
		width = int(min(out[lane], int64(max(1, windowPanel/max(all, 1)))))
	}
	return reach, lane, width
}

// scratch bounds the memory for a region of the shape.
func (j *windowJob) scratch(out chunk.Shape) int64 {
	all := int64(2 * 8 * j.fold.comps)
	values := int64(1)
	piece := j.piece(out)
	for k, n := range j.length {
		if n > 0 {
			all *= piece[k] + n - 1
			values *= n
		}
	}
	return max(all, windowPanel) + 16*values + 8*max(windowPanel/16, slices.Max(append(piece, 1)))
}

// windowRun folds the windows of one region.
type windowRun[T float32 | float64] struct {
	*windowJob
	axes   []int   // that have windows
	reach  []int   // lengths of the panel along them
	lo     []int64 // first position of the panel along them, may lie before the array
	shift  []int   // where the panel begins in in
	lane   int
	width  int
	x, y   windowState
	row    []float64 // results of a row of lanes
	sorted []uint64  // medians: the ranks of a window
	in     *chunk.Chunk
	out    *chunk.Chunk
}

// foldWindows computes the region at of the result: in holds what windows reach of the array.
func foldWindows[T float32 | float64](j *windowJob, at chunk.Region, shape chunk.Shape, out, in *chunk.Chunk) {
	if out.Shape.Size() == 0 {
		return
	}
	have := j.around(at).Intersect(chunk.Whole(shape))
	r := windowRun[T]{windowJob: j, in: in}
	pieces := chunk.Regular(out.Shape, j.piece(out.Shape)...)
	for key := range pieces.Covering(chunk.Whole(out.Shape)) {
		place := pieces.Region(key)
		part := place.Clone()
		for k, lo := range at.Lo {
			part.Lo[k] += lo
			part.Hi[k] += lo
		}
		r.out = out.Sub(place)
		r.compute(part, have)
	}
}

// compute computes a piece of the result, from a chunk that holds region have of the array.
func (r *windowRun[T]) compute(at, have chunk.Region) {
	out, in := r.out, r.in
	r.reach, r.lane, r.width = r.windowJob.panel(out.Shape)
	r.axes, r.lo, r.shift = r.axes[:0], r.lo[:0], r.shift[:0]
	around := r.around(at)
	size := r.width
	for k, n := range r.length {
		if n > 0 {
			r.axes = append(r.axes, k)
			r.lo = append(r.lo, around.Lo[k])
			r.shift = append(r.shift, int(around.Lo[k]-have.Lo[k]))
			size *= r.reach[len(r.axes)-1]
		}
	}
	for c := range r.fold.comps {
		r.x[c], r.y[c] = resized(r.x[c], size), resized(r.y[c], size)
	}
	// One panel after another: along the axes without windows.
	index := make([]int64, len(out.Shape))
	for {
		from, to := in.Offset, out.Offset
		for k, i := range index {
			from += i * in.Strides[k]
			to += i * out.Strides[k]
		}
		n := int64(1)
		if r.lane >= 0 {
			n = min(int64(r.width), out.Shape[r.lane]-index[r.lane])
		}
		r.panel(from, to, int(n))
		k := len(index) - 1
		for ; k >= 0; k-- {
			if r.length[k] > 0 {
				continue
			}
			step := int64(1)
			if k == r.lane {
				step = n
			}
			if index[k] += step; index[k] < out.Shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// resized returns b with another length, or room of that length.
func resized(b []float64, n int) []float64 {
	if cap(b) < n {
		return make([]float64, n)
	}
	return b[:n]
}

// panel folds the windows of n neighbouring lines.
func (r *windowRun[T]) panel(from, to int64, n int) {
	r.load(from, n)
	if r.fold.join == nil {
		r.medians(to, n)
		return
	}
	size := n
	for _, m := range r.reach {
		size *= m
	}
	x, y := &r.x, &r.y
	for i, m := range r.reach {
		k := r.axes[i]
		inner := size / m
		if w := int(r.length[k]); w > 1 {
			r.sweep(x, y, m, inner, w, r.lo[i])
			x, y = y, x
		}
		// The axis that is done goes to the end, so that the next one comes first and joins are of many neighbours.
		done := int(r.out.Shape[k])
		if len(r.axes) > 1 {
			r.rotate(x, y, done, inner/n, n)
			x, y = y, x
		}
		size = inner * done
	}
	r.store(x, to, n)
}

// rotate makes y[r][p] of x[p][r], both of n lines.
func (r *windowRun[T]) rotate(x, y *windowState, done, rest, n int) {
	for c := range r.fold.comps {
		from, to := x[c], y[c]
		if n == 1 {
			for i := range rest {
				row := to[i*done : (i+1)*done]
				for p := range row {
					row[p] = from[p*rest+i]
				}
			}
			continue
		}
		for i := range rest {
			for p := range done {
				copy(to[(i*done+p)*n:(i*done+p+1)*n], from[(p*rest+i)*n:(p*rest+i+1)*n])
			}
		}
	}
}

// load fills x with the states of single values.
func (r *windowRun[T]) load(from int64, n int) {
	src := chunk.Elems[T](r.in.Block)
	step := int64(0)
	if r.lane >= 0 {
		step = r.in.Strides[r.lane]
	}
	last := len(r.axes) - 1
	m, along, shift := r.reach[last], r.in.Strides[r.axes[last]], r.shift[last]
	lo, hi := min(max(0, -shift), m), min(m, int(r.in.Shape[r.axes[last]])-shift) // what of the last axis lies in the array
	pos := 0
	r.each(r.reach[:last], func(index []int) {
		at, inside := from, true
		for i, p := range index {
			k := r.axes[i]
			p += r.shift[i]
			inside = inside && p >= 0 && int64(p) < r.in.Shape[k]
			at += int64(p) * r.in.Strides[k]
		}
		if !inside {
			r.states(pos, m*n, nil, 0, 0, false)
			pos += m * n
			return
		}
		r.states(pos, lo*n, nil, 0, 0, false)
		r.states(pos+hi*n, (m-hi)*n, nil, 0, 0, false)
		at += int64(lo+shift) * along
		if n == 1 {
			r.states(pos+lo, hi-lo, src, at, along, true)
		} else {
			for p := lo; p < hi; p++ {
				r.states(pos+p*n, n, src, at, step, true)
				at += along
			}
		}
		pos += m * n
	})
}

// states stores the states of n single values from position pos of the panel on; those of no values where inside is false.
func (r *windowRun[T]) states(pos, n int, src []T, at, step int64, inside bool) {
	x := r.x.at(pos, n)
	if r.fold.comps == 2 && inside { // the usual case, without calls
		v, m := x[0][:n], x[1][:n]
		zero := r.fold.zero[0]
		for i := range v {
			f := float64(src[at+int64(i)*step])
			if f == f {
				v[i], m[i] = f, 1
			} else {
				v[i], m[i] = zero, 0
			}
		}
		return
	}
	for c := range r.fold.comps {
		for i := range x[c] {
			x[c][i] = r.fold.zero[c]
		}
	}
	for i := 0; inside && i < n; i++ {
		if v := float64(src[at+int64(i)*step]); v == v {
			s := r.fold.one(v)
			for c := range r.fold.comps {
				x[c][i] = s[c]
			}
		}
	}
}

// each calls f for every position of a box.
func (r *windowRun[T]) each(shape []int, f func(index []int)) {
	index := make([]int, len(shape))
	for {
		f(index)
		k := len(shape) - 1
		for ; k >= 0; k-- {
			if index[k]++; index[k] < shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// sweep folds windows along the first axis, of length m: y[q] becomes the fold of x[q] to x[q+window-1]. What is beyond is left undefined.
func (r *windowRun[T]) sweep(x, y *windowState, m, inner, window int, lo int64) {
	phase := int(((lo % int64(window)) + int64(window)) % int64(window)) // of the first position in its block
	join := r.fold.join
	for p := m - 1; p >= 0; p-- {
		at := p * inner
		d, a := y.at(at, inner), x.at(at, inner)
		if p == m-1 || (phase+p+1)%window == 0 {
			for c := range r.fold.comps {
				copy(d[c], a[c])
			}
			continue
		}
		join(d, a, y.at(at+inner, inner))
	}
	for p := 1; p < m; p++ {
		if (phase+p)%window != 0 {
			d := x.at(p*inner, inner)
			join(d, x.at((p-1)*inner, inner), d)
		}
	}
	for q := range m - window + 1 {
		if (phase+q)%window != 0 {
			d := y.at(q*inner, inner)
			join(d, d, x.at((q+window-1)*inner, inner))
		}
	}
}

// store writes the values of the states of the windows.
func (r *windowRun[T]) store(x *windowState, to int64, n int) {
	w := r.writer()
	need := float64(r.need)
	all := r.windows()
	last := len(all) - 1
	rows, along := all[last], r.out.Strides[r.axes[last]]
	if n == 1 { // the windows along the axis are the row
		rows, n, w.step = 1, rows, along
	}
	r.row = resized(r.row, n)
	pos := 0
	r.each(all[:last], func(index []int) {
		at, _ := r.place(index, to, n)
		for range rows {
			s := x.at(pos, n)
			r.fold.values(r.row, s, r.ddof)
			for i, m := range s[r.fold.count] {
				if m < need {
					r.row[i] = nan
				}
			}
			w.put(at, r.row)
			at += along
			pos += n
		}
	})
}

// windows returns how many windows there are along the axes that have them.
func (r *windowRun[T]) windows() []int {
	out := make([]int, len(r.axes))
	for i, k := range r.axes {
		out[i] = int(r.out.Shape[k])
	}
	return out
}

// place returns where in the result the window at an index is, and where in the panel its first value is.
func (r *windowRun[T]) place(index []int, to int64, n int) (at int64, pos int) {
	for i, p := range index {
		to += int64(p) * r.out.Strides[r.axes[i]]
		pos = pos*r.reach[i] + p
	}
	return to, pos * n
}

// windowWriter stores values in the dtype of the result.
type windowWriter struct {
	f32  []float32
	f64  []float64
	step int64 // between neighbouring lines
}

func (r *windowRun[T]) writer() windowWriter {
	var w windowWriter
	if r.out.ItemBytes == 4 {
		w.f32 = chunk.Elems[float32](r.out.Block)
	} else {
		w.f64 = chunk.Elems[float64](r.out.Block)
	}
	if r.lane >= 0 {
		w.step = r.out.Strides[r.lane]
	}
	return w
}

// put stores the values of a row.
func (w *windowWriter) put(at int64, row []float64) {
	if w.f32 != nil {
		putRow(w.f32, at, w.step, row)
	} else {
		putRow(w.f64, at, w.step, row)
	}
}

func putRow[T float32 | float64](to []T, at, step int64, row []float64) {
	if step == 1 {
		to = to[at:][:len(row)]
		for i, v := range row {
			to[i] = T(v)
		}
		return
	}
	for _, v := range row {
		to[at] = T(v)
		at += step
	}
}

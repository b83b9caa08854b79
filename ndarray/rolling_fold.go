// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"

	"github.com/arrayrun/arrayrun/chunk"
)

// windowState are the components of the states of many windows, component by component: a value and a count, or count, mean and sum
// of squared deviations.
type windowState [3][]float64

// at returns the states from i to i+n.
func (s *windowState) at(i, n int) windowState {
	var out windowState
	for c := range s {
		if s[c] != nil {
			out[c] = s[c][i : i+n]
		}
	}
	return out
}

// windowFold is one row of the table of folds of windows.
//
// A fold along an axis is van Herk's and Gil and Werman's: the axis is cut into blocks as long as the window, counted from its
// beginning, and a window is the end of one block joined with the start of the next. That takes three joins for each position whatever
// the window, never subtracts, and gives the same bits wherever an array is cut.
type windowFold struct {
	comps int
	zero  [3]float64                 // the state of no values
	one   func(x float64) [3]float64 // the state of one
	join  func(d, a, b windowState)  // d may be a or b
	value func(s [3]float64, ddof float64) float64
}

// counted returns the fold of a value and a count.
func counted(zero float64, join func(d, a, b []float64), value func(x, n float64) float64) windowFold {
	return windowFold{
		comps: 2,
		zero:  [3]float64{zero},
		one:   func(x float64) [3]float64 { return [3]float64{x, 1} },
		join: func(d, a, b windowState) {
			join(d[0], a[0], b[0])
			addTo(d[1], a[1], b[1])
		},
		value: func(s [3]float64, _ float64) float64 { return value(s[0], s[1]) },
	}
}

func addTo(d, a, b []float64) {
	a, b = a[:len(d)], b[:len(d)]
	for i := range d {
		d[i] = a[i] + b[i]
	}
}

func own(x, _ float64) float64 { return x }

// windowFolds is the table.
var windowFolds = map[string]windowFold{
	"sum":  counted(0, addTo, own),
	"mean": counted(0, addTo, func(x, n float64) float64 { return x / n }),
	"prod": counted(1, func(d, a, b []float64) {
		for i := range d {
			d[i] = a[i] * b[i]
		}
	}, own),
	"min": counted(math.Inf(1), func(d, a, b []float64) {
		for i := range d {
			d[i] = min(a[i], b[i])
		}
	}, own),
	"max": counted(math.Inf(-1), func(d, a, b []float64) {
		for i := range d {
			d[i] = max(a[i], b[i])
		}
	}, own),
	"count": {
		comps: 1,
		one:   func(float64) [3]float64 { return [3]float64{1} },
		join:  func(d, a, b windowState) { addTo(d[0], a[0], b[0]) },
		value: func(s [3]float64, _ float64) float64 { return s[0] },
	},
	"var": {comps: 3, one: oneMoment, join: joinMoments, value: variance},
	"std": {comps: 3, one: oneMoment, join: joinMoments, value: func(s [3]float64, ddof float64) float64 { return math.Sqrt(variance(s, ddof)) }},
	// Medians keep the values themselves.
	"median": {comps: 1, zero: [3]float64{nan}, one: func(x float64) [3]float64 { return [3]float64{x} }},
}

func oneMoment(x float64) [3]float64 { return [3]float64{1, x, 0} }

// joinMoments is Chan's formula.
func joinMoments(d, a, b windowState) {
	for i := range d[0] {
		na, nb := a[0][i], b[0][i]
		switch {
		case nb == 0:
			d[0][i], d[1][i], d[2][i] = na, a[1][i], a[2][i]
		case na == 0:
			d[0][i], d[1][i], d[2][i] = nb, b[1][i], b[2][i]
		default:
			n := na + nb
			away := b[1][i] - a[1][i]
			mean := a[1][i] + float64(away*(nb/n))
			d[2][i] = a[2][i] + b[2][i] + float64(float64(away*away)*(na*nb/n))
			d[0][i], d[1][i] = n, mean
		}
	}
}

func variance(s [3]float64, ddof float64) float64 {
	if s[0] <= ddof {
		return nan
	}
	return s[2] / (s[0] - ddof)
}

// windowPanel is how many bytes of states are made at once, that they stay in the second-level cache.
const windowPanel = 256 << 10

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
	for k, n := range j.length {
		if n > 0 {
			all *= out[k] + n - 1
			values *= n
		}
	}
	return max(all, windowPanel) + 16*values
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
	sorted []uint64 // medians: the ranks of a window
	in     *chunk.Chunk
	out    *chunk.Chunk
}

// foldWindows computes the region at of the result: in holds what windows reach of the array.
func foldWindows[T float32 | float64](j *windowJob, at chunk.Region, shape chunk.Shape, out, in *chunk.Chunk) {
	if out.Shape.Size() == 0 {
		return
	}
	r := windowRun[T]{windowJob: j, in: in, out: out}
	r.reach, r.lane, r.width = j.panel(out.Shape)
	around := j.around(at)
	have := around.Intersect(chunk.Whole(shape))
	size := r.width
	for k, n := range j.length {
		if n > 0 {
			r.axes = append(r.axes, k)
			r.lo = append(r.lo, around.Lo[k])
			r.shift = append(r.shift, int(around.Lo[k]-have.Lo[k]))
			size *= r.reach[len(r.axes)-1]
		}
	}
	for c := range j.fold.comps {
		r.x[c], r.y[c] = make([]float64, size), make([]float64, size)
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
			if j.length[k] > 0 {
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
	for c := range r.fold.comps {
		for i := range x[c] {
			x[c][i] = r.fold.zero[c]
		}
	}
	if !inside {
		return
	}
	for i := range n {
		v := float64(src[at+int64(i)*step])
		switch {
		case v != v:
		case r.fold.comps == 2: // the usual case, without a call
			x[0][i], x[1][i] = v, 1
		default:
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
	count := x[0]
	if r.fold.comps == 2 {
		count = x[1]
	}
	all := r.windows()
	last := len(all) - 1
	along := r.out.Strides[r.axes[last]]
	pos := 0
	r.each(all[:last], func(index []int) {
		at, _ := r.place(index, to, n)
		for range all[last] {
			for i := range n {
				v := nan
				if count[pos+i] >= need {
					var s [3]float64
					for c := range r.fold.comps {
						s[c] = x[c][pos+i]
					}
					v = r.fold.value(s, r.ddof)
				}
				w.put(at+int64(i)*w.step, v)
			}
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

func (w *windowWriter) put(at int64, v float64) {
	if w.f32 != nil {
		w.f32[at] = float32(v)
		return
	}
	w.f64[at] = v
}

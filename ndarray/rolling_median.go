// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"slices"
)

// medians keeps the ranks of a window sorted while it moves along the last axis: the middle of a set does not depend on the way to it.
func (r *windowRun[T]) medians(to int64, n int) {
	w := r.writer()
	last := len(r.axes) - 1
	outer := r.windows()
	steps := outer[last]
	outer[last] = 1
	section := make([]int, len(outer)) // of the window across the last axis
	for i, k := range r.axes {
		section[i] = int(r.length[k])
	}
	length := section[last]
	section[last] = 1
	r.each(outer, func(index []int) {
		at, pos := r.place(index, to, n)
		stride := r.out.Strides[r.axes[last]]
		for lane := range n {
			r.sorted = r.sorted[:0]
			for q := range steps {
				if q == 0 {
					for p := range length {
						r.take(section, pos+p*n+lane, n, insertRank)
					}
				} else {
					r.take(section, pos+(q-1)*n+lane, n, removeRank)
					r.take(section, pos+(q+length-1)*n+lane, n, insertRank)
				}
				v := nan
				if m := len(r.sorted); int64(m) >= r.need {
					v = ranks64.float(r.sorted[m/2])
					if m%2 == 0 {
						v = (ranks64.float(r.sorted[m/2-1]) + v) / 2
					}
				}
				r.row = append(r.row[:0], v)
				w.put(at+int64(q)*stride+int64(lane)*w.step, r.row)
			}
		}
	})
}

// take puts the values of one section of a window into the sorted ones, or takes them out.
func (r *windowRun[T]) take(section []int, from, n int, change func(sorted []uint64, x float64) []uint64) {
	r.each(section, func(index []int) {
		pos := 0
		for i, p := range index {
			pos = pos*r.reach[i] + p
		}
		if x := r.x[0][from+pos*n]; x == x {
			r.sorted = change(r.sorted, x)
		}
	})
}

// insertRank puts x where it belongs among sorted ranks.
func insertRank(sorted []uint64, x float64) []uint64 {
	k := ranks64.of(math.Float64bits(x))
	i, _ := slices.BinarySearch(sorted, k)
	return slices.Insert(sorted, i, k)
}

// removeRank takes x, which is there, out of sorted ranks.
func removeRank(sorted []uint64, x float64) []uint64 {
	i, _ := slices.BinarySearch(sorted, ranks64.of(math.Float64bits(x)))
	return slices.Delete(sorted, i, i+1)
}

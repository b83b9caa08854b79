// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"math"
	"sync"
)

// reach is which source positions each target position needs: from first to before last, none where last is 0.
type reach struct {
	first, last []int32
	known       sync.Map // the most that n neighbours need, by n: plans ask for the same ones again and again
}

// add adds a target position that needs some source positions.
func (r *reach) add(index []int32) {
	first, last := int32(math.MaxInt32), int32(0)
	for _, i := range index {
		if i >= 0 {
			first, last = min(first, i), max(last, i+1)
		}
	}
	r.first, r.last = append(r.first, first), append(r.last, last)
}

// of returns what the target positions lo to hi need.
func (r *reach) of(lo, hi int64) (first, last int64) {
	a, b := int32(math.MaxInt32), int32(0)
	for i := lo; i < hi; i++ {
		a, b = min(a, r.first[i]), max(b, r.last[i])
	}
	if b == 0 {
		return 0, 0
	}
	return int64(a), int64(b)
}

// most returns how many source positions any n neighbours need at most.
func (r *reach) most(n int64) int64 {
	if w, ok := r.known.Load(n); ok {
		return w.(int64)
	}
	// Windows slide; the positions that can still be the least or the greatest of one wait in queues.
	var low, high []int
	widest := int64(0)
	for i := range r.first {
		for len(low) > 0 && r.first[low[len(low)-1]] >= r.first[i] {
			low = low[:len(low)-1]
		}
		for len(high) > 0 && r.last[high[len(high)-1]] <= r.last[i] {
			high = high[:len(high)-1]
		}
		low, high = append(low, i), append(high, i)
		if int64(low[0]) <= int64(i)-n {
			low = low[1:]
		}
		if int64(high[0]) <= int64(i)-n {
			high = high[1:]
		}
		if last := r.last[high[0]]; last > 0 {
			widest = max(widest, int64(last)-int64(r.first[low[0]]))
		}
	}
	r.known.Store(n, widest)
	return widest
}

// extent returns the positions, of all there are, that n target positions from lo on need. Those from the first one on get as much as any n do.
func (r *reach) extent(lo, n, all int64) (from, many int64) {
	first, last := r.of(lo, lo+n)
	if lo > 0 {
		return first, last - first
	}
	most := r.most(n)
	return min(first, all-most), most
}

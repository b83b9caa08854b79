// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// valueCounts say how often each integer from low on occurs in an array; counts is nil where it has no elements.
type valueCounts struct {
	low    int64
	counts []int64
}

// valueSweep counts the integers of one array: *valueCounts.
var valueSweep = &graph.Sweep{Key: "counts of values", Begin: func(dts []dtype.DType, _ chunk.Shape, budget int64) graph.Sweeper {
	return &valueCounter{dt: dts[0], budget: budget}
}}

// valueCounter counts integers: a graph.Sweeper. Each task that runs beside others has counts of its own.
type valueCounter struct {
	dt     dtype.DType
	budget int64
	mu     sync.Mutex
	all    []*valueCounts
	spare  []*valueCounts
	held   int64
}

// Add counts the integers of a region.
func (f *valueCounter) Add(_ chunk.Region, c []*chunk.Chunk) error {
	f.mu.Lock()
	var h *valueCounts
	if n := len(f.spare); n > 0 {
		h, f.spare = f.spare[n-1], f.spare[:n-1]
	} else {
		h = &valueCounts{}
		f.all = append(f.all, h)
	}
	f.mu.Unlock()
	before := cap(h.counts)
	err := countValues[f.dt](h, c[0], f.room)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.held += int64(cap(h.counts)-before) * 8
	f.spare = append(f.spare, h)
	return err
}

// room returns an error where there is none for counts of n values.
func (f *valueCounter) room(n float64) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if bytes := float64(f.held) + n*8; bytes > float64(f.budget) {
		return &graph.NoRoom{What: "the counts of all values between the smallest and the largest integer of an image", Bytes: int64(min(bytes, math.MaxInt64/64)), Instead: ", or convert the image to floats"}
	}
	return nil
}

// Found adds up the counts.
func (f *valueCounter) Found() (any, error) {
	out := &valueCounts{}
	for _, h := range f.all {
		if h.counts == nil {
			continue
		}
		out.widen(h.low, h.low+int64(len(h.counts))-1)
		for i, n := range h.counts {
			out.counts[h.low-out.low+int64(i)] += n
		}
	}
	first, last := 0, len(out.counts)-1
	for first <= last && out.counts[first] == 0 {
		first++
	}
	for last >= first && out.counts[last] == 0 {
		last--
	}
	if first > last {
		return &valueCounts{}, nil
	}
	return &valueCounts{out.low + int64(first), out.counts[first : last+1]}, nil
}

// widen makes room for the values from lo to hi.
func (h *valueCounts) widen(lo, hi int64) {
	if h.counts != nil {
		lo, hi = min(lo, h.low), max(hi, h.low+int64(len(h.counts))-1)
	}
	counts := make([]int64, hi-lo+1)
	if h.counts != nil {
		copy(counts[h.low-lo:], h.counts)
	}
	h.low, h.counts = lo, counts
}

// countValues adds the integers of a chunk to counts, by dtype.
var countValues = map[dtype.DType]func(h *valueCounts, c *chunk.Chunk, room func(n float64) error) error{
	dtype.Int8: countOf[int8], dtype.Int16: countOf[int16], dtype.Int32: countOf[int32], dtype.Int64: countOf[int64],
	dtype.Uint8: countOf[uint8], dtype.Uint16: countOf[uint16], dtype.Uint32: countOf[uint32], dtype.Uint64: countOf[uint64],
}

func countOf[T integer](h *valueCounts, c *chunk.Chunk, room func(n float64) error) (err error) {
	src := chunk.Elems[T](c.Block)
	eachRow(chunk.Whole(c.Shape), func(pos []int64, n int64) {
		if err != nil {
			return
		}
		from, step := c.Offset, int64(1)
		for k, p := range pos {
			from += p * c.Strides[k]
			step = c.Strides[k]
		}
		for i := range n {
			v := src[from+i*step]
			k := uint64(int64(v) - h.low)
			if k >= uint64(len(h.counts)) {
				if err = h.include(v < 0, uint64(v), room); err != nil {
					return
				}
				k = uint64(int64(v) - h.low)
			}
			h.counts[k]++
		}
	})
	return err
}

// include makes room for a value and for as many beside it as there are counts.
func (h *valueCounts) include(negative bool, bits uint64, room func(n float64) error) error {
	if !negative && bits > math.MaxInt64 {
		return fmt.Errorf("an element is %d: want at most %d", bits, int64(math.MaxInt64))
	}
	v := int64(bits)
	lo, hi := float64(v), float64(v)
	if h.counts != nil {
		lo, hi = min(lo, float64(h.low)), max(hi, float64(h.low)+float64(len(h.counts)))
	}
	if err := room(hi - lo + 1); err != nil {
		return err
	}
	more := int64(len(h.counts))
	if err := room(hi - lo + float64(more)); err != nil {
		more = 0
	}
	switch {
	case h.counts == nil:
		h.widen(v, min(v, math.MaxInt64-255)+255)
	case v < h.low:
		h.widen(max(v, math.MinInt64+more)-more, v)
	default:
		h.widen(v, min(v, math.MaxInt64-more)+more)
	}
	return nil
}

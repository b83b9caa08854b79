// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"math"
	"math/bits"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/order"
)

// rank is a float's bits made an unsigned integer of the same order, so that elements are compared and moved without a branch.
type rank interface{ uint32 | uint64 }

// floatRanks are the ranks of one float type.
type floatRanks[K rank] struct {
	sign  int // position of the sign bit
	inf   K   // bits of infinity
	value func(bits K) float64
}

var (
	ranks32 = floatRanks[uint32]{31, 0x7f800000, func(b uint32) float64 { return float64(math.Float32frombits(b)) }}
	ranks64 = floatRanks[uint64]{63, 0x7ff << 52, math.Float64frombits}
)

// of returns the rank of a float's bits: negative numbers have all bits turned, others the sign.
func (f *floatRanks[K]) of(b K) K { return b ^ (-(b >> f.sign) | 1<<f.sign) }

// float returns the number whose rank is k.
func (f *floatRanks[K]) float(k K) float64 { return f.value(k ^ (k>>f.sign - 1 | 1<<f.sign)) }

// exactFloat returns the smallest float type that holds every value of d and quantiles are taken in.
func exactFloat(d dtype.DType) dtype.DType {
	if d == dtype.Float32 || d.Size() < 4 {
		return dtype.Float32
	}
	return dtype.Float64
}

// smallSort is how many elements are sorted where they lie.
const smallSort = 20

// place moves the elements of v whose positions in sorted order are in at (ascending, distinct) to these positions:
// introselect for several positions. Runs of equal elements are left out as pattern-defeating quicksort does:
// a pivot that equals the one before the part is its smallest element. base is the position of v[0].
func place[K rank](v []K, base int, at []int, before K, hasBefore bool, depth int) {
	for len(at) > 0 {
		n := len(v)
		if n <= smallSort || depth == 0 {
			if n > smallSort {
				slices.Sort(v)
			} else {
				insert(v)
			}
			return
		}
		depth--
		p := order.Pivot(v)
		if hasBefore && p == before {
			n := order.NotAbove(v, p)
			v, base = v[n:], base+n
			for len(at) > 0 && at[0] < base {
				at = at[1:]
			}
			hasBefore = false
			continue
		}
		s := order.Below(v, p)
		i, _ := slices.BinarySearch(at, base+s)
		if i > 0 {
			place(v[:s], base, at[:i], before, hasBefore, depth)
		}
		v, base, at, before, hasBefore = v[s:], base+s, at[i:], p, true
	}
}

// insert sorts a few elements.
func insert[K rank](v []K) {
	for i := 1; i < len(v); i++ {
		x := v[i]
		j := i
		for ; j > 0 && v[j-1] > x; j-- {
			v[j] = v[j-1]
		}
		v[j] = x
	}
}

// panelBytes is how much of neighbouring lines is gathered at once, so that lines across rows are read by rows.
const panelBytes = 256 << 10

// panelLines returns how many lines of count elements are gathered at once.
func panelLines(count, item int64) int64 { return min(max(panelBytes/max(count*item, 1), 1), 64) }

// lines computes quantiles of lines whose elements have ranks of kind K.
type lines[K rank] struct {
	floatRanks[K]
	job     *quantileJob
	members [][]int32 // positions of each group
	offsets []int64   // of the folded positions from an element with all of them 0
	src     []K
	dst     []float64
	gStride int64 // of groups in dst
	qStride int64 // of quantiles in dst
	step    int64 // between lines in src
	toStep  int64 // and in dst

	panel  []K // lines one after the other
	counts []int
	bad    []bool // lines with NaN
	at     []int
}

// run folds n lines from src[from], to dst[to].
func (l *lines[K]) run(n int, from, to int64) {
	room := len(l.offsets)
	for g, list := range l.members {
		clear(l.counts[:n])
		clear(l.bad[:n])
		for _, p := range list {
			x := l.src[from+l.offsets[p]:]
			for i := range n {
				b := x[int64(i)*l.step]
				l.panel[i*room+l.counts[i]] = l.of(b)
				if b<<1 > l.inf<<1 {
					l.bad[i] = true
				} else {
					l.counts[i]++
				}
			}
		}
		for i := range n {
			v := l.panel[i*room : i*room+l.counts[i]]
			if l.bad[i] && !l.job.skip {
				v = nil
			}
			l.quantiles(v, to+int64(i)*l.toStep+int64(g)*l.gStride)
		}
	}
}

// quantiles stores what the job wants of v from dst[to].
func (l *lines[K]) quantiles(v []K, to int64) {
	n := len(v)
	if n > 0 {
		l.at = l.at[:0]
		for _, q := range l.job.q {
			i, _ := quantilePlace(n, q)
			l.at = append(l.at, i)
			if i+1 < n {
				l.at = append(l.at, i+1)
			}
		}
		if len(l.at) > 2 {
			slices.Sort(l.at)
			l.at = slices.Compact(l.at)
		}
		place(v, 0, l.at, 0, false, 4*bits.Len(uint(n)))
	}
	for k, q := range l.job.q {
		x := math.NaN()
		if n > 0 {
			i, t := quantilePlace(n, q)
			x = l.float(v[i])
			if i+1 < n {
				x = l.job.between(x, l.float(v[i+1]), n, t)
			}
		}
		l.dst[to+int64(k)*l.qStride] = x
	}
}

// quantilePlace returns the position of quantile q of n sorted elements, and how far it is to the next.
func quantilePlace(n int, q float64) (int, float64) {
	at := q * float64(n-1)
	lo := math.Floor(at)
	return min(int(lo), n-1), at - lo
}

// between returns the number a part t of the way from a to b, as NumPy's linear method has it, NaN between
// equal infinities included; for a median a or the mean of both.
func (j *quantileJob) between(a, b float64, n int, t float64) float64 {
	switch {
	case j.middle && n%2 == 1:
		return a
	case j.middle:
		return (a + b) / 2
	case t >= 0.5:
		return b - float64((b-a)*(1-t))
	}
	return a + float64((b-a)*t)
}

// fold computes one region by lines: in holds the folded axes whole.
func (f floatRanks[K]) fold(j *quantileJob, out, in *chunk.Chunk, kept []int, members [][]int32) {
	if out.Shape.Size() == 0 {
		return
	}
	offsets := []int64{0}
	for _, x := range j.axes {
		next := make([]int64, 0, int64(len(offsets))*in.Shape[x])
		for _, o := range offsets {
			for i := range in.Shape[x] {
				next = append(next, o+i*in.Strides[x])
			}
		}
		offsets = next
	}
	l := lines[K]{floatRanks: f, job: j, members: members, offsets: offsets, src: chunk.Elems[K](in.Block), dst: chunk.Elems[float64](out.Block),
		qStride: out.Strides[len(out.Strides)-1]}
	if j.ids != nil {
		l.gStride = out.Strides[len(out.Strides)-2]
	}
	// Lines along the last kept axis are folded together.
	width := int64(1)
	if k := len(kept) - 1; k >= 0 {
		width, l.step, l.toStep = out.Shape[k], in.Strides[kept[k]], out.Strides[k]
		kept = kept[:k]
	}
	group := min(panelLines(int64(len(offsets)), int64(in.DType.Size())), width)
	l.panel = make([]K, group*int64(len(offsets))+1) // one more: a line's place for what is NaN at its end
	l.counts, l.bad = make([]int, group), make([]bool, group)
	index := make([]int64, len(kept))
	for {
		from, to := in.Offset, out.Offset
		for k, i := range kept {
			from += index[k] * in.Strides[i]
			to += index[k] * out.Strides[k]
		}
		for i := int64(0); i < width; i += group {
			l.run(int(min(group, width-i)), from+i*l.step, to+i*l.toStep)
		}
		k := len(kept) - 1
		for ; k >= 0; k-- {
			index[k]++
			if index[k] < out.Shape[k] {
				break
			}
			index[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

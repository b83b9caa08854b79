// SPDX-License-Identifier: BSD-3-Clause

package order

import (
	"cmp"
	"sort"
)

// Search returns how many keys of an ascending table are below x, or, with right, not above it.
func Search[K Key](table []K, x K, right bool) int {
	if right {
		if x == ^K(0) {
			return len(table)
		}
		x++ // not above x is below x + 1
	}
	if len(table) == 0 {
		return 0
	}
	at := 0
	for n := len(table); n > 1; {
		half := n >> 1
		if table[at+half-1] < x {
			at += half
		}
		n -= half
	}
	if table[at] < x {
		at++
	}
	return at
}

// SearchAll stores Search of each of xs, step apart.
func SearchAll[K Key](to []int64, step int, table, xs []K, right bool) {
	for i, x := range xs {
		to[i*step] = int64(Search(table, x, right))
	}
}

// ComplexKey is the place of a complex number: those without NaN come first, then those whose imaginary part, whose real part and of which
// both are NaN; within each of the four the real part decides, then the imaginary one.
type ComplexKey[K Key] struct {
	Class  uint8
	Re, Im K
}

// Complex returns the key of a complex number of two floats.
func (e Encoder[K]) Complex(re, im K) ComplexKey[K] {
	k := ComplexKey[K]{Re: e.One(re), Im: e.One(im)}
	if k.Re == e.Missing() {
		k.Class |= 2
	}
	if k.Im == e.Missing() {
		k.Class |= 1
	}
	return k
}

// Compare returns -1, 0 or 1 as k is before, at or behind l.
func (k ComplexKey[K]) Compare(l ComplexKey[K]) int {
	return cmp.Or(cmp.Compare(k.Class, l.Class), cmp.Compare(k.Re, l.Re), cmp.Compare(k.Im, l.Im))
}

// SearchComplex is Search for complex numbers.
func SearchComplex[K Key](table []ComplexKey[K], x ComplexKey[K], right bool) int {
	return sort.Search(len(table), func(i int) bool {
		c := table[i].Compare(x)
		return c > 0 || c == 0 && !right
	})
}

// Bins finds which of the bins between edges, keys that ascend, keys lie in.
type Bins[K Key] struct {
	edges []K
}

// NewBins returns the bins between edges. Of neighbours that are equal only the last begins a bin that holds anything.
func NewBins[K Key](edges []K) *Bins[K] { return &Bins[K]{edges} }

// Find stores the bin of each key, step apart: i for edges[i] <= x < edges[i+1], the last bin with its right edge; -1 for none.
func (b *Bins[K]) Find(to []int32, step int, xs []K) {
	last := len(b.edges) - 1
	lo, hi := b.edges[0], b.edges[last]
	for i, x := range xs {
		k := -1
		switch {
		case x < lo || x > hi:
		case x == hi:
			k = last - 1
		default:
			k = Search(b.edges, x, true) - 1
		}
		to[i*step] = int32(k)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"math/bits"
	"slices"
)

// codeLengths sets the lengths of an optimal prefix code for symbols that occur counts times, none above limit bits; what does not occur
// has none. At least two symbols get one: some decoders want complete codes. There are at most 288 symbols, and fewer than 1<<23 occurrences.
//
// Source: Moffat and Katajainen (1995), In-place calculation of minimum-redundancy codes, doi:10.1007/3-540-60220-8_79.
func codeLengths(lens []uint8, counts []uint32, limit int) {
	var room, work [288]uint32
	keys := room[:0]
	for i, n := range counts {
		lens[i] = 0
		if n > 0 {
			keys = append(keys, n<<9|uint32(i))
		}
	}
	for i := 0; len(keys) < 2; i++ {
		if counts[i] == 0 {
			keys = append(keys, 1<<9|uint32(i))
		}
	}
	slices.Sort(keys)
	a := work[:len(keys)]
	for i, k := range keys {
		a[i] = k >> 9
	}
	depths(a)
	// how many codes have each length, and how much of the code space they take
	var of [16]int
	total := 0
	for _, d := range a {
		l := min(int(d), limit)
		of[l]++
		total += 1 << (limit - l)
	}
	// those cut to the limit take too much: others become longer until all fit
	for ; total > 1<<limit; total-- {
		l := limit - 1
		for of[l] == 0 {
			l--
		}
		of[l]--
		of[l+1] += 2
		of[limit]--
	}
	i := 0
	for l := limit; l > 0; l-- {
		for range of[l] {
			lens[keys[i]&511] = uint8(l)
			i++
		}
	}
}

// depths turns weights, which do not fall, into the depths of the leaves of their Huffman tree, which do not rise.
func depths(a []uint32) {
	n := len(a)
	// weights of inner nodes take the place of the leaves they are made of, and then name their parents
	a[0] += a[1]
	root, leaf := 0, 2
	for next := 1; next < n-1; next++ {
		var w uint32
		for range 2 {
			if leaf >= n || root < next && a[root] < a[leaf] {
				w += a[root]
				a[root] = uint32(next)
				root++
			} else {
				w += a[leaf]
				leaf++
			}
		}
		a[next] = w
	}
	// depths of the inner nodes, then of the leaves that hang between them
	a[n-2] = 0
	for i := n - 3; i >= 0; i-- {
		a[i] = a[a[i]] + 1
	}
	root = n - 2
	next := n - 1
	for free, depth := 1, uint32(0); free > 0; depth++ {
		inner := 0
		for ; root >= 0 && a[root] == depth; root-- {
			inner++
		}
		for ; free > inner; free-- {
			a[next] = depth
			next--
		}
		free = 2 * inner
	}
}

// prefixCodes sets the canonical codes of lengths, their bits reversed as deflate stores them, above the length in the low five bits.
func prefixCodes(codes []uint32, lens []uint8) {
	var next [16]uint32
	for _, l := range lens {
		next[l]++
	}
	code, before := uint32(0), uint32(0)
	for l := 1; l < len(next); l++ {
		code = (code + before) << 1
		before, next[l] = next[l], code
	}
	for i, l := range lens {
		codes[i] = 0
		if l > 0 {
			codes[i] = uint32(bits.Reverse16(uint16(next[l])))>>(16-l)<<5 | uint32(l)
			next[l]++
		}
	}
}

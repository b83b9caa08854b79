// SPDX-License-Identifier: BSD-3-Clause

package order

import "math/bits"

// fewMost is how many keys are sorted by comparing each with each: less work than another partition.
const fewMost = 20

// radixLeast is how many keys are worth the counts of digits, for keys of 8, 16, 32 and 64 bits: where the two ways met when measured
// (BenchmarkSort).
func radixLeast[K Key]() int {
	switch width[K]() {
	case 8, 16:
		return 64
	case 32:
		return 120
	}
	return 160
}

// Sort puts keys in ascending order. room is as long as keys: elements are moved through it.
func Sort[K Key](keys, room []K) {
	if len(keys) < radixLeast[K]() || len(keys) >= MostPositions {
		quick(keys, 2*bits.Len(uint(len(keys))))
		return
	}
	switch k := any(keys).(type) {
	case []uint8:
		count8(k)
	case []uint64:
		sort64(k, any(room).([]uint64))
	default:
		radix(keys, room, 0, width[K]())
	}
}

// count8 sorts bytes by counting them.
func count8(keys []uint8) {
	var counts [4][256]int // four, so that runs of one value do not wait for the count before
	n := len(keys) &^ 3
	for i := 0; i < n; i += 4 {
		counts[0][keys[i]]++
		counts[1][keys[i+1]]++
		counts[2][keys[i+2]]++
		counts[3][keys[i+3]]++
	}
	for _, k := range keys[n:] {
		counts[0][k]++
	}
	to := keys
	for k := range counts[0] {
		c := counts[0][k] + counts[1][k] + counts[2][k] + counts[3][k]
		run := to[:c]
		for i := range run {
			run[i] = uint8(k)
		}
		to = to[c:]
	}
}

// sort64 sorts by the 32 highest bits in which keys differ, then puts right what these leave equal: few keys of most data, and half the passes.
func sort64(keys, room []uint64) {
	lo, hi := window(keys)
	radix(keys, room, lo, hi)
	if lo == 0 {
		return
	}
	for i := 0; i < len(keys); {
		h, j := keys[i]>>lo, i+1
		for j < len(keys) && keys[j]>>lo == h {
			j++
		}
		if j-i > 1 {
			Sort(keys[i:j], room[i:j])
		}
		i = j
	}
}

// window returns the bits lo to hi of keys that are sorted by first: whole digits, the highest of them with the highest bit in which keys differ.
func window(keys []uint64) (lo, hi int) {
	differ := uint64(0)
	for _, k := range keys {
		differ |= k ^ keys[0]
	}
	hi = (bits.Len64(differ) + digit - 1) / digit * digit
	return max(hi-4*digit, 0), hi
}

// digit is how many bits a pass of radix takes: its 256 places to write at stay in the first cache and its table of pages.
const digit = 8

// values is how many values a digit has.
const values = 1 << digit

// radix sorts by the bits lo to hi of keys, four digits at most, the lowest first: what is equal in them keeps its order. There are less than
// MostPositions keys.
func radix[K Key](keys, room []K, lo, hi int) {
	var table [4][values]uint32
	count(&table, keys, lo)
	from, to := keys, room[:len(keys)]
	for p := range (hi - lo) / digit {
		shift, at := lo+p*digit, &table[p]
		if at[uint64(from[0]>>shift)%values] == uint32(len(keys)) {
			continue // all have one digit
		}
		sum := uint32(0)
		for i, n := range at {
			at[i] = sum
			sum += n
		}
		scatter(to, from, at, shift)
		from, to = to, from
	}
	if &from[0] != &keys[0] {
		copy(keys, from)
	}
}

// count counts the values of four digits of keys from bit lo.
func count[K Key](table *[4][values]uint32, keys []K, lo int) {
	a, b, c, d := &table[0], &table[1], &table[2], &table[3]
	for _, k := range keys {
		x := uint32(uint64(k) >> (lo & 63))
		a[x%values]++
		b[(x>>digit)%values]++
		c[(x>>(2*digit))%values]++
		d[x>>(3*digit)]++
	}
}

// scatter moves keys behind those before them whose digit at bit shift is the same: at is where each digit's go.
func scatter[K Key](to, from []K, at *[values]uint32, shift int) {
	for _, k := range from {
		d := (uint64(k) >> (shift & 63)) % values
		p := at[d]
		at[d] = p + 1
		to[p] = k
	}
}

// quick sorts keys by partitions without branches: an element is moved, and counted, whatever the comparison says. Keys of which the
// pivots do not cut off enough, after depth partitions, are sorted by a heap.
func quick[K Key](v []K, depth int) {
	for len(v) > fewMost {
		if depth == 0 {
			heap(v)
			return
		}
		depth--
		p := Pivot(v)
		s := Below(v, p)
		if s == 0 { // p is the smallest: all that equal it are in place
			v = v[NotAbove(v, p):]
			continue
		}
		quick(v[:s], depth)
		v = v[s:]
	}
	few(v)
}

// Below moves the keys below p to the front and returns their number.
func Below[K Key](v []K, p K) int {
	s := 0
	for i, x := range v {
		v[i] = v[s]
		v[s] = x
		_, less := bits.Sub64(uint64(x), uint64(p), 0)
		s += int(less)
	}
	return s
}

// NotAbove moves the keys that are p or below to the front and returns their number.
func NotAbove[K Key](v []K, p K) int {
	if p == ^K(0) {
		return len(v)
	}
	return Below(v, p+1)
}

// Pivot returns the middle of three keys, of long lines of three such middles.
func Pivot[K Key](v []K) K {
	n := len(v)
	if n < 128 {
		return middle(v[n/4], v[n/2], v[n-n/4])
	}
	d := n / 8
	return middle(middle(v[d/2], v[d], v[2*d]), middle(v[n/2-d/2], v[n/2], v[n/2+d/2]), middle(v[n-2*d], v[n-d], v[n-d/2]))
}

func middle[K Key](a, b, c K) K { return max(min(a, b), min(max(a, b), c)) }

// few sorts up to fewMost keys by counting, for each, those that are below it: comparisons without branches.
func few[K Key](v []K) {
	var rank [fewMost]uint8
	var copied [fewMost]K
	n := copy(copied[:], v)
	for i := 1; i < n; i++ {
		x, above := uint64(copied[i]), uint8(0)
		for j := range copied[:i] {
			_, less := bits.Sub64(x, uint64(copied[j]), 0)
			rank[j] += uint8(less)
			above += uint8(less)
		}
		rank[i] = uint8(i) - above
	}
	for i, x := range copied[:n] {
		v[rank[i]] = x
	}
}

// heap sorts keys in time that does not depend on them.
func heap[K Key](v []K) {
	for i := len(v)/2 - 1; i >= 0; i-- {
		sift(v, i)
	}
	for n := len(v) - 1; n > 0; n-- {
		v[0], v[n] = v[n], v[0]
		sift(v[:n], 0)
	}
}

func sift[K Key](v []K, i int) {
	for {
		c := 2*i + 1
		if c >= len(v) {
			return
		}
		if c+1 < len(v) && v[c+1] > v[c] {
			c++
		}
		if v[i] >= v[c] {
			return
		}
		v[i], v[c] = v[c], v[i]
		i = c
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package order

import "math/bits"

// MostPositions is how many elements a line may have whose positions are sorted.
const MostPositions = 1 << 32

// Room is the memory that Positions works in, for lines of up to n keys: NewRoom(n).
type Room struct{ a, b []uint64 }

// NewRoom returns room for lines of n keys.
func NewRoom(n int) *Room { return &Room{make([]uint64, n), make([]uint64, n)} }

// RoomBytes returns the bytes of NewRoom(n).
func RoomBytes(n int64) int64 { return 16 * n }

// Positions stores in to the positions of keys in ascending order; equal keys keep theirs. There are less than MostPositions of them.
func Positions[K Key](to []int64, keys []K, room *Room) {
	n := len(keys)
	a := room.a[:n]
	if wide, ok := any(keys).([]uint64); ok {
		positions64(a, wide, room)
	} else {
		for i, k := range keys {
			a[i] = uint64(k)<<32 | uint64(i)
		}
		sortPairs(a, room.b[:n], 32+width[K]())
	}
	for i, p := range a {
		to[i] = int64(uint32(p))
	}
}

// sortPairs sorts pairs of a key, below bit hi, and a position, the lower 32 bits, that ascends: so only keys need sorting by.
func sortPairs(pairs, room []uint64, hi int) {
	if len(pairs) < radixLeast[uint32]() {
		quick(pairs, 2*bits.Len(uint(len(pairs)))) // no two are equal: the position decides
		return
	}
	radix(pairs, room, 32, hi)
}

// positions64 stores pairs of 32 bits of the keys and their positions, sorted by all bits of the keys: by the 32 highest in which
// they differ, then, where these are equal, by those below.
func positions64(pairs, keys []uint64, room *Room) {
	if len(keys) == 0 {
		return
	}
	lo, _ := window(keys)
	for i, k := range keys {
		pairs[i] = k>>lo<<32 | uint64(i)
	}
	sortPairs(pairs, room.b[:len(keys)], 64)
	if lo == 0 {
		return
	}
	for i := 0; i < len(pairs); {
		h, j := pairs[i]>>32, i+1
		for j < len(pairs) && pairs[j]>>32 == h {
			j++
		}
		if j-i > 1 {
			low := uint64(1)<<lo - 1
			for x, p := range pairs[i:j] {
				pairs[i+x] = keys[uint32(p)]&low<<32 | p&(1<<32-1)
			}
			sortPairs(pairs[i:j], room.b[i:j], 64)
		}
		i = j
	}
}

// Compose stores in perm the positions that sort keys after perm has sorted by what counts less: keys[i] is that of position i, and equal
// keys keep the order of perm. gathered, next and room are as long as keys.
func Compose[K Key](perm []int64, keys, gathered []K, next []int64, room *Room) {
	for i, p := range perm {
		gathered[i] = keys[p]
	}
	Positions(next, gathered, room)
	for i, p := range next {
		next[i] = perm[p]
	}
	copy(perm, next)
}

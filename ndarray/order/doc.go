// SPDX-License-Identifier: BSD-3-Clause

// Package order sorts and searches lines of elements: slices in memory, without arrays, grids or budgets.
//
// The nouns: a Key is an unsigned integer that has an element's place among all elements of its dtype, so that every
// dtype is sorted and searched by the same code, without a comparison of its own; an Encoder turns elements into keys and
// keys into elements.
//
//	e := order.Encoder[uint32]{Kind: order.Float}
//	e.Encode(keys, bits)     // bits of float32
//	order.Sort(keys, room)   // keys ascend, NaN last
//	e.Decode(bits, keys)
//
// The order is NumPy's: NaN is behind everything else, -0 and 0 are equal, complex numbers are ordered by their real and
// then their imaginary parts. Sorts are stable where elements that are equal can be told apart.
//
// The package must not know arrays. What sorts an axis of one is in package ndarray (sort.go).
package order

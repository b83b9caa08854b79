// SPDX-License-Identifier: BSD-3-Clause

// Package dtype names the element types an array can have and says how two of
// them combine.
//
// The nouns: DType (a run-time tag), Kind (its family), Promote (the one
// promotion table, NumPy 2's), F16 and BF16 (half precision bits with
// conversions). Nothing here knows about shapes, files or devices. A new
// element type is one constant, one row of info and one row and column of the
// promotion table.
package dtype

// SPDX-License-Identifier: BSD-3-Clause

// Package numbers turns the stored bytes of attributes into Go values and back,
// by the rules of formats.Attr: one element is a scalar of its type, several are a slice.
package numbers

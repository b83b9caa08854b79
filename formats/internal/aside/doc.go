// SPDX-License-Identifier: BSD-3-Clause

// Package aside keeps small variables that a format cannot store as arrays while an output is made: the coordinates of an
// image, whose spacing becomes a scale and an offset.
package aside

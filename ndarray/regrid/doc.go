// SPDX-License-Identifier: BSD-3-Clause

// Package regrid computes how values on one horizontal grid become values on another: weights on the sphere, and the loops that
// apply them to one level of a field in memory.
//
// The nouns: a Grid is places in degrees, the two axes of a rectilinear grid or one latitude and longitude for each point; a Method is how
// a place gets its value; a Map is the weights from one Grid to another. Links are those of one axis, each target position with
// the source positions that it is made of; a Rule says what missing values do.
//
//	from, _ := regrid.Named("n80")
//	to, _ := regrid.Named("r360x180")
//	m, err := regrid.New(from, to, regrid.Conservative)
//
// Rectilinear grids have weights that are products of one along latitude and one along longitude, for Bilinear and Conservative: those
// are all that is held. Other maps hold the source points of each target point.
//
// The package must not know arrays, files or budgets. What regrids a Variable is in package ndarray (variable_regrid.go).
package regrid

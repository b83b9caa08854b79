// SPDX-License-Identifier: BSD-3-Clause

// Package npy reads and writes NumPy's .npy files and .npz archives.
//
// The nouns: header (what an array's text header says), box (an array of fixed-size
// items lying in a file in C or Fortran order: a formats.Source and RegionReader), archive
// (an .npz), writer (a formats.Writer for both).
//
//	g, err := npy.Format.Open(ctx, "a.npy")     // one variable, "data"
//	g, err := npy.Archive.Open(ctx, "a.npz")    // one variable for each member
//
// Arrays are read in place, any part without the rest, except deflated members: those are
// decompressed from their start to the part that is wanted, by a few readers that stay where they
// were. Outputs are version 1.0 headers, little endian, C order; .npz members are stored,
// so that every chunk can be written to its place at once.
//
// Specification: numpy.lib.format; APPNOTE.TXT of PKWARE for archives.
//
// What it must not know: names of dimensions, attributes (there is no place for either), pickled objects (refused).
package npy

// SPDX-License-Identifier: BSD-3-Clause

// Package bytesimd moves bytes: shuffle and unshuffle (the byte planes of HDF5,
// Blosc and Zarr), the same of bits, byte swapping, rows of bytes, Adler-32.
//
// Every function has a portable Go loop that is its definition and, on amd64
// with AVX2, assembly that gives the same bytes. Nothing here knows about
// codecs, files or chunks. Sizes that do not fit are a caller's bug and panic
// by Go's own bounds checks before any assembly runs.
package bytesimd

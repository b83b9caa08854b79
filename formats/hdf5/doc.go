// SPDX-License-Identifier: BSD-3-Clause

// Package hdf5 reads HDF5 files in pure Go: superblocks 0 to 3, object headers 1
// and 2, old and new groups, every datatype class, every chunk index, and the
// filters of formats/codec with a number in HDF5, virtual datasets, soft links and, to files in
// its own folder, external ones. What has parts of variable length is a text: sequences and records are JSON.
//
// The nouns: File (an open file: metadata comes through a small page cache, data
// by pread), Object (a parsed object header: a group, a dataset or both),
// Type and Space (what a dataset holds), Source (formats.Source of one dataset).
//
//	f, err := hdf5.New(r, size)
//	root, err := f.Root()
//	obj, err := f.Object(root.Links[0].Addr)
//	src, err := obj.Source()
//
// Names of dimensions, phony dimensions and what netCDF hides are the business of
// formats/netcdf, which builds formats.Group for both kinds of file.
//
// A damaged file costs a bounded number of steps and gives an error wrapping
// formats.ErrCorrupt; a feature that is not read here (external raw files,
// compressed heaps, unknown filters) gives one wrapping
// formats.ErrFormat that names it. Lengths and addresses are compared with the file's
// size before they are used, and nothing is allocated on the word of a header alone.
//
// Specification: HDF5 File Format Specification 3.0 (The HDF Group).
package hdf5

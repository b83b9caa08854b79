// SPDX-License-Identifier: BSD-3-Clause

// Package store keeps bytes under keys: what a Zarr hierarchy lies in.
//
// The nouns: Store (read, list and put by key), Range (which bytes of a value), Dir
// (a directory of the file system), Memory (a map, for tests and small outputs), Zip (an archive, read), HTTP
// (a server, read by ranges), Object (one value as a file, for formats that are one).
// Keys are slash-separated paths without "." or ".." elements and without a leading slash.
//
//	d, err := store.NewDir("era5.zarr")
//	b, err := d.Get(ctx, "t2m/c/3/0/1", store.All, buf)   // b lies in buf when it is large enough
//	if errors.Is(err, fs.ErrNotExist) { ... }            // a chunk never written
//
// File is one open file read by ranges, for the formats that keep everything in one; together they hold a bounded
// number of descriptors.
//
// A value is put whole and seen whole or not at all. Replace moves a finished
// file or directory to its place, exchanging it with what is there.
//
// What it must not know: chunks, codecs, formats. A new store is one file; storetest
// says whether it behaves.
package store

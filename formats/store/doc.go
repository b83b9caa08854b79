// SPDX-License-Identifier: BSD-3-Clause

// Package store keeps bytes under keys: what a Zarr hierarchy lies in.
//
// The nouns: Store (read, list and put by key), Range (which bytes of a value), Dir
// (a directory of the file system), Memory (a map, for tests and small outputs), Zip and ZipWriter (an archive, read, and written once), HTTP
// (a server, read by ranges), Reference (values that lie in other files, as kerchunk writes them, in JSON or Parquet), Object (one value as a file, for
// formats that are one), Below (a part of a store). Buckets of S3, of Google and containers of Azure are in packages below this one; what
// they share, such as trying again and listing, is HTTP's.
// Keys are slash-separated paths without "." or ".." elements and without a leading slash.
//
//	d, err := store.NewDir("era5.zarr")
//	b, err := d.Get(ctx, "t2m/c/3/0/1", store.All, buf)   // b lies in buf when it is large enough
//	if errors.Is(err, fs.ErrNotExist) { ... }            // a chunk never written
//
// GetMany reads many ranges with few requests, as many at once as the store's Latency wants.
//
// File is one open file read by ranges, for the formats that keep everything in one; together they hold a bounded
// number of descriptors.
//
// A value is put whole and seen whole or not at all. Replace moves a finished
// file or directory to its place, exchanging it with what is there.
//
// What it must not know: chunks, codecs, formats. A new store is one file; storetest
// says whether it behaves, and whether it gets over the faults of servers when it is behind one.
package store

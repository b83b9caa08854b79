// SPDX-License-Identifier: BSD-3-Clause

// Package codec turns stored bytes into the bytes of a chunk and back.
//
// The nouns: Stage (one bytes-to-bytes codec with its configuration), Entry (a row
// of Table: a codec's names in Zarr and HDF5 and how to make a Stage), Chain (the
// whole way of one array: transpose, byte order, stages), Scratch (buffers and
// codec state of one worker, pooled).
//
//	c, err := codec.NewChain(steps, layout)   // once for an array
//	s := codec.Borrow()                       // once for a call
//	defer s.Return()
//	err = c.Decode(dst, stored, s)            // len(dst) is the chunk's size in bytes
//
// Nothing here decompresses beyond len(dst) or allocates for each chunk once its
// Scratch is warm. Damage gives an error wrapping formats.ErrCorrupt with the
// codec's name; checksums are always verified. A chain never moves elements: a
// transposed chunk comes out in its stored order and Chain.Order says which, so
// that the one strided copy to the destination does all the moving.
//
// What it must not know: files, keys, chunk grids. A new codec is one file and one
// line of Table; the round-trip, damage and fuzz suites walk the table.
package codec

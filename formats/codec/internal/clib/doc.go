// SPDX-License-Identifier: BSD-3-Clause

// Package clib calls libdeflate and libzstd where a machine has them. They are found at run time and never needed:
// whoever gets nothing here, or a failure, uses the codecs in Go, which also say what is wrong with the input.
//
// The nouns: Library (one of the two, found or not), Inflater and Deflater (libdeflate's states for one worker),
// Unpacker and Packer (libzstd's). States are freed when nobody has them any more.
//
// What crosses the border: addresses and lengths of whole slices that are pinned for the call, never a callback, never a
// destination longer than its slice. What it must not know: containers, checksums around streams, levels of formats.
package clib

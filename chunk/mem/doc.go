// SPDX-License-Identifier: BSD-3-Clause

// Package mem owns the bytes of arrays: blocks outside the Go heap with a
// reference count, handed out by allocators that know their space.
//
// The nouns: Space (where), Allocator (who hands out), Block (counted bytes),
// Pool (the host allocator: size classes over huge-page mmap).
//
// Ownership: Alloc returns a block with one reference, the caller's. Retain
// adds one, Release drops one, the last Release gives the bytes back to the
// block's pool. A function that receives a block borrows it until it returns.
// With -tags invariants a second release panics, freed bytes are poisoned and
// leaks are reported with the stack that allocated them.
package mem

// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix || race

package mem

// mapPages returns Go memory where there is no mmap, and under the race
// detector, which does not see accesses to memory outside the Go heap.
func mapPages(n int64) ([]byte, error) { return make([]byte, n), nil }

func unmapPages([]byte) {}

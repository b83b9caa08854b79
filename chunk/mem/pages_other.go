// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package mem

// mapPages returns Go memory where there is no mmap.
func mapPages(n int64) ([]byte, error) { return make([]byte, n), nil }

func unmapPages([]byte) {}

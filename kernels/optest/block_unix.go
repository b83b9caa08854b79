// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package optest

import (
	"os"
	"syscall"
	"testing"
)

// guarded returns n bytes, a multiple of the page size, with an unmapped page behind them.
func guarded(t *testing.T, n int) []byte {
	page := os.Getpagesize()
	b, err := syscall.Mmap(-1, 0, n+page, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		t.Fatalf("mmap of a guarded block: %v", err)
	}
	if err := syscall.Mprotect(b[n:], syscall.PROT_NONE); err != nil {
		t.Fatalf("mprotect of a guard page: %v", err)
	}
	t.Cleanup(func() { _ = syscall.Munmap(b) })
	return b[:n:n]
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !noasm

package jit

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/cpu"
	"golang.org/x/sys/unix"

	"github.com/arrayrun/arrayrun/kernels"
)

// enter runs machine code: args is the block of pointers, n the number of elements, at least one vector; spill
// the spill area. It returns n, or the first element of the vector that has a cold lane.
//
//go:noescape
func enter(code uintptr, args *unsafe.Pointer, n int, spill unsafe.Pointer) int

// features returns register ECX of the processor's feature flags.
func features() (ecx uint32)

// Available says why this machine cannot run code for vectors of so many bytes, or nil.
func Available(bytes int) error {
	const f16c = 1 << 29
	if !cpu.X86.HasAVX2 || !cpu.X86.HasFMA || features()&f16c == 0 {
		return fmt.Errorf("kernels/cpu/jit: this processor lacks AVX2, FMA or F16C: %w", kernels.ErrUnsupported)
	}
	if bytes > vectorBytes && !(cpu.X86.HasAVX512F && cpu.X86.HasAVX512BW && cpu.X86.HasAVX512DQ && cpu.X86.HasAVX512VL) {
		return fmt.Errorf("kernels/cpu/jit: this processor lacks AVX-512 F, BW, DQ or VL: %w", kernels.ErrUnsupported)
	}
	return nil
}

// Prefers64 reports whether vectors of 64 bytes are quicker: the first processors that had them lowered their clock for them.
func Prefers64() bool { return Available(poolBytes) == nil && cpu.X86.HasAVX512VBMI2 }

// arenaBytes is how much memory is asked of the system at once.
const arenaBytes = 1 << 20

// arena hands out memory for code: whole pages, writable until they become executable, never both.
type arena struct {
	maps [][]byte
	left []byte // of the last map
}

// install copies code to executable memory and returns its address.
func (a *arena) install(code []byte) (uintptr, error) {
	n := (len(code) + pageBytes - 1) / pageBytes * pageBytes
	if len(a.left) < n {
		m, err := unix.Mmap(-1, 0, max(n, arenaBytes), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
		if err != nil {
			return 0, fmt.Errorf("kernels/cpu/jit: map %d bytes for code: %w", max(n, arenaBytes), err)
		}
		a.maps, a.left = append(a.maps, m), m
	}
	p := a.left[:n:n]
	copy(p, code)
	if err := unix.Mprotect(p, unix.PROT_READ|unix.PROT_EXEC); err != nil {
		return 0, fmt.Errorf("kernels/cpu/jit: make memory executable: %w; the system may forbid it", err)
	}
	a.left = a.left[n:]
	return uintptr(unsafe.Pointer(unsafe.SliceData(p))), nil
}

// free unmaps everything: no code of the arena may run any more.
func (a *arena) free() {
	for _, m := range a.maps {
		_ = unix.Munmap(m)
	}
	a.maps, a.left = nil, nil
}

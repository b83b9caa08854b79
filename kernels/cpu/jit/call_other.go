// SPDX-License-Identifier: BSD-3-Clause

//go:build !amd64 || !unix || noasm

package jit

import (
	"fmt"
	"runtime"
	"unsafe"

	"github.com/arrayrun/arrayrun/kernels"
)

func enter(uintptr, *unsafe.Pointer, int, unsafe.Pointer) int { return 0 }

// Available says why this machine cannot run what the package makes.
func Available(int) error {
	return fmt.Errorf("kernels/cpu/jit: no machine code for %s on %s: %w", runtime.GOARCH, runtime.GOOS, kernels.ErrUnsupported)
}

// Prefers64 reports whether vectors of 64 bytes are quicker.
func Prefers64() bool { return false }

// arena has no memory for code here.
type arena struct{}

func (*arena) install([]byte) (uintptr, error) { return 0, Available(0) }

func (*arena) free() {}

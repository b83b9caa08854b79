// SPDX-License-Identifier: BSD-3-Clause

//go:build windows && amd64 && !static

package driver

import (
	"syscall"

	"github.com/ebitengine/purego"
)

const platformReason = ""

func openLibrary(path string) (uintptr, error) {
	h, err := syscall.LoadLibrary(path)
	return uintptr(h), err
}

func lookup(lib uintptr, name string) (uintptr, error) {
	return syscall.GetProcAddress(syscall.Handle(lib), name)
}

// callC calls the C function fn. Pointers converted to uintptr in the argument
// list stay alive and in place until it returns.
//
//go:uintptrescapes
func callC(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}

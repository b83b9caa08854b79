// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && !android && (amd64 || arm64) && !static

package driver

import "github.com/ebitengine/purego"

const platformReason = ""

func openLibrary(path string) (uintptr, error) {
	return purego.Dlopen(path, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func lookup(lib uintptr, name string) (uintptr, error) { return purego.Dlsym(lib, name) }

// callC calls the C function fn. Pointers converted to uintptr in the argument
// list stay alive and in place until it returns.
//
//go:uintptrescapes
func callC(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build linux && !android && (amd64 || arm64) && !static

package clib

import "github.com/ebitengine/purego"

func open(name string) (uintptr, error) {
	return purego.Dlopen(name, purego.RTLD_NOW|purego.RTLD_LOCAL)
}

func lookup(lib uintptr, name string) (uintptr, error) { return purego.Dlsym(lib, name) }

// call calls the C function fn. Pointers converted to uintptr in the argument
// list stay alive and in place until it returns.
//
//go:uintptrescapes
func call(fn uintptr, args ...uintptr) uintptr {
	r, _, _ := purego.SyscallN(fn, args...)
	return r
}

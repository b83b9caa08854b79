// SPDX-License-Identifier: BSD-3-Clause

//go:build invariants && linux

package driver

import "syscall"

// threadID returns the OS thread's number, so that a Session used on another goroutine is found.
func threadID() int { return syscall.Gettid() }

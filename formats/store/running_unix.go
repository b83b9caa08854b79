// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package store

import (
	"errors"
	"syscall"
)

// seesProcesses says that IsRunning can tell.
const seesProcesses = true

// IsRunning reports whether a process of this machine has the number.
func IsRunning(pid int) bool {
	if pid <= 0 {
		return false
	}
	err := syscall.Kill(pid, 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package zarr

import (
	"errors"
	"syscall"
)

// isRunning reports whether a process of this machine has the number.
func isRunning(number any) bool {
	pid, ok := number.(int64)
	if !ok || pid <= 0 || pid != int64(int(pid)) {
		return false
	}
	err := syscall.Kill(int(pid), 0)
	return err == nil || errors.Is(err, syscall.EPERM)
}

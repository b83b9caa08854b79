// SPDX-License-Identifier: BSD-3-Clause

//go:build linux || darwin || freebsd

package sched

import "syscall"

// DiskFree returns the bytes that are free in a folder's file system, false where nobody tells.
func DiskFree(dir string) (int64, bool) {
	var st syscall.Statfs_t
	if syscall.Statfs(dir, &st) != nil {
		return 0, false
	}
	return int64(st.Bavail) * int64(st.Bsize), true
}

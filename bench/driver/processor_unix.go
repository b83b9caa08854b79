// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package main

import "syscall"

// processorSeconds returns what all threads of the process have run.
func processorSeconds() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return float64(u.Utime.Nano()+u.Stime.Nano()) / 1e9
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package cpu_test

import (
	"syscall"
	"time"
)

// processorTime returns what all threads of the process have run.
func processorTime() time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		panic(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

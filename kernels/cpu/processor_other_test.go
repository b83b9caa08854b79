// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package cpu_test

import "time"

var began = time.Now()

// processorTime returns twice the time since the start: what two busy threads have run.
func processorTime() time.Duration { return 2 * time.Since(began) }

// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"testing"

	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/optest"
)

func TestConformance(t *testing.T) {
	for _, mode := range modes {
		t.Run(mode, func(t *testing.T) {
			dev := cpu.New(cpu.Options{Mode: mode})
			defer dev.Close()
			if mode != "generic" && dev.Name() == "vm-generic" {
				t.Skip("this machine runs no machine code")
			}
			optest.Device(t, dev)
		})
	}
}

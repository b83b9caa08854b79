// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"testing"

	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/optest"
)

func TestConformance(t *testing.T) {
	dev := cpu.New(cpu.Options{Mode: "generic"})
	defer dev.Close()
	optest.Device(t, dev)
}

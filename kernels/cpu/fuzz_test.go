// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"testing"

	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/optest"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// FuzzPrograms and FuzzFolds look for programs on which ref, the block machine and machine code of either width differ.
func FuzzPrograms(f *testing.F) { optest.FuzzPrograms(f, everyDevice) }
func FuzzFolds(f *testing.F)    { optest.FuzzFolds(f, everyDevice) }

// everyDevice returns ref and an executor of each mode.
func everyDevice() []kernels.Device {
	list := []kernels.Device{ref.New()}
	for _, m := range modes {
		list = append(list, cpu.New(cpu.Options{Mode: m}))
	}
	return list
}

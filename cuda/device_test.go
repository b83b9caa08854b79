// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
	"github.com/arrayrun/arrayrun/kernels/optest"
)

// open starts the simulated machine and opens its device with the options, which need no CPU.
func open(t *testing.T, o cuda.Options, settings ...string) (*cuda.Device, *cudasim.Sim) {
	t.Helper()
	sim := cudasim.Start(t, settings...)
	t.Setenv(cuda.EnvCache, t.TempDir())
	host := cpu.New(cpu.Options{Mode: "generic"})
	o.CPU = host
	d, err := cuda.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := d.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
		host.Close()
	})
	return d, sim
}

// sample is a device that refuses all units but one of every so many, so that a run compiles few kernels.
type sample struct {
	kernels.Device
	every, taken uint64
}

func (d *sample) Compile(ctx context.Context, u kernels.Unit) (kernels.Kernel, error) {
	if u.Hash()%d.every != 0 {
		return nil, fmt.Errorf("not in the sample: %w", kernels.ErrUnsupported)
	}
	d.taken++
	return d.Device.Compile(ctx, u)
}

// TestOptest runs the suite that every device must pass on the simulated GPU; nothing may be left to the CPU. The whole suite
// compiles thousands of kernels: it runs where ARRAYRUN_REQUIRE=all, a sample elsewhere.
func TestOptest(t *testing.T) {
	d, _ := open(t, cuda.Options{Strict: true, Always: true})
	s := &sample{Device: d, every: 97}
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		s.every = 1
	}
	optest.Device(t, s)
	if n := d.Stats(); n.FellBack != 0 || n.Launches == 0 && s.taken > 0 {
		t.Errorf("%+v: want launches and no calls left to the CPU", n)
	}
	t.Logf("%d units, %+v", s.taken, d.Stats())
}

// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// GPU are the options of an engine's GPU.
type GPU struct {
	Strict                   bool   // what the GPU cannot do is an error, not the CPU's work
	Memory                   int64  // device memory in bytes; 0: 80% of what is free
	CUDALib, NVRTCLib, Cache string // files of the libraries, folder of compiled kernels; "": what the environment says
}

// openCPU opens the device that runs what no GPU does.
func openCPU(opt Options, pool *mem.Pool) (kernels.Device, error) {
	switch opt.CPU {
	case "", "auto", "avx2", "generic":
	default:
		return nil, fmt.Errorf("sched: cpu %q: want auto, avx2 or generic", opt.CPU)
	}
	return cpu.New(cpu.Options{Mode: opt.CPU, Allocator: pool}), nil
}

// gpu is an engine's GPU: opened when a stage may want it, or at once when the user asked for it.
type gpu struct {
	opt   cuda.Options
	asked bool // the user named it: stages go there whatever they cost

	mu    sync.Mutex
	tried bool
	dev   *cuda.Device
	err   error // why there is none
	host  int64 // bytes of host memory that the driver and the staging buffers take
}

// openGPU returns the GPU that the options name, nil for none. One that the user asked for and
// that is not there is an error.
func openGPU(opt Options, host kernels.Device) (*gpu, error) {
	g := &gpu{opt: cuda.Options{CPU: host, Memory: opt.GPU.Memory, Strict: opt.GPU.Strict,
		CUDALib: opt.GPU.CUDALib, NVRTCLib: opt.GPU.NVRTCLib, Cache: opt.GPU.Cache}}
	name, ordinal, numbered := strings.Cut(opt.Device, ":")
	switch {
	case opt.Device == "cpu":
		return nil, nil
	case opt.Device == "", opt.Device == "auto":
		return g, nil
	case name == "cuda":
		if numbered {
			n, err := strconv.Atoi(ordinal)
			if err != nil || n < 0 {
				return nil, fmt.Errorf("sched: device %q: want auto, cpu, cuda or cuda:N", opt.Device)
			}
			g.opt.Ordinal = n
		}
		g.asked, g.opt.Always = true, true
		if _, err := g.open(); err != nil {
			return nil, fmt.Errorf("sched: device %q: %w; or use --device cpu", opt.Device, err)
		}
		return g, nil
	}
	return nil, fmt.Errorf("sched: device %q: want auto, cpu, cuda or cuda:N", opt.Device)
}

// open returns the device, opened once, or why there is none.
func (g *gpu) open() (*cuda.Device, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.tried {
		g.tried = true
		before := residentBytes()
		if g.dev, g.err = cuda.Open(g.opt); g.err == nil {
			g.host = max(residentBytes()-before, 0) + cuda.HostBytes
		}
	}
	return g.dev, g.err
}

// opened returns the device if it has been opened, and the host memory it takes.
func (g *gpu) opened() (*cuda.Device, int64) {
	if g == nil {
		return nil, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.dev, g.host
}

// close closes the device if it was opened.
func (g *gpu) close() error {
	dev, _ := g.opened()
	if dev == nil {
		return nil
	}
	return dev.Close()
}

// whyNone says in a few words why there is no GPU.
func whyNone(err error) string {
	var load *driver.LoadError
	if errors.As(err, &load) {
		return "no GPU: " + load.Library + " " + load.Why()
	}
	return "no GPU: " + err.Error()
}

// fill adds what the GPU did to the statistics.
func (g *gpu) fill(s *Stats) {
	dev, _ := g.opened()
	if dev == nil {
		return
	}
	d := dev.Stats()
	if d.Launches == 0 {
		return
	}
	s.Device = dev.Name()
	s.GPU = GPUStats{Launches: d.Launches, H2DBytes: d.UploadedBytes, D2HBytes: d.DownloadedBytes, PeakBytes: d.PeakBytes, FellBack: d.FellBack}
}

// residentBytes returns the memory that the process has now, 0 where the system does not say.
func residentBytes() int64 {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		return 0
	}
	f := bytes.Fields(b)
	if len(f) < 2 {
		return 0
	}
	n, err := strconv.ParseInt(string(f[1]), 10, 64)
	if err != nil {
		return 0
	}
	return n * int64(os.Getpagesize())
}

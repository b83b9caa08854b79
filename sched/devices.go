// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

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
	case "", "auto", "avx512", "avx2", "generic":
	default:
		return nil, fmt.Errorf("sched: cpu %q: want auto, avx512, avx2 or generic", opt.CPU)
	}
	return cpu.New(cpu.Options{Mode: opt.CPU, Allocator: pool}), nil
}

// gpus are an engine's GPUs: opened when a stage may want them, or at once when the user asked for them.
type gpus struct {
	opt   cuda.Options
	all   bool // every device of the machine; else the one with the options' ordinal
	asked bool // the user named them: stages go there whatever they cost

	mu    sync.Mutex
	tried bool
	devs  []*cuda.Device
	err   error // why there is none
	host  int64 // bytes of host memory that the driver and the staging buffers take
}

// openGPU returns the GPUs that the options name, nil for none. What the user asked for and
// is not there is an error.
func openGPU(opt Options, host kernels.Device) (*gpus, error) {
	g := &gpus{all: true, opt: cuda.Options{CPU: host, Memory: opt.GPU.Memory, Strict: opt.GPU.Strict,
		CUDALib: opt.GPU.CUDALib, NVRTCLib: opt.GPU.NVRTCLib, Cache: opt.GPU.Cache, Pinned: min(cuda.MostPinned, opt.Memory/8)}}
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
			g.opt.Ordinal, g.all = n, false
		}
		g.asked, g.opt.Always = true, true
		if _, err := g.open(); err != nil {
			return nil, fmt.Errorf("sched: device %q: %w; or use --device cpu", opt.Device, err)
		}
		return g, nil
	}
	return nil, fmt.Errorf("sched: device %q: want auto, cpu, cuda or cuda:N", opt.Device)
}

// open returns the devices, opened once, or why there is none.
func (g *gpus) open() ([]*cuda.Device, error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.tried {
		g.tried = true
		before := residentBytes()
		if g.all {
			g.devs, g.err = cuda.OpenAll(g.opt)
		} else {
			var d *cuda.Device
			if d, g.err = cuda.Open(g.opt); g.err == nil {
				g.devs = []*cuda.Device{d}
			}
		}
		if g.err == nil {
			g.host = max(residentBytes()-before, 0)
			for _, d := range g.devs {
				g.host += d.HostBytes()
			}
		}
	}
	return g.devs, g.err
}

// opened returns the devices if they have been opened, and the host memory they take.
func (g *gpus) opened() ([]*cuda.Device, int64) {
	if g == nil {
		return nil, 0
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.devs, g.host
}

// close closes the devices that were opened.
func (g *gpus) close() error {
	devs, _ := g.opened()
	var errs []error
	for _, d := range devs {
		errs = append(errs, d.Close())
	}
	return errors.Join(errs...)
}

// inTurn is a program that computes into buffers, on GPUs: its calls go to them in turn.
type inTurn struct {
	*gpuKernel
	calls atomic.Int64
}

// Run runs a call on the next device that is not lost.
func (k *inTurn) Run(ctx context.Context, c *kernels.Call) error {
	return k.kernels[k.next(k.calls.Add(1))].Run(ctx, c)
}

// namesOf returns the names of devices, "cuda:0, cuda:1".
func namesOf(devs []*cuda.Device) string {
	var list []string
	for _, d := range devs {
		list = append(list, d.Name())
	}
	return strings.Join(list, ", ")
}

// whyNone says in a few words why there is no GPU.
func whyNone(err error) string {
	var load *driver.LoadError
	if errors.As(err, &load) {
		return "no GPU: " + load.Library + " " + load.Why()
	}
	return "no GPU: " + err.Error()
}

// fill adds what the GPUs did to the statistics.
func (g *gpus) fill(s *Stats) {
	devs, _ := g.opened()
	for _, dev := range devs {
		d := dev.Stats()
		if d.Launches > 0 {
			s.Device = namesOf(devs)
		}
		s.GPU.Launches += d.Launches
		s.GPU.H2DBytes += d.UploadedBytes
		s.GPU.D2HBytes += d.DownloadedBytes
		s.GPU.PeakBytes = max(s.GPU.PeakBytes, d.PeakBytes)
		s.GPU.KernelSeconds += d.KernelTime.Seconds()
		s.GPU.Released += d.Released
		s.GPU.Reaped += d.Reaped
		s.GPU.Evicted += d.Evicted
		s.GPU.Halved += d.Halved
		s.GPU.FellBack += d.FellBack
		if dev.Lost() {
			s.GPU.Lost++
		}
	}
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

// FreeMemory returns the bytes of memory that the host can give out, and those that the limit of the process's cgroup leaves; 0: unknown, or no limit.
func FreeMemory() (host, cgroup int64) { return hostFree(), cgroupFree() }

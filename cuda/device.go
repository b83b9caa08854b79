// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// Options choose how a device is used.
type Options struct {
	Ordinal int // which device
	// CPU runs what the device cannot: units it does not support, calls that do not fit its memory, everything
	// once the device is lost. It is borrowed.
	CPU kernels.Device
	// Memory is the budget of device memory in bytes; 0: 80% of what is free.
	Memory int64
	// Pinned is the page-locked host memory in bytes that operands may be read into, at most MostPinned; 0: none. See Stage.
	Pinned int64
	// Strict makes an error of the device, and that it cannot run a call, an error of the call: the CPU runs only what it is better at,
	// and what comes before the compiler is done.
	Strict bool
	// Always runs on the device what the CPU is better at, and waits for the compiler.
	Always bool
	// CUDALib, NVRTCLib and Cache override what the environment says: the files of the libraries, the folder of
	// compiled kernels.
	CUDALib, NVRTCLib, Cache string
}

// streams is how many tasks a device has in flight: one copies in, one computes, one copies out.
const streams = 3

// Device is one GPU. It takes chunks in host memory, and views of Residents, and gives results in host memory.
type Device struct {
	opt       Options
	ctx       *driver.Context
	comp      *compiler
	info      Info
	pool      *pool
	slots     chan *slot
	ring      ring
	mu        sync.Mutex
	units     map[string]*kernel
	residents map[*mem.Block]*Resident // by the block that stands for the array
	resident  int64                    // bytes of theirs
	moving    sync.Mutex
	moves     map[string]*loaded
	busy      sync.WaitGroup // compilations
	compiling chan struct{}  // holds one for each that runs
	reaping   sync.Mutex     // one call at a time takes all slots
	warned    atomic.Bool
	lost      atomic.Bool
	stats     counters
}

// Info is what is known of an opened device.
type Info struct {
	Ordinal       int
	Name          string
	Arch          int // 90 is sm_90
	Driver, NVRTC driver.Version
	DriverPath    string
	NVRTCPath     string
	TotalBytes    int64
	FreeBytes     int64
	BudgetBytes   int64
	Rates         Rates
}

// counters count what a device did.
type counters struct {
	launches, uploaded, downloaded, computed, compiled atomic.Int64
	staged                                             atomic.Int64
	reaped, evicted, halved, fellBack                  atomic.Int64
}

// Stats are the numbers of everything a device has done. Reaped to FellBack are the steps that are taken in turn where memory is short.
type Stats struct {
	Launches        int64         `json:"launches"`
	UploadedBytes   int64         `json:"uploaded_bytes"`
	DownloadedBytes int64         `json:"downloaded_bytes"`
	StagedBytes     int64         `json:"staged_bytes"` // uploaded from where codecs left them
	KernelTime      time.Duration `json:"kernel_ns"`    // between the first and the last launch of each call, 0 where the driver does not tell
	Compiled        int64         `json:"compiled"`     // kernels made ready, from the cache or by the compiler
	Released        int64         `json:"released"`     // times that idle memory went back to the driver
	Reaped          int64         `json:"reaped"`       // calls that waited for what the others had taken
	Evicted         int64         `json:"evicted"`      // arrays that stayed on the device until memory ran short
	Halved          int64         `json:"halved"`       // calls that ran in two halves
	FellBack        int64         `json:"fell_back"`    // calls that the CPU ran instead
	PeakBytes       int64         `json:"peak_bytes"`
}

// Open opens a device, or returns an error that says why there is none: a *driver.LoadError where a library is missing.
func Open(o Options) (*Device, error) {
	if o.CPU == nil {
		return nil, errors.New("cuda: open: no CPU device to run what the GPU cannot")
	}
	search := o.search()
	drv, err := search.Open()
	if err != nil {
		return nil, err
	}
	dev, err := drv.Device(o.Ordinal)
	if err != nil {
		return nil, err
	}
	search.Newest = drv.Version()
	n, err := search.OpenNVRTC()
	if err != nil {
		return nil, err
	}
	major, minor, err := dev.ComputeCapability()
	if err != nil {
		return nil, err
	}
	comp, err := newCompiler(n, 10*major+minor, openCache(o.Cache))
	if err != nil {
		return nil, err
	}
	name, err := dev.Name()
	if err != nil {
		return nil, err
	}
	ctx, err := dev.Primary()
	if err != nil {
		return nil, err
	}
	d := &Device{opt: o, ctx: ctx, comp: comp, units: map[string]*kernel{}, residents: map[*mem.Block]*Resident{}, moves: map[string]*loaded{}, slots: make(chan *slot, streams), ring: newRing(min(o.Pinned, MostPinned)),
		compiling: make(chan struct{}, max(1, runtime.GOMAXPROCS(0)/2))}
	d.info = Info{Ordinal: o.Ordinal, Name: name, Arch: 10*major + minor, Driver: drv.Version(), NVRTC: n.Version(),
		DriverPath: drv.Library().Path(), NVRTCPath: n.Library().Path()}
	if err = d.start(); err == nil {
		err = d.measure(dev)
	}
	if err != nil {
		d.lost.Store(driver.IsSticky(err))
		return nil, errors.Join(err, d.stop(), ctx.Close())
	}
	return d, nil
}

// start sets the budget and makes the streams.
func (d *Device) start() error {
	return d.ctx.Do(func(s *driver.Session) error {
		free, total, err := s.MemInfo()
		if err != nil {
			return err
		}
		budget := d.opt.Memory
		if budget <= 0 {
			budget = free / 5 * 4
		}
		d.info.TotalBytes, d.info.FreeBytes, d.info.BudgetBytes = total, free, budget
		d.pool = newPool(budget)
		for range streams {
			st, err := s.StreamCreate()
			if err != nil {
				return err
			}
			d.slots <- &slot{dev: d, stream: st}
		}
		return nil
	})
}

// stop waits for the streams, which must all be in their slots, and frees what the device holds.
func (d *Device) stop() error {
	close(d.slots)
	if d.lost.Load() {
		return nil // every call fails, and the memory is gone with the context
	}
	return d.ctx.Do(func(s *driver.Session) error {
		var errs []error
		for sl := range d.slots {
			errs = append(errs, sl.close(s))
		}
		errs = append(errs, d.ring.free(s)...)
		for _, k := range d.units {
			errs = append(errs, k.unload(s))
		}
		for _, f := range d.moves {
			errs = append(errs, s.ModuleUnload(f.module))
		}
		if d.pool != nil {
			errs = append(errs, d.pool.close(s))
		}
		return errors.Join(errs...)
	})
}

// Name is "cuda:0".
func (d *Device) Name() string { return fmt.Sprintf("cuda:%d", d.info.Ordinal) }

// Executor tells the device's name, architecture and compiler.
func (d *Device) Executor() string {
	return fmt.Sprintf("%s: %s, sm_%d, NVRTC %v", d.Name(), d.info.Name, d.info.Arch, d.info.NVRTC)
}

// Info returns what is known of the device.
func (d *Device) Info() Info { return d.info }

// Stats returns the numbers of everything the device has done.
func (d *Device) Stats() Stats {
	d.pool.mu.Lock()
	released, peak := d.pool.released, d.pool.peak
	d.pool.mu.Unlock()
	c := &d.stats
	return Stats{Launches: c.launches.Load(), UploadedBytes: c.uploaded.Load(), DownloadedBytes: c.downloaded.Load(), StagedBytes: c.staged.Load(),
		KernelTime: time.Duration(c.computed.Load()), Compiled: c.compiled.Load(), Released: released, Reaped: c.reaped.Load(),
		Evicted: c.evicted.Load(), Halved: c.halved.Load(), FellBack: c.fellBack.Load(), PeakBytes: peak}
}

// Allocator returns the CPU's: operands and results are in host memory.
func (d *Device) Allocator() mem.Allocator { return d.opt.CPU.Allocator() }

// Copy copies src's elements to dst, both in host memory.
func (d *Device) Copy(ctx context.Context, dst, src *chunk.Chunk) error {
	return d.opt.CPU.Copy(ctx, dst, src)
}

// Close waits for what runs and gives everything back to the driver.
func (d *Device) Close() error {
	d.busy.Wait()
	var all []*slot
	for range streams {
		all = append(all, <-d.slots)
	}
	for _, sl := range all {
		d.slots <- sl
	}
	return errors.Join(d.stop(), d.ctx.Close())
}

// Compile returns the kernel of a unit, made once for each key, or an error wrapping kernels.ErrUnsupported with
// the reason. The sources of its launches are compiled as calls need them.
func (d *Device) Compile(ctx context.Context, u kernels.Unit) (kernels.Kernel, error) {
	key := u.Key()
	d.mu.Lock()
	defer d.mu.Unlock()
	if k := d.units[key]; k != nil {
		return k, nil
	}
	k, err := newKernel(ctx, d, u)
	if err != nil {
		return nil, err
	}
	d.units[key] = k
	return k, nil
}

// Lost reports whether the device is not used any more.
func (d *Device) Lost() bool { return d.lost.Load() }

// note remembers an error of the device: a lost one is not used again. The first is told.
func (d *Device) note(err error) {
	if driver.IsSticky(err) || d.ctx.Lost() != 0 {
		d.lost.Store(true)
	}
	if !d.warned.Swap(true) {
		slog.Warn("cuda: the CPU takes over what the GPU could not do", "device", d.Name(), "lost", d.lost.Load(), "error", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package driver_test

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

const addSource = `extern "C" __global__ void __launch_bounds__(256) add(unsigned char *p, long long n, unsigned long long v) {
	for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) p[i] += v;
}`

var options = []string{"--gpu-architecture=sm_90", "--std=c++17", "--fmad=false"}

func primary(t *testing.T, drv *driver.Driver, i int) *driver.Context {
	t.Helper()
	dev, err := drv.Device(i)
	if err != nil {
		t.Fatal(err)
	}
	ctx, err := dev.Primary()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ctx.Close() })
	return ctx
}

func compile(t *testing.T, sim *cudasim.Sim) []byte {
	t.Helper()
	c, err := sim.OpenNVRTC().Compile("add.cu", addSource, options, driver.WantCubin)
	if err != nil {
		t.Fatal(err)
	}
	return c.Cubin
}

// job is a small out-of-core job: it adds 1 to every byte of data, in pieces, with
// two streams that take turns. Whatever fails, it drains its streams, then frees what it has.
func job(s *driver.Session, cubin, data []byte, piece int) (err error) {
	var undo []func() error
	defer func() {
		drained := s.Synchronize()
		for i := len(undo) - 1; i >= 0; i-- {
			if e := undo[i](); err == nil {
				err = e
			}
		}
		if err == nil {
			err = drained
		}
	}()
	mod, err := s.ModuleLoad(cubin)
	if err != nil {
		return err
	}
	undo = append(undo, func() error { return s.ModuleUnload(mod) })
	fn, err := s.Function(mod, "add")
	if err != nil {
		return err
	}
	type lane struct {
		st   driver.Stream
		done driver.Event
		dev  driver.DevicePtr
		host *driver.HostBuffer
		part []byte
	}
	var lanes [2]lane
	for i := range lanes {
		l := &lanes[i]
		if l.st, err = s.StreamCreate(); err != nil {
			return err
		}
		undo = append(undo, func() error { return s.StreamDestroy(l.st) })
		if l.done, err = s.EventCreate(false); err != nil {
			return err
		}
		undo = append(undo, func() error { return s.EventDestroy(l.done) })
		if l.dev, err = s.MemAlloc(int64(piece)); err != nil {
			return err
		}
		undo = append(undo, func() error { return s.MemFree(l.dev) })
		if l.host, err = s.HostAlloc(int64(piece)); err != nil {
			return err
		}
		undo = append(undo, func() error { return s.HostFree(l.host) })
	}
	finish := func(l *lane) error {
		if l.part == nil {
			return nil
		}
		err := s.EventSynchronize(l.done)
		copy(l.part, l.host.Bytes())
		l.part = nil
		return err
	}
	var a driver.Args
	for i := 0; len(data) > 0; i++ {
		l := &lanes[i%2]
		if err := finish(l); err != nil {
			return err
		}
		n := min(piece, len(data))
		l.part, data = data[:n], data[n:]
		copy(l.host.Bytes(), l.part)
		if err := s.CopyToDevice(l.dev, l.host, 0, int64(n), l.st); err != nil {
			return err
		}
		if err := s.Launch(fn, driver.Dim3{X: 2}, driver.Dim3{X: 64}, 0, l.st, a.Reset().Ptr(l.dev).Int(int64(n)).Uint(1)); err != nil {
			return err
		}
		if err := s.CopyToHost(l.host, 0, l.dev, int64(n), l.st); err != nil {
			return err
		}
		if err := s.EventRecord(l.done, l.st); err != nil {
			return err
		}
	}
	if err := finish(&lanes[0]); err != nil {
		return err
	}
	return finish(&lanes[1])
}

func checkJob(t *testing.T, data []byte) {
	t.Helper()
	for i, b := range data {
		if b != byte(i)+1 {
			t.Fatalf("byte %d is %d, want %d", i, b, byte(i)+1)
		}
	}
}

func input(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i)
	}
	return b
}

// TestJob runs the job with delays, in each order of threads.
func TestJob(t *testing.T) {
	for _, order := range []string{"order=forward", "order=reverse", "order=shuffle"} {
		sim := cudasim.Start(t, order, "delay_us=300", "seed=11", "memory=64KiB")
		ctx, data := primary(t, sim.OpenDriver(), 0), input(10000)
		cubin := compile(t, sim)
		if err := ctx.Do(func(s *driver.Session) error { return job(s, cubin, data, 1500) }); err != nil {
			t.Fatal(err)
		}
		checkJob(t, data)
		if st := sim.Stats(); st["live_device"] != 0 || st["live_host"] != 0 || st["streams.0"] != 0 || st["events.0"] != 0 || st["modules.0"] != 0 || sim.Programs() != 0 {
			t.Errorf("left over: %v", st)
		}
	}
}

// TestEveryCallFails makes each call of the job fail in turn, with an ordinary code, with
// one that loses the context, and work that fails on the device: there is an error and
// nothing is left, or the answer is right.
func TestEveryCallFails(t *testing.T) {
	sim := cudasim.Start(t)
	cubin := compile(t, sim)
	run := func(t *testing.T, sim *cudasim.Sim, name string, nth int, code driver.Code) (failed bool) {
		t.Helper()
		ctx := primary(t, sim.OpenDriver(), 0)
		data := input(4000)
		sim.Fault(name, nth, code)
		err := ctx.Do(func(s *driver.Session) error { return job(s, cubin, data, 1500) })
		sim.ClearFaults()
		if err == nil {
			checkJob(t, data)
			return false
		}
		if driver.CodeOf(err) != code {
			t.Errorf("%s %d: got %v, want %v", name, nth, err, code)
		}
		if code.Sticky() != (ctx.Lost() == code) {
			t.Errorf("%s %d: context lost by %v", name, nth, ctx.Lost())
		}
		if st := sim.Stats(); !code.Sticky() && st["live_device"]+st["live_host"]+st["streams.0"]+st["events.0"]+st["modules.0"] > 1 {
			t.Errorf("%s %d: left over: %v", name, nth, st) // one, when what failed was the freeing itself
		}
		if err := ctx.Close(); err != nil {
			t.Error(err)
		}
		return true
	}
	for _, code := range []driver.Code{driver.OutOfMemory, driver.IllegalAddress} {
		for _, name := range []string{"*", "kernel", "copy"} {
			if name != "*" && !code.Sticky() {
				continue // work that fails on the device always loses the context
			}
			t.Run(fmt.Sprint(code.Name(), " ", name), func(t *testing.T) {
				nth := 1
				for ; nth < 200; nth++ {
					sim := cudasim.Start(t)
					if failed := run(t, sim, name, nth, code); !failed && sim.Calls()["cuLaunchKernel"] > 0 && nth > 60 || !failed && name != "*" {
						break
					}
					for _, r := range sim.TakeReports() {
						if r.Kind != "leak" {
							t.Errorf("%s %d: %s: %s", name, nth, r.Kind, r.Text)
						}
					}
				}
				if nth < 3 {
					t.Errorf("%d faults did something", nth-1)
				}
			})
		}
	}
}

// TestManyThreads runs batches on two devices from many goroutines; each call must find its context.
func TestManyThreads(t *testing.T) {
	sim := cudasim.Start(t, "devices=2", "delay_us=50")
	drv := sim.OpenDriver()
	ctxs := []*driver.Context{primary(t, drv, 0), primary(t, drv, 1)}
	cubin := compile(t, sim)
	stop := make(chan struct{})
	go func() { // the collector runs all the time: nothing that C sees may move or go
		for {
			select {
			case <-stop:
				return
			default:
				runtime.GC()
			}
		}
	}()
	defer close(stop)
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			for k := range 3 {
				data := input(600)
				ctx := ctxs[(g+k)%2]
				if err := ctx.Do(func(s *driver.Session) error { return job(s, cubin, data, 200) }); err != nil {
					t.Error(err)
				}
				if data[599] != byte(599%256)+1 {
					t.Errorf("byte 599 is %d", data[599])
				}
			}
		})
	}
	wg.Wait()
}

// TestNestedContexts wants the outer Do to find its own context current again.
func TestNestedContexts(t *testing.T) {
	sim := cudasim.Start(t, "devices=2")
	drv := sim.OpenDriver()
	a, b := primary(t, drv, 0), primary(t, drv, 1)
	err := a.Do(func(s *driver.Session) error {
		p, err := s.MemAlloc(100)
		if err != nil {
			return err
		}
		err = b.Do(func(in *driver.Session) error {
			if err := in.MemFree(p); driver.CodeOf(err) != driver.InvalidValue {
				t.Errorf("free in another context: got %v, want %v", err, driver.InvalidValue)
			}
			return nil
		})
		return errors.Join(err, s.MemFree(p))
	})
	if err != nil {
		t.Error(err)
	}
	if got := fmt.Sprint(sim.TakeReports()); !strings.Contains(got, "context") {
		t.Errorf("reports are %s, want the context's", got)
	}
}

// TestSessionEnds wants calls after Do, and on a closed context, to fail with the rule.
func TestSessionEnds(t *testing.T) {
	ctx := primary(t, cudasim.Start(t).OpenDriver(), 0)
	var kept *driver.Session
	if err := ctx.Do(func(s *driver.Session) error { kept = s; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := kept.MemAlloc(1); !errors.Is(err, driver.ErrSession) {
		t.Errorf("after Do: got %v, want %v", err, driver.ErrSession)
	}
	if err := errors.Join(ctx.Close(), ctx.Close()); err != nil {
		t.Error(err)
	}
	if err := ctx.Do(func(*driver.Session) error { return nil }); driver.CodeOf(err) != driver.InvalidContext {
		t.Errorf("closed context: got %v, want %v", err, driver.InvalidContext)
	}
}

// TestEvents orders two streams by an event and reads the virtual clock.
func TestEvents(t *testing.T) {
	sim := cudasim.Start(t, "up=10", "down=10", "delay_us=2000")
	ctx := primary(t, sim.OpenDriver(), 0)
	err := ctx.Do(func(s *driver.Session) error {
		a, err1 := s.StreamCreate()
		b, err2 := s.StreamCreate()
		e, err3 := s.EventCreate(true)
		f, err4 := s.EventCreate(true)
		dev, err5 := s.MemAlloc(1 << 20)
		h, err6 := s.HostAlloc(2 << 20)
		if err := errors.Join(err1, err2, err3, err4, err5, err6); err != nil {
			return err
		}
		copy(h.Bytes(), bytes.Repeat([]byte("abc"), 1<<18))
		if done, err := s.EventDone(e); err != nil || !done {
			t.Errorf("an event that was never recorded: %v, %v, want done", done, err)
		}
		err := errors.Join(
			s.EventRecord(e, a), s.CopyToDevice(dev, h, 0, 1<<20, a), s.EventRecord(f, a),
			s.StreamWaitEvent(b, f), s.CopyToHost(h, 1<<20, dev, 1<<20, b),
			s.StreamSynchronize(b))
		if err != nil {
			return err
		}
		if !bytes.Equal(h.Bytes()[:1<<20], h.Bytes()[1<<20:]) {
			t.Error("the copy on the second stream did not wait for the first")
		}
		d, err := s.Elapsed(e, f)
		if want := time.Duration(1<<20) / 10; err != nil || d < want-time.Microsecond || d > want+time.Microsecond {
			t.Errorf("elapsed %v, %v, want %v", d, err, want)
		}
		if m := sim.Makespan(); m != 2*(1<<20)/10 {
			t.Errorf("makespan %v, want %v", m, time.Duration(2*(1<<20)/10))
		}
		for _, st := range []driver.Stream{a, b} {
			if done, err := s.StreamDone(st); err != nil || !done {
				t.Errorf("stream: %v, %v, want done", done, err)
			}
		}
		return errors.Join(s.MemFree(dev), s.HostFree(h), s.EventDestroy(e), s.EventDestroy(f), s.StreamDestroy(a), s.StreamDestroy(b))
	})
	if err != nil {
		t.Error(err)
	}
}

// TestRanges wants copies outside their buffer and empty requests to be refused before the driver sees them.
func TestRanges(t *testing.T) {
	sim := cudasim.Start(t)
	ctx := primary(t, sim.OpenDriver(), 0)
	err := ctx.Do(func(s *driver.Session) error {
		h, err := s.HostAlloc(100)
		if err != nil {
			return err
		}
		for _, r := range [][2]int64{{-1, 5}, {0, 101}, {100, 1}, {5, -1}, {1 << 62, 1 << 62}} {
			if err := s.CopyToDevice(0, h, r[0], r[1], 0); !errors.Is(err, driver.ErrRange) {
				t.Errorf("copy of %d at %d: got %v, want %v", r[1], r[0], err, driver.ErrRange)
			}
		}
		if err := s.CopyToDevice(0, h, 100, 0, 0); err != nil {
			t.Errorf("empty copy: %v", err)
		}
		if off, ok := h.Offset(h.Bytes()[7:10]); off != 7 || !ok {
			t.Errorf("offset %d, %v, want 7", off, ok)
		}
		if _, ok := h.Offset(make([]byte, 3)); ok {
			t.Error("memory of Go lies inside the buffer")
		}
		if _, err := s.MemAlloc(0); !errors.Is(err, driver.ErrRange) {
			t.Errorf("no bytes: %v", err)
		}
		if _, err := s.MemAlloc(2 << 30); !errors.Is(err, driver.OutOfMemory) || !strings.Contains(err.Error(), "2147483648 bytes") {
			t.Errorf("more than there is: %v", err)
		}
		var a driver.Args
		for range driver.MaxArgs + 1 {
			a.Int(1)
		}
		if err := s.Launch(0, driver.Dim3{}, driver.Dim3{}, 0, 0, &a); !errors.Is(err, driver.ErrRange) {
			t.Errorf("too many arguments: %v", err)
		}
		if err := s.HostFree(h); err != nil {
			return err
		}
		if err := s.HostFree(h); !errors.Is(err, driver.ErrRange) || h.Len() != 0 {
			t.Errorf("second free: %v", err)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestDeviceFacts reads what doctor prints.
func TestDeviceFacts(t *testing.T) {
	drv := cudasim.Start(t, "devices=3", "arch=86", "memory=256MiB", "driver=12040").OpenDriver()
	dev, err := drv.Device(2)
	if err != nil {
		t.Fatal(err)
	}
	name, err1 := dev.Name()
	bus, err2 := dev.PCIBusID()
	id, err3 := dev.UUID()
	total, err4 := dev.TotalMem()
	major, minor, err5 := dev.ComputeCapability()
	if err := errors.Join(err1, err2, err3, err4, err5); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintln(drv.Version(), drv.DeviceCount(), name, bus, id[15], total>>20, major, minor)
	if want := "12.4 3 Simulated CUDA device 2 0000:03:00.0 2 256 8 6\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := drv.Device(3); driver.CodeOf(err) != driver.InvalidDevice {
		t.Errorf("device 3: %v", err)
	}
	if _, err := dev.Attribute(9999); driver.CodeOf(err) != driver.InvalidValue {
		t.Errorf("attribute 9999: %v", err)
	}
}

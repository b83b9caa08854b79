// SPDX-License-Identifier: BSD-3-Clause

package cudasim_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

const plusOne = head + `	for (long long j = i; j < n; j += blockDim.x) p[j] += 1;
}`

// world is what a planted mistake has at hand.
type world struct {
	*machine
	*driver.Session
	k    kernel
	dev  driver.DevicePtr // 4096 bytes
	host *driver.HostBuffer
}

func (w *world) launch(st driver.Stream, p driver.DevicePtr) error {
	return w.Launch(w.k.fn, driver.Dim3{}, driver.Dim3{X: 64}, 0, st, new(driver.Args).Ptr(p).Int(8))
}

// TestPlantedMistakes does what a program must not do with memory, handles and
// streams; each must be found by its kind, whether or not the call itself fails.
func TestPlantedMistakes(t *testing.T) {
	const beyond = "kernel beyond its operand's beginning"
	for _, c := range []struct {
		name, kind string
		code       driver.Code // of the call, 0 when it succeeds
		do         func(w *world) error
	}{
		{"copy to freed memory", "use-after-free", driver.InvalidValue, func(w *world) error {
			return errors.Join(w.MemFree(w.dev), w.CopyToDevice(w.dev, w.host, 0, 8, w.k.st))
		}},
		{"launch with freed memory", "use-after-free", driver.IllegalAddress, func(w *world) error {
			return errors.Join(w.MemFree(w.dev), w.launch(w.k.st, w.dev), w.StreamSynchronize(w.k.st))
		}},
		{"double free", "double-free", driver.InvalidValue, func(w *world) error {
			return errors.Join(w.MemFree(w.dev), w.MemFree(w.dev))
		}},
		{"free of the middle", "bad-free", driver.InvalidValue, func(w *world) error { return w.MemFree(w.dev.Add(256)) }},
		{"free before the work is done", "free-in-flight", 0, func(w *world) error {
			w.sim.Set("hold_us=100000")
			return errors.Join(w.Memset(w.dev, 1, 4096, w.k.st), w.CopyToHost(w.host, 0, w.dev, 8, w.k.st), w.HostFree(w.host))
		}},
		{"unload before the work is done", "unload-in-flight", 0, func(w *world) error {
			w.sim.Set("hold_us=100000")
			return errors.Join(w.launch(w.k.st, w.dev), w.ModuleUnload(w.k.mod))
		}},
		{"unload while work before it fails", "unload-in-flight", 0, func(w *world) error {
			w.sim.Set("hold_us=100000")
			w.sim.Fault("kernel", 1, driver.LaunchFailed)
			return errors.Join(w.launch(w.k.st, w.dev), w.launch(w.k.st, w.dev), w.ModuleUnload(w.k.mod))
		}},
		{"copy past the end", "out-of-bounds", driver.InvalidValue, func(w *world) error {
			return w.CopyToDevice(w.dev.Add(4000), w.host, 0, 97, w.k.st)
		}},
		{"copy to a number", "bad-pointer", driver.InvalidValue, func(w *world) error { return w.CopyToDevice(12345, w.host, 0, 8, w.k.st) }},
		{"copy from Go's memory", "not-pinned", driver.InvalidValue, func(w *world) error {
			raw, err := w.Context().Device().Driver().Library().Func("cuMemcpyHtoDAsync_v2")
			if err != nil {
				return err
			}
			b := make([]byte, 100)
			var pin runtime.Pinner
			pin.Pin(&b[0])
			defer pin.Unpin()
			return driver.Code(raw(uintptr(w.dev), uintptr(unsafe.Pointer(&b[0])), 100, uintptr(w.k.st)))
		}},
		{"launch with host memory", "host-pointer", 0, func(w *world) error {
			p := driver.DevicePtr(uintptr(unsafe.Pointer(&w.host.Bytes()[0])))
			return errors.Join(w.launch(w.k.st, p), w.StreamSynchronize(w.k.st))
		}},
		{"overlapping copy", "overlap", driver.InvalidValue, func(w *world) error { return w.CopyOnDevice(w.dev, w.dev.Add(100), 200, w.k.st) }},
		{"destroyed stream", "bad-handle", driver.InvalidHandle, func(w *world) error {
			return errors.Join(w.StreamDestroy(w.k.st), w.Memset(w.dev, 1, 1, w.k.st))
		}},
		{"destroyed event", "bad-handle", driver.InvalidHandle, func(w *world) error {
			e, err := w.EventCreate(false)
			return errors.Join(err, w.EventDestroy(e), w.EventRecord(e, w.k.st))
		}},
		{"no event between copy and kernel", "race", 0, func(w *world) error {
			other, err := w.StreamCreate()
			return errors.Join(err, w.CopyToDevice(w.dev, w.host, 0, 4096, w.k.st), w.launch(other, w.dev), w.Synchronize())
		}},
		{beyond + ", where a copy writes", "race", driver.IllegalAddress, func(w *world) error {
			other, err := w.StreamCreate()
			p, err2 := w.MemAlloc(8192)
			err = errors.Join(err, err2)
			// The kernel begins while the copy is held, unless this machine is so busy that the two do not meet: then they are held for longer.
			for hold := 200 * time.Millisecond; err == nil && hold < 10*time.Second; hold *= 4 {
				w.sim.Set(fmt.Sprintf("hold_us=%d", hold.Microseconds()))
				err = w.Launch(w.k.fn, driver.Dim3{}, driver.Dim3{X: 64}, 0, w.k.st, new(driver.Args).Ptr(p).Int(2048))
				time.Sleep(hold / 2)
				err = errors.Join(err, w.CopyToDevice(p.Add(4096), w.host, 0, 4096, other), w.Synchronize())
			}
			return err
		}},
		{"two copies to one place", "race", 0, func(w *world) error {
			other, err := w.StreamCreate()
			return errors.Join(err, w.Memset(w.dev, 1, 4096, w.k.st), w.Memset(w.dev, 2, 4096, other), w.Synchronize())
		}},
		{"end of the context with work queued", "destroyed-in-flight", 0, func(w *world) error {
			w.sim.Set("hold_us=100000")
			return errors.Join(w.Memset(w.dev, 1, 4096, w.k.st), w.Context().Close())
		}},
		{"end of the context with memory in use", "leak", 0, func(w *world) error { return w.Context().Close() }},
		{"no context", "context", driver.InvalidContext, func(w *world) error {
			set, err1 := w.Context().Device().Driver().Library().Func("cuCtxSetCurrent")
			free, err2 := w.Context().Device().Driver().Library().Func("cuMemFree_v2")
			return errors.Join(err1, err2, driver.Code(set(0)), driver.Code(free(uintptr(w.dev))))
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if strings.HasPrefix(c.name, beyond) {
				needKeys(t)
			}
			m := start(t)
			w := &world{machine: m, k: m.load(plusOne)}
			err := m.ctx.Do(func(s *driver.Session) (err error) {
				w.Session = s
				if w.dev, err = s.MemAlloc(4096); err != nil {
					t.Fatal(err)
				}
				if w.host, err = s.HostAlloc(4096); err != nil {
					t.Fatal(err)
				}
				return c.do(w)
			})
			if code := lastCode(err); code != c.code {
				t.Errorf("got %v, want code %d", err, c.code)
			}
			m.expect(c.kind)
			m.ctx.Close()
			m.sim.TakeReports() // whatever the mistake has left
		})
	}
}

// TestNeighbours: copies to different parts of an allocation, and a kernel on a part that is there, are no race.
func TestNeighbours(t *testing.T) {
	m := start(t)
	w := &world{machine: m, k: m.load(plusOne)}
	err := m.ctx.Do(func(s *driver.Session) error {
		w.Session = s
		p, err := s.MemAlloc(3 * 4096)
		h, err2 := s.HostAlloc(3 * 4096)
		a, err3 := s.StreamCreate()
		b, err4 := s.StreamCreate()
		if err = errors.Join(err, err2, err3, err4, s.CopyToDevice(p, h, 0, 4096, a), s.StreamSynchronize(a)); err != nil {
			return err
		}
		w.sim.Set("hold_us=20000")
		return errors.Join(s.CopyToDevice(p.Add(4096), h, 4096, 4096, a), s.CopyToDevice(p.Add(8192), h, 8192, 4096, b), w.launch(w.k.st, p),
			s.Synchronize(), s.MemFree(p), s.HostFree(h), s.StreamDestroy(a), s.StreamDestroy(b))
	})
	if err != nil {
		t.Error(err)
	}
	m.unload(w.k)
	if err := m.ctx.Close(); err != nil {
		t.Error(err)
	}
}

// lastCode returns the code of the last call that failed of those joined in err, 0 for none.
func lastCode(err error) driver.Code {
	if j, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range j.Unwrap() {
			if c := lastCode(e); c != 0 {
				return c
			}
		}
		return 0
	}
	return driver.CodeOf(err)
}

// TestHostAccess follows a device pointer on the host: it faults, with and without protection keys, even
// while a kernel has just run, and the report says whose memory it was.
func TestHostAccess(t *testing.T) {
	for _, strict := range []string{"strict=1", "strict=2"} {
		t.Run(strict, func(t *testing.T) {
			m := start(t, strict)
			k := m.load(plusOne)
			m.in(func(s *driver.Session) error {
				dev, err := s.MemAlloc(4096)
				if err != nil {
					return err
				}
				w := &world{machine: m, Session: s, k: k}
				if err := errors.Join(s.Memset(dev, 1, 4096, k.st), w.launch(k.st, dev), s.StreamSynchronize(k.st)); err != nil {
					return err
				}
				if !faults(dev) {
					t.Error("the host read device memory")
				}
				return s.MemFree(dev)
			})
			m.expect("host-access")
			m.unload(k)
		})
	}
	m := start(t, "strict=0")
	m.in(func(s *driver.Session) error {
		dev, err := s.MemAlloc(4096)
		if err != nil {
			return err
		}
		if faults(dev) {
			t.Error("with strict=0 the host could not read device memory")
		}
		return s.MemFree(dev)
	})
}

// needKeys skips a test of what is only found by protection keys: threads that may not see the same memory.
func needKeys(t *testing.T) {
	t.Helper()
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !strings.Contains(string(cpu), " ospke") {
		t.Skip("this processor or kernel has no protection keys")
	}
}

// TestStagingUsedTooEarly touches host memory while copies of it are queued: writing what one reads, and reading
// what one writes, are faults; reading what one reads and everything after the wait are not.
func TestStagingUsedTooEarly(t *testing.T) {
	needKeys(t)
	m := start(t, "hold_us=300000")
	k := m.load(plusOne)
	m.in(func(s *driver.Session) error {
		const n = 16 << 10
		dev, err1 := s.MemAlloc(n)
		h, err2 := s.HostAlloc(2 * n)
		if err := errors.Join(err1, err2); err != nil {
			return err
		}
		up, down := h.Bytes()[8<<10:], h.Bytes()[n+8<<10:]
		read := func(b []byte) func() { return func() { sink += b[0] } }
		write := func(b []byte) func() { return func() { b[0] = 1 } }
		if err := errors.Join(s.CopyToDevice(dev, h, 0, n, k.st), s.CopyToHost(h, n, dev, n, k.st)); err != nil {
			return err
		}
		if panics(read(up)) || !panics(write(up)) || !panics(read(down)) || !panics(write(down)) {
			t.Error("while the copies are queued: want only the reading of the first one's source to be allowed")
		}
		m.expect("copy-in-flight")
		if err := s.StreamSynchronize(k.st); err != nil {
			return err
		}
		if panics(write(up)) || panics(write(down)) || panics(read(down)) {
			t.Error("after the wait the memory is still closed")
		}
		return errors.Join(s.MemFree(dev), s.HostFree(h))
	})
	m.unload(k)
}

// faults reads at p and returns whether that faulted.
func faults(p driver.DevicePtr) bool {
	at := *(*unsafe.Pointer)(unsafe.Pointer(&p))
	return panics(func() { sink += *(*byte)(at) })
}

// panics runs f, whose faults are panics, and returns whether there was one.
func panics(f func()) (fault bool) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() { fault = recover() != nil }()
	f()
	return false
}

var sink byte

// TestGoStillRecovers wants a nil dereference to be Go's own panic after the simulator has installed its handlers.
func TestGoStillRecovers(t *testing.T) {
	start(t)
	defer func() {
		if err, ok := recover().(runtime.Error); !ok {
			t.Errorf("recovered %v, want a run-time error", err)
		}
	}()
	var p *[4]int
	sink += byte(p[runtime.NumGoroutine()%4])
}

// TestWaitsMakeNoRace orders the same work by an event, then by a wait of the host.
func TestWaitsMakeNoRace(t *testing.T) {
	m := start(t, "delay_us=3000")
	k := m.load(plusOne)
	m.in(func(s *driver.Session) error {
		dev, err1 := s.MemAlloc(4096)
		host, err2 := s.HostAlloc(4096)
		other, err3 := s.StreamCreate()
		e, err4 := s.EventCreate(false)
		if err := errors.Join(err1, err2, err3, err4); err != nil {
			return err
		}
		w := &world{machine: m, Session: s, k: k}
		return errors.Join(
			s.CopyToDevice(dev, host, 0, 4096, k.st), s.EventRecord(e, k.st), s.StreamWaitEvent(other, e), w.launch(other, dev),
			s.StreamSynchronize(other), s.CopyToDevice(dev, host, 0, 4096, k.st), s.StreamSynchronize(k.st), w.launch(other, dev),
			s.StreamSynchronize(other), s.MemFree(dev), s.HostFree(host), s.EventDestroy(e), s.StreamDestroy(other))
	})
	m.unload(k)
}

// TestMemoryLimit allocates until there is no more, and again after a free.
func TestMemoryLimit(t *testing.T) {
	m := start(t, "memory=1MiB", "host=1MiB")
	m.in(func(s *driver.Session) error {
		var all []driver.DevicePtr
		for {
			p, err := s.MemAlloc(100 << 10)
			if err != nil {
				if !errors.Is(err, driver.OutOfMemory) || len(all) != 10 {
					t.Errorf("allocation %d: %v, want %v at 10", len(all), err, driver.OutOfMemory)
				}
				break
			}
			all = append(all, p)
		}
		if free, total, err := s.MemInfo(); err != nil || free != 24<<10 || total != 1<<20 {
			t.Errorf("%d of %d bytes are free, %v", free, total, err)
		}
		if _, err := s.HostAlloc(1<<20 + 1); !errors.Is(err, driver.OutOfMemory) {
			t.Errorf("host: %v", err)
		}
		for _, p := range all {
			if err := s.MemFree(p); err != nil {
				return err
			}
		}
		p, err := s.MemAlloc(1 << 20)
		return errors.Join(err, s.MemFree(p))
	})
	if st := m.sim.Stats(); st["peak_bytes.0"] != 1<<20 || st["used_bytes.0"] != 0 {
		t.Errorf("peak %d, used %d", st["peak_bytes.0"], st["used_bytes.0"])
	}
}

// TestClockOverlaps runs copies and kernels on three streams: the engines work at the same
// time, so the whole takes about as long as the busiest of them, and one stream takes the sum.
func TestClockOverlaps(t *testing.T) {
	for streams, limit := range map[int]float64{1: 3.01, 3: 1.2} {
		m := start(t, "up=1", "down=1", "mem=1000", "launch_us=0", "thread_ps=64000")
		k := m.load(plusOne)
		m.in(func(s *driver.Session) error {
			const bytes = 4096
			sts := []driver.Stream{k.st}
			for len(sts) < streams {
				st, err := s.StreamCreate()
				if err != nil {
					return err
				}
				sts = append(sts, st)
			}
			type lane struct {
				dev  driver.DevicePtr
				host *driver.HostBuffer
			}
			var lanes []lane
			for range sts {
				dev, err1 := s.MemAlloc(bytes)
				host, err2 := s.HostAlloc(bytes)
				if err := errors.Join(err1, err2); err != nil {
					return err
				}
				lanes = append(lanes, lane{dev, host})
			}
			w := &world{machine: m, Session: s, k: k}
			for i := range 24 {
				l, st := lanes[i%streams], sts[i%streams]
				if err := errors.Join(s.CopyToDevice(l.dev, l.host, 0, bytes, st), w.launch(st, l.dev), s.CopyToHost(l.host, 0, l.dev, bytes, st)); err != nil {
					return err
				}
			}
			err := s.Synchronize()
			for _, l := range lanes {
				err = errors.Join(err, s.MemFree(l.dev), s.HostFree(l.host))
			}
			for _, st := range sts[1:] {
				err = errors.Join(err, s.StreamDestroy(st))
			}
			return err
		})
		st := m.sim.Stats()
		if got := float64(m.sim.Makespan()) / float64(st["busy_up_ns.0"]); got > limit || got < limit*0.83 {
			t.Errorf("%d streams: makespan is %.2f of the copies up (%v), want about %.2f", streams, got, st, limit)
		}
		if st["count.up"] != 24 || st["bytes.down"] != 24*4096 || st["count.kernel"] != 24 {
			t.Errorf("counts %v", st)
		}
		if ops := m.sim.Trace(); len(ops) != 72 || ops[1].Kind != "kernel" || ops[1].Name != "k" || ops[1].Start != ops[0].End || ops[0].Bytes != 4096 {
			t.Errorf("%d operations, the second is %+v", len(ops), ops[1])
		}
		m.unload(k)
	}
}

// TestClockFillsGaps queues a copy after one of another stream that has to wait: the engine does not wait with it.
func TestClockFillsGaps(t *testing.T) {
	m := start(t, "up=1", "down=1")
	m.in(func(s *driver.Session) error {
		first, err := s.StreamCreate()
		if err != nil {
			return err
		}
		second, err := s.StreamCreate()
		if err != nil {
			return err
		}
		dev, err := s.MemAlloc(20000)
		if err != nil {
			return err
		}
		host, err := s.HostAlloc(20000)
		if err != nil {
			return err
		}
		err = errors.Join(
			s.CopyToDevice(dev, host, 0, 4000, first), s.CopyToHost(host, 0, dev, 1000, first), // down from 4000 to 5000
			s.Memset(dev.Add(8000), 1, 8000, second), s.CopyToHost(host, 8000, dev.Add(8000), 3000, second),
			s.CopyToHost(host, 12000, dev.Add(12000), 500, second), s.CopyToHost(host, 13000, dev.Add(13000), 3000, second),
			s.Synchronize())
		return errors.Join(err, s.MemFree(dev), s.HostFree(host), s.StreamDestroy(first), s.StreamDestroy(second))
	})
	downs := m.sim.Trace()
	for i := len(downs) - 1; i >= 0; i-- {
		if downs[i].Kind != "down" {
			downs = append(downs[:i], downs[i+1:]...)
		}
	}
	if len(downs) != 4 || downs[0].Start != 4000 || downs[1].End >= 4000 || downs[2].Start != downs[1].End || downs[2].End >= 4000 || downs[3].Start != 5000 || m.sim.Makespan() != 8000 {
		t.Errorf("%+v: want the second and third before the first, and the last, which is too long for the gap, after it", downs)
	}
}

// TestEnvironment wants a program that knows nothing of the simulator to be steered by CUDASIM alone.
func TestEnvironment(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CUDASIM", "devices=4 arch=80 memory=2MiB report_file="+filepath.Join(dir, "reports")+" trace_file="+filepath.Join(dir, "trace"))
	m := start(t)
	if n := m.sim.OpenDriver().DeviceCount(); n != 4 {
		t.Errorf("%d devices, want 4", n)
	}
	m.in(func(s *driver.Session) error {
		p, err := s.MemAlloc(100)
		return errors.Join(err, s.Memset(p, 1, 100, 0), s.Synchronize())
	})
	if err := m.ctx.Close(); err != nil {
		t.Error(err)
	}
	m.expect("leak")
	for name, want := range map[string]string{"reports": "leak\tbyte 0 of device 0 allocation", "trace": "\tset\t\t100\t"} {
		if b, err := os.ReadFile(filepath.Join(dir, name)); err != nil || !strings.Contains(string(b), want) {
			t.Errorf("%s holds %q, %v, want %q", name, b, err, want)
		}
	}
}

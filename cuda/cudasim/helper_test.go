// SPDX-License-Identifier: BSD-3-Clause

package cudasim_test

import (
	"encoding/binary"
	"math"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// options are those the engine compiles with.
var options = []string{"--gpu-architecture=sm_90", "--std=c++17", "--fmad=false", "--ftz=false", "--prec-div=true", "--prec-sqrt=true"}

// machine is a simulated machine with a context and a stream.
type machine struct {
	*testing.T
	sim *cudasim.Sim
	ctx *driver.Context
	rtc *driver.NVRTC
}

func start(t *testing.T, settings ...string) *machine {
	t.Helper()
	sim := cudasim.Start(t, settings...)
	return &machine{t, sim, primary(t, sim.OpenDriver(), 0), sim.OpenNVRTC()}
}

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

// in runs f in a Session; any error is fatal.
func (m *machine) in(f func(s *driver.Session) error) {
	m.Helper()
	if err := m.ctx.Do(f); err != nil {
		m.Fatal(err)
	}
}

// cubin compiles source.
func (m *machine) cubin(source string) []byte {
	m.Helper()
	c, err := m.rtc.Compile("test.cu", source, options, driver.WantCubin)
	if err != nil {
		m.Fatal(err)
	}
	return c.Cubin
}

// kernel is a loaded kernel with a stream of its own.
type kernel struct {
	mod driver.Module
	fn  driver.Function
	st  driver.Stream
}

func (m *machine) load(source string) (k kernel) {
	m.Helper()
	image := m.cubin(source)
	m.in(func(s *driver.Session) (err error) {
		if k.mod, err = s.ModuleLoad(image); err != nil {
			return err
		}
		if k.fn, err = s.Function(k.mod, "k"); err != nil {
			return err
		}
		k.st, err = s.StreamCreate()
		return err
	})
	return k
}

func (m *machine) unload(k kernel) {
	m.Helper()
	m.in(func(s *driver.Session) error {
		if err := s.StreamDestroy(k.st); err != nil {
			return err
		}
		return s.ModuleUnload(k.mod)
	})
}

// run launches k over n words, in and out, with one block of the given threads
// and returns what out holds and the launch's error.
func (m *machine) run(source string, threads, n int) ([]uint32, error) {
	m.Helper()
	k := m.load(source)
	out := make([]uint32, n)
	err := m.ctx.Do(func(s *driver.Session) error {
		bytes := int64(4 * n)
		dev, err := s.MemAlloc(bytes)
		if err != nil {
			return err
		}
		h, err := s.HostAlloc(bytes)
		if err != nil {
			return err
		}
		for i := range n {
			binary.NativeEndian.PutUint32(h.Bytes()[4*i:], uint32(i))
		}
		if err := s.CopyToDevice(dev, h, 0, bytes, k.st); err != nil {
			return err
		}
		var a driver.Args
		if err := s.Launch(k.fn, driver.Dim3{}, driver.Dim3{X: uint32(threads)}, 0, k.st, a.Ptr(dev).Int(int64(n))); err != nil {
			return err
		}
		if err := s.CopyToHost(h, 0, dev, bytes, k.st); err != nil {
			return err
		}
		if err := s.StreamSynchronize(k.st); err != nil {
			return err
		}
		for i := range out {
			out[i] = binary.NativeEndian.Uint32(h.Bytes()[4*i:])
		}
		if err := s.MemFree(dev); err != nil {
			return err
		}
		return s.HostFree(h)
	})
	if err == nil {
		m.unload(k)
	}
	return out, err
}

// expect fails the test unless a report of the kind is there, and takes all reports.
func (m *machine) expect(kind string) {
	m.Helper()
	reports := m.sim.TakeReports()
	for _, r := range reports {
		if r.Kind == kind {
			return
		}
	}
	m.Errorf("reports are %q, want one of kind %s", reports, kind)
}

func floats(b []byte) []float64 {
	list := make([]float64, len(b)/8)
	for i := range list {
		list[i] = math.Float64frombits(binary.NativeEndian.Uint64(b[8*i:]))
	}
	return list
}

// SPDX-License-Identifier: BSD-3-Clause

package cudasim_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// loads returns the code with which the image is refused, 0 when it is not.
func (m *machine) loads(image []byte) driver.Code {
	m.Helper()
	var code driver.Code
	m.in(func(s *driver.Session) error {
		mod, err := s.ModuleLoad(image)
		if err != nil {
			code = driver.CodeOf(err)
			return nil
		}
		return s.ModuleUnload(mod)
	})
	return code
}

// TestDamagedImages changes and cuts a cubin at many places: it must be refused, never run.
func TestDamagedImages(t *testing.T) {
	m := start(t)
	image := m.cubin(plusOne)
	if code := m.loads(image); code != 0 {
		t.Fatalf("the whole image: %v", code)
	}
	for at := 0; at < len(image); at += 1 + at/3 {
		bad := bytes.Clone(image)
		bad[at] ^= 0x40
		if code := m.loads(bad); code != driver.InvalidImage && code != driver.InvalidPTX {
			t.Errorf("byte %d of %d changed: code %v, want %v", at, len(image), code, driver.InvalidImage)
		}
	}
}

// TestArchitectures loads images for other devices, and text for the driver to compile.
func TestArchitectures(t *testing.T) {
	sim := cudasim.Start(t, "arch=86", "driver=12040")
	m := &machine{t, sim, primary(t, sim.OpenDriver(), 0), sim.OpenNVRTC()}
	for arch, want := range map[string]driver.Code{
		"sm_80": 0, "sm_86": 0, "sm_89": driver.NoBinaryForGPU, "sm_75": driver.NoBinaryForGPU, "sm_90": driver.NoBinaryForGPU,
		"compute_75": 0, "compute_86": 0, "compute_90": driver.NoBinaryForGPU,
	} {
		kind := driver.WantCubin
		if strings.HasPrefix(arch, "compute") {
			kind = driver.WantPTX
		}
		sim.SetNVRTCVersion(12040)
		c, err := m.rtc.Compile("a.cu", plusOne, []string{"--gpu-architecture=" + arch}, kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := m.loads(append(c.Cubin, c.PTX...)); got != want {
			t.Errorf("%s on sm_86: code %v, want %v", arch, got, want)
		}
	}
	sim.SetNVRTCVersion(12080)
	c, err := m.rtc.Compile("a.cu", plusOne, []string{"--gpu-architecture=compute_75"}, driver.WantPTX)
	if err != nil {
		t.Fatal(err)
	}
	if got := m.loads(c.PTX); got != driver.UnsupportedPTXVersion {
		t.Errorf("PTX of CUDA 12.8 on a driver of 12.4: code %v, want %v", got, driver.UnsupportedPTXVersion)
	}
	if _, err := m.rtc.Compile("a.cu", plusOne, []string{"--gpu-architecture=compute_75"}, driver.WantCubin); !errors.Is(err, driver.CompileInvalidOption) {
		t.Errorf("a cubin of a virtual architecture: got %v", err)
	}
}

// TestCompileErrors wants the message with the source's own line, and wrong options by name.
func TestCompileErrors(t *testing.T) {
	m := start(t)
	_, err := m.rtc.Compile("wrong.cu", "extern \"C\" __global__ void k() {\n\n\tundeclared = 1;\n}\n", options, driver.WantCubin)
	if !errors.Is(err, driver.CompileFailed) || !strings.Contains(driver.LogOf(err), "wrong.cu:3") || !strings.Contains(driver.LogOf(err), "undeclared") {
		t.Errorf("got %v", err)
	}
	for _, o := range []string{"--gpu-architecture=sm_42", "--fast", "--ftz=true", "--prec-div=false"} {
		_, err := m.rtc.Compile("a.cu", plusOne, []string{o}, driver.WantCubin)
		if !errors.Is(err, driver.CompileInvalidOption) || !strings.Contains(driver.LogOf(err), o) {
			t.Errorf("%s: got %v", o, err)
		}
	}
	m.sim.CompileFault("nvrtcCompileProgram", 1, driver.CompileOutOfMemory)
	if _, err := m.rtc.Compile("a.cu", plusOne, options, driver.WantCubin); !errors.Is(err, driver.CompileOutOfMemory) {
		t.Errorf("fault: got %v", err)
	}
	if n := m.sim.Programs(); n != 0 {
		t.Errorf("%d programs were not destroyed", n)
	}
}

// TestContraction wants x*y+z in two roundings with --fmad=false, and in one
// without, as NVRTC does it: a forgotten option must show.
func TestContraction(t *testing.T) {
	cpu, err := os.ReadFile("/proc/cpuinfo")
	if err != nil || !bytes.Contains(cpu, []byte(" fma ")) {
		t.Skip("this processor has no fma")
	}
	m := start(t)
	source := `extern "C" __global__ void k(double *p, double x, double z) { p[0] = x * x + z; }`
	for _, c := range []struct {
		option string
		want   float64
	}{{"--fmad=false", 0}, {"--fmad=true", 0x1p-60}} {
		image, err := m.rtc.Compile("a.cu", source, []string{"--gpu-architecture=sm_90", c.option}, driver.WantCubin)
		if err != nil {
			t.Fatal(err)
		}
		m.in(func(s *driver.Session) error {
			mod, err1 := s.ModuleLoad(image.Cubin)
			fn, err2 := s.Function(mod, "k")
			dev, err3 := s.MemAlloc(8)
			host, err4 := s.HostAlloc(8)
			if err := errors.Join(err1, err2, err3, err4); err != nil {
				return err
			}
			x := 1 + 0x1p-30 // its square is 1 + 2^-29 + 2^-60
			a := new(driver.Args).Ptr(dev).Float(x).Float(-(1 + 0x1p-29))
			err := errors.Join(s.Launch(fn, driver.Dim3{}, driver.Dim3{}, 0, 0, a), s.CopyToHost(host, 0, dev, 8, 0), s.Synchronize())
			if got := floats(host.Bytes())[0]; got != c.want {
				t.Errorf("%s: %g, want %g", c.option, got, c.want)
			}
			return errors.Join(err, s.MemFree(dev), s.HostFree(host), s.ModuleUnload(mod))
		})
	}
}

// TestCompileInParallel compiles new and cached sources from several goroutines.
func TestCompileInParallel(t *testing.T) {
	t.Setenv("CUDASIM_CACHE", t.TempDir())
	m := start(t)
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for k := range 2 {
				source := strings.ReplaceAll(plusOne, "+= 1", fmt.Sprint("+= ", (g+k)%3))
				if c, err := m.rtc.Compile("a.cu", source, options, driver.WantCubin); err != nil || len(c.Cubin) == 0 {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

// TestDynamicShared turns a block around in shared memory whose size the launch gives.
func TestDynamicShared(t *testing.T) {
	m := start(t, "order=shuffle")
	k := m.load(head + `	extern __shared__ unsigned tile[];
	tile[i] = p[i] + 1;
	__syncthreads();
	p[i] = tile[n - 1 - i];
}`)
	m.in(func(s *driver.Session) error {
		dev, err := s.MemAlloc(256)
		if err != nil {
			return err
		}
		host, err := s.HostAlloc(256)
		if err != nil {
			return err
		}
		clear(host.Bytes())
		host.Bytes()[0] = 41
		a := new(driver.Args).Ptr(dev).Int(64)
		err = errors.Join(s.CopyToDevice(dev, host, 0, 256, k.st), s.Launch(k.fn, driver.Dim3{}, driver.Dim3{X: 64}, 256, k.st, a), s.CopyToHost(host, 0, dev, 256, k.st), s.StreamSynchronize(k.st))
		if b := host.Bytes(); b[252] != 42 || b[0] != 1 {
			t.Errorf("last %d, first %d, want 42 and 1", b[252], b[0])
		}
		if err := s.Launch(k.fn, driver.Dim3{}, driver.Dim3{X: 64}, 49<<10, k.st, a); driver.CodeOf(err) != driver.InvalidValue {
			t.Errorf("49 KiB of shared memory: got %v", err)
		}
		if err := s.Launch(k.fn, driver.Dim3{}, driver.Dim3{X: 512}, 0, k.st, a); driver.CodeOf(err) != driver.LaunchOutOfResources {
			t.Errorf("more threads than the bounds: got %v", err)
		}
		if n, err := s.FunctionAttribute(k.fn, driver.FuncMaxThreadsPerBlock); err != nil || n != 256 {
			t.Errorf("at most %d threads, %v, want 256", n, err)
		}
		if n, err := s.MaxActiveBlocks(k.fn, 256, 0); err != nil || n != 8 {
			t.Errorf("%d active blocks, %v, want 8", n, err)
		}
		return errors.Join(err, s.MemFree(dev), s.HostFree(host))
	})
	m.unload(k)
}

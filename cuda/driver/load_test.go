// SPDX-License-Identifier: BSD-3-Clause

package driver_test

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

func reasonOf(t *testing.T, err error) *driver.LoadError {
	t.Helper()
	var e *driver.LoadError
	if !errors.As(err, &e) {
		t.Fatalf("got %v, want a LoadError", err)
	}
	return e
}

// TestNoLibrary wants the reason, what was tried and what to do. It needs no compiler.
func TestNoLibrary(t *testing.T) {
	t.Setenv(driver.EnvCUDA, filepath.Join(t.TempDir(), "libcuda.so.1"))
	t.Setenv(driver.EnvNVRTC, filepath.Join(t.TempDir(), "libnvrtc.so"))
	_, err1 := driver.Open()
	_, err2 := driver.OpenNVRTC()
	for name, err := range map[string]error{"CUDA driver": err1, "NVRTC": err2} {
		e := reasonOf(t, err)
		if e.Reason == driver.ReasonPlatform {
			t.Skip(e)
		}
		if e.Library != name || e.Reason != driver.ReasonMissing || len(e.Tried) != 1 || !strings.Contains(err.Error(), "correct or unset ARRAYRUN_") {
			t.Errorf("%s: got %v", name, err)
		}
	}
	file := filepath.Join(t.TempDir(), "libcuda.so.1")
	if err := os.WriteFile(file, []byte("no library at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv(driver.EnvCUDA, file)
	if _, err := driver.Open(); reasonOf(t, err).Reason != driver.ReasonMissing {
		t.Errorf("a text file: got %v", err)
	}
	for _, path := range unlike(t) {
		t.Setenv(driver.EnvCUDA, path)
		if _, err := driver.Open(); reasonOf(t, err).Reason != driver.ReasonMissing || !strings.Contains(err.Error(), path+": it is not a regular file") {
			t.Errorf("%s: got %v", path, err)
		}
	}
	// In the current folder, without a folder in its name.
	t.Chdir(filepath.Dir(file))
	for _, env := range []string{driver.EnvCUDA, driver.EnvNVRTC} {
		t.Setenv(env, filepath.Base(file))
	}
	_, err1 = driver.Open()
	_, err2 = driver.OpenNVRTC()
	for _, err := range []error{err1, err2} {
		if e := reasonOf(t, err); e.Reason != driver.ReasonMissing || len(e.Tried) != 1 || !strings.ContainsAny(e.Tried[0].Path, `/\`) {
			t.Errorf("a text file in the current folder: got %v", err)
		}
	}
	s := driver.Search{}
	if _, err := s.OpenNVRTC(); err != nil && !strings.Contains(err.Error(), "libnvrtc.so.12") {
		t.Errorf("the names that were tried are missing: %v", err)
	}
}

// TestCutOff: a library of which the end is missing is refused; the loader would die of it.
func TestCutOff(t *testing.T) {
	cudasim.Start(t)
	whole, err := os.ReadFile(os.Getenv(driver.EnvCUDA))
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "libcuda.so.1")
	t.Setenv(driver.EnvCUDA, file)
	for _, n := range []int{3, 4, 40, 64, 500, 4096, len(whole) / 3, len(whole) / 2, len(whole) - 4096, len(whole) - 1} {
		if err := os.WriteFile(file, whole[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := driver.Open()
		if e := reasonOf(t, err); e.Reason != driver.ReasonMissing || !strings.Contains(err.Error(), file) || n >= 4 && !strings.Contains(err.Error(), fmt.Sprintf("cut off after %d bytes", n)) {
			t.Errorf("the first %d bytes of %d: got %v", n, len(whole), err)
		}
	}
	if err := os.WriteFile(file, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := driver.Open(); err != nil {
		t.Errorf("the whole file: %v", err)
	}
}

// unlike returns paths of what is there and is no file: a folder, a device and a pipe, which nobody may wait for.
func unlike(t *testing.T) []string {
	t.Helper()
	list := []string{t.TempDir()}
	if runtime.GOOS == "linux" {
		pipe := filepath.Join(t.TempDir(), "pipe")
		if err := exec.Command("mkfifo", pipe).Run(); err != nil {
			t.Fatal(err)
		}
		list = append(list, "/dev/null", pipe)
	}
	return list
}

// TestRefusals starts a driver that does not want to.
func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		setting, want string
		reason        driver.Reason
	}{
		{"driver=10020", "too old: it is for CUDA 10.2, want 11.0 or later", driver.ReasonOld},
		{"devices=0", "no device: CUDA_ERROR_NO_DEVICE (100)", driver.ReasonNoDevice},
		{"init=100", "nvidia-smi, CUDA_VISIBLE_DEVICES", driver.ReasonNoDevice},
		{"init=803", "reboot", driver.ReasonInit},
		{"init=34", "stubs folder", driver.ReasonInit},
		{"init=999", "cuInit: CUDA_ERROR_UNKNOWN (999)", driver.ReasonInit},
		{"fault=cuDriverGetVersion:1:3", "cuDriverGetVersion", driver.ReasonInit},
		{"fault=cuDeviceGetCount:1:100", "no device", driver.ReasonNoDevice},
	} {
		t.Run(c.setting, func(t *testing.T) {
			cudasim.Start(t, c.setting)
			_, err := driver.Open()
			if e := reasonOf(t, err); e.Reason != c.reason || !strings.Contains(err.Error(), c.want) || e.Fix == "" {
				t.Errorf("got %v (%v), want %v and %q", err, e.Reason, c.reason, c.want)
			}
		})
	}
	sim := cudasim.Start(t)
	sim.SetNVRTCVersion(11000)
	if _, err := driver.OpenNVRTC(); reasonOf(t, err).Reason != driver.ReasonOld {
		t.Errorf("old NVRTC: got %v", err)
	}
	sim.SetNVRTCVersion(12080)
	for _, f := range []string{"nvrtcVersion", "nvrtcGetNumSupportedArchs", "nvrtcGetSupportedArchs"} {
		sim.CompileFault(f, 1, 11)
		if _, err := driver.OpenNVRTC(); reasonOf(t, err).Reason != driver.ReasonInit || !strings.Contains(err.Error(), "INTERNAL_ERROR") {
			t.Errorf("%s fails: got %v", f, err)
		}
	}
}

// TestMissingSymbols loads libraries that lack one function each: a required one is
// refused by name, an optional one makes only its own call fail.
func TestMissingSymbols(t *testing.T) {
	cudasim.Need(t)
	dir := t.TempDir()
	stub := func(name string, list []driver.Symbol, without string) string {
		var src strings.Builder
		for _, s := range list {
			if s.Name != without {
				fmt.Fprintf(&src, "int %s() { return 0; }\n", s.Name)
			}
		}
		path := filepath.Join(dir, without+name)
		cmd := exec.Command("g++", "-shared", "-fPIC", "-x", "c", "-o", path, "-")
		cmd.Stdin = strings.NewReader(src.String())
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		return path
	}
	cuda, nvrtc := driver.CUDASymbols(), driver.NVRTCSymbols()
	s := driver.Search{CUDA: stub("libcuda.so.1", cuda, "cuMemAlloc_v2"), NVRTC: stub("libnvrtc.so", nvrtc, "nvrtcGetCUBIN")}
	_, err := s.Open()
	if e := reasonOf(t, err); e.Reason != driver.ReasonSymbol || e.Detail != "cuMemAlloc_v2" || e.Path != s.CUDA {
		t.Errorf("without cuMemAlloc_v2: got %v", err)
	}
	_, err = s.OpenNVRTC()
	if e := reasonOf(t, err); e.Reason != driver.ReasonSymbol || !strings.Contains(err.Error(), "nvrtcGetCUBIN") {
		t.Errorf("without nvrtcGetCUBIN: got %v", err)
	}
	s.CUDA = stub("none.so", []driver.Symbol{{Name: "other"}}, "")
	if _, err := s.Open(); reasonOf(t, err).Reason != driver.ReasonSymbol || !strings.Contains(err.Error(), "cuInit, ") || !strings.Contains(err.Error(), " more (") || len(err.Error()) > 300 {
		t.Errorf("without any: got %v, want a few names and how many more", err)
	}
	// The stub answers 0 and sets nothing: version 0.
	s.CUDA = stub("libcuda.so.1", cuda, "cuEventElapsedTime")
	if _, err := s.Open(); reasonOf(t, err).Reason != driver.ReasonOld {
		t.Errorf("without the optional cuEventElapsedTime: got %v, want only the version to be refused", err)
	}
}

// TestSimulatorHasEverySymbol reads the simulator's sources: each bound function is
// exported and takes as many arguments as the table says.
func TestSimulatorHasEverySymbol(t *testing.T) {
	files, err := filepath.Glob("../cudasim/src/*.cc")
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources: %v", err)
	}
	args := map[string]int{}
	export := regexp.MustCompile(`EXPORT int (\w+)\(([^)]*)\)`)
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range export.FindAllStringSubmatch(string(b), -1) {
			args[m[1]] = 0
			if strings.TrimSpace(m[2]) != "" {
				args[m[1]] = strings.Count(m[2], ",") + 1
			}
		}
	}
	bound := append(driver.CUDASymbols(), driver.NVRTCSymbols()...)
	for _, s := range bound {
		if n, ok := args[s.Name]; !ok || n != s.Args {
			t.Errorf("%s: the simulator's takes %d arguments (%v), the table says %d", s.Name, n, ok, s.Args)
		}
		delete(args, s.Name)
	}
	for name := range args {
		t.Errorf("%s: the simulator exports it and nothing binds it", name)
	}
}

// TestRealNVRTC compiles with NVIDIA's own compiler where it is installed.
func TestRealNVRTC(t *testing.T) {
	s := driver.FromEnv()
	s.NVRTC = ""
	if found, _ := filepath.Glob("../../bench/.venv"); len(found) > 0 {
		s.Prefix = append(s.Prefix, found...)
	}
	rtc, err := s.OpenNVRTC()
	if err != nil && os.Getenv("ARRAYRUN_REQUIRE") != "all" {
		t.Skip(err) // a machine without it is an ordinary one
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("NVRTC %v, %s, architectures %v", rtc.Version(), rtc.Library().Path(), rtc.Archs())
	arch := rtc.Archs()[len(rtc.Archs())-1]
	options := []string{fmt.Sprintf("--gpu-architecture=sm_%d", arch), "--std=c++17", "--fmad=false"}
	c, err := rtc.Compile("twice.cu", `extern "C" __global__ void twice(float *p, long long n) { if (threadIdx.x < n) p[threadIdx.x] *= 2; }`, options, driver.WantCubin|driver.WantPTX)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(string(c.Cubin), "\x7fELF") || !strings.Contains(string(c.PTX), ".visible .entry twice") {
		t.Errorf("cubin of %d bytes, PTX %q", len(c.Cubin), c.PTX)
	}
	_, err = rtc.Compile("wrong.cu", `extern "C" __global__ void f() { undeclared = 1; }`, options, driver.WantCubin)
	if !errors.Is(err, driver.CompileFailed) || !strings.Contains(driver.LogOf(err), "wrong.cu(1)") || !strings.Contains(driver.LogOf(err), "undeclared") {
		t.Errorf("a wrong source: got %v", err)
	}
	_, err = rtc.Compile("o.cu", ``, []string{"--no-such-option"}, driver.WantCubin)
	if !errors.Is(err, driver.CompileInvalidOption) {
		t.Errorf("a wrong option: got %v", err)
	}
}

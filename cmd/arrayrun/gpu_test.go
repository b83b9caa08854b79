// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// simulated starts the simulated machine for commands of the test.
func simulated(t *testing.T, settings ...string) *cudasim.Sim {
	t.Helper()
	sim := cudasim.Start(t, settings...)
	t.Setenv(cuda.EnvCache, t.TempDir())
	return sim
}

// gpuStats returns what --stats says of the GPU.
func gpuStats(t *testing.T, path string) (device string, g struct {
	Launches, Halved int64
	FellBack         int64 `json:"fell_back"`
	Lost             int64
}) {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	st := struct {
		Device string
		GPU    any
	}{GPU: &g}
	if err := json.Unmarshal(b, &st); err != nil {
		t.Fatal(err)
	}
	return st.Device, g
}

// sameBits reports whether two arrays are equal bit for bit, where one NaN is as good as another.
func sameBits(a, b *chunk.Chunk) bool {
	if a.DType != b.DType || !a.Shape.Equal(b.Shape) {
		return false
	}
	if bytes.Equal(a.Bytes(), b.Bytes()) {
		return true
	}
	for i := range a.Shape.Size() {
		x, isFloat := element(a, i).(float64)
		y, _ := element(b, i).(float64)
		switch {
		case isFloat && math.IsNaN(x) && math.IsNaN(y):
		case isFloat && math.Float64bits(x) == math.Float64bits(y):
		case isFloat || element(a, i) != element(b, i):
			return false
		}
	}
	return true
}

// TestBatchOnGPU runs the batch of random expressions on the simulated GPU, where nothing may be left to the CPU, and on the CPU: the same bits.
// All of it compiles hundreds of kernels, so it runs where ARRAYRUN_REQUIRE=all; elsewhere one job of every so many.
func TestBatchOnGPU(t *testing.T) {
	simulated(t, "memory=64MiB")
	dir := unpack(t, "testdata/batch/cases.zip")
	every := 7
	switch {
	case os.Getenv("ARRAYRUN_REQUIRE") == "all":
		every = 1
	case testing.Short():
		every = 29
	}
	f, err := os.Open(filepath.Join(dir, "jobs.jsonl"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var ids []string
	jobs := map[string][]byte{}
	n := 0
	for lines := bufio.NewScanner(f); lines.Scan(); n++ {
		var job batchJob
		if err := json.Unmarshal(lines.Bytes(), &job); err != nil {
			t.Fatal(err)
		}
		if n%every != 0 {
			continue
		}
		ids = append(ids, job.ID)
		for _, dev := range []string{"cpu", "cuda"} {
			job.Outputs = map[string]string{"result": dev + "/" + job.ID + ".npy"}
			b, err := json.Marshal(map[string]any{"id": job.ID, "expr": job.Expr, "inputs": job.Inputs, "outputs": job.Outputs})
			if err != nil {
				t.Fatal(err)
			}
			jobs[dev] = append(append(jobs[dev], b...), '\n')
		}
	}
	if n < 300 {
		t.Fatalf("%d jobs, want hundreds", n)
	}
	stats := filepath.Join(dir, "stats.json")
	for _, dev := range []string{"cpu", "cuda"} {
		list := filepath.Join(dir, dev+".jsonl")
		if err := os.WriteFile(list, jobs[dev], 0o666); err != nil {
			t.Fatal(err)
		}
		code, out, errs := arrayrun(t, "eval", "--batch", list, "--device", dev, "--strict-gpu", "--stats", stats)
		if code != exitDone {
			t.Fatalf("--device %s: exit %d: %s%s", dev, code, out, errs)
		}
	}
	if device, g := gpuStats(t, stats); device != "cuda:0" || g.Launches < int64(len(ids)) || g.FellBack != 0 {
		t.Errorf("device %s, %+v: want launches for each of %d jobs, none left to the CPU", device, g, len(ids))
	}
	for _, id := range ids {
		want, got := loadArray(t, filepath.Join(dir, "cpu", id+".npy")), loadArray(t, filepath.Join(dir, "cuda", id+".npy"))
		if !sameBits(got, want) {
			t.Errorf("%s: the GPU's result differs from the CPU's\n%s", id, jobs["cuda"])
		}
	}
	t.Logf("%d of %d jobs", len(ids), n)
}

// TestGPUAskedFor: with no library, another library, an old driver, no device or one that the compiler does not know, --device cuda is an error
// with the reason and a way out, and auto computes on the CPU and says why in the plan and to the doctor.
func TestGPUAskedFor(t *testing.T) {
	other := filepath.Join(t.TempDir(), "other.so")
	if err := os.WriteFile(other, []byte("no library"), 0o666); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ library, setting, want string }{
		{filepath.Join(t.TempDir(), "none.so"), "", "none.so"},
		{other, "", "other.so"},
		{t.TempDir(), "", "not a regular file"},
		{"", "driver=9000", "too old: it is for CUDA 9.0, want 11.0 or later"},
		{"", "devices=0", "no device"},
		{"", "init=803", "the kernel module and the driver library differ"},
		{"", "arch=35", "the device is sm_35"},
	} {
		t.Run(c.want, func(t *testing.T) {
			simulated(t)
			if c.library != "" {
				t.Setenv(driver.EnvCUDA, c.library)
			} else {
				cudasim.Start(t, c.setting)
			}
			code, out, errs := arrayrun(t, "eval", "--device", "cuda", "ones(3) + 1")
			if code != exitUsage || out != "" || !strings.Contains(errs, c.want) || !strings.Contains(errs, "--device cpu") {
				t.Errorf("--device cuda: exit %d, %q, %q; want %d and %q", code, out, errs, exitUsage, c.want)
			}
			if code, out, errs := arrayrun(t, "eval", "ones(3) + 1"); code != exitDone || out != "[2. 2. 2.]\n" || errs != "" {
				t.Errorf("auto: exit %d, %q, %q", code, out, errs)
			}
			if code, out, _ := arrayrun(t, "eval", "--explain", "ones(3) + 1"); code != exitDone || !strings.Contains(out, "cpu: no GPU: ") || !strings.Contains(out, c.want) {
				t.Errorf("the plan: exit %d, want the reason %q in\n%s", code, c.want, out)
			}
			code, out, _ = arrayrun(t, "doctor")
			said := c.want
			if c.setting == "arch=35" {
				said = "sm_35, "
			}
			if code != exitFailed || !strings.Contains(out, said) || !strings.Contains(out, "FAIL cuda") || !strings.Contains(out, "fix: ") || !strings.Contains(out, unproven) {
				t.Errorf("doctor: exit %d, want %q, a failure, its fix and that no GPU has run the code in\n%s", code, said, out)
			}
		})
	}
	simulated(t)
	nvrtc := os.Getenv(driver.EnvNVRTC)
	t.Setenv(driver.EnvNVRTC, other)
	if code, _, errs := arrayrun(t, "eval", "--device", "cuda", "ones(3) + 1"); code != exitUsage || !strings.Contains(errs, "NVRTC: not found: tried "+other) {
		t.Errorf("--device cuda without a compiler: exit %d, %q", code, errs)
	}
	if code, out, _ := arrayrun(t, "eval", "--explain", "ones(3) + 1"); code != exitDone || !strings.Contains(out, "cpu: no GPU: NVRTC not found") {
		t.Errorf("the plan without a compiler: exit %d\n%s", code, out)
	}
	if code, out, _ := arrayrun(t, "doctor"); code != exitFailed || !strings.Contains(out, "FAIL cuda-compiler  not found") {
		t.Errorf("doctor without a compiler: exit %d\n%s", code, out)
	}
	t.Setenv(driver.EnvNVRTC, nvrtc)
	if code, _, errs := arrayrun(t, "eval", "--device", "cuda:1", "ones(3) + 1"); code != exitUsage || !strings.Contains(errs, "got 1, want 0 to 0") {
		t.Errorf("cuda:1 of one device: exit %d, %q", code, errs)
	}
}

// TestDoctorOnGPU: each line has its status and a line that is not good its fix.
func TestDoctorOnGPU(t *testing.T) {
	for _, c := range []struct {
		setting, name, status, want string
		code                        int
	}{
		{"devices=2", "cuda:1", checkOK, "sm_90, 1.0 GiB, 1.0 GiB free", exitDone},
		{"memory=100MiB", "cuda:0", checkWarn, "100.0 MiB free", exitDone},
		{"arch=60", "cuda:0", checkFail, "the compiler begins with sm_70", exitFailed},
		{"driver=11080", "cuda-compiler", checkWarn, "the driver is for CUDA 11.8", exitDone},
		{"fault=cuDevicePrimaryCtxRetain:1:46", "cuda:0", checkFail, "held exclusively", exitFailed},
	} {
		simulated(t, c.setting)
		code, out, errs := arrayrun(t, "doctor", "--json")
		var got struct{ Checks []diagnosis }
		if err := json.Unmarshal([]byte(out), &got); err != nil {
			t.Fatalf("%v: %s%s", err, out, errs)
		}
		find := func(name string) diagnosis {
			i := slices.IndexFunc(got.Checks, func(d diagnosis) bool { return d.Name == name })
			if i < 0 {
				t.Fatalf("%s: no %s in %s", c.setting, name, out)
			}
			return got.Checks[i]
		}
		if d := find(c.name); code != c.code || d.Status != c.status || !strings.Contains(d.Detail, c.want) || (d.Fix == "") != (d.Status == checkOK) {
			t.Errorf("%s: exit %d, %+v, want %d, %s and %q", c.setting, code, d, c.code, c.status, c.want)
		}
		if d := find("cuda-proof"); d.Status != checkWarn || d.Detail != unproven || !strings.Contains(d.Fix, "selftest --device cuda") {
			t.Errorf("%s: %+v, want a warning that no GPU has run the code", c.setting, d)
		}
		if d := find("cgroup"); d.Detail == "" || d.Status == checkFail {
			t.Errorf("%+v, want the cgroup's limit or that there is none", d)
		}
	}
}

// TestSelftestOnGPU: the self test passes on the simulated GPU, and says that no real one took part.
func TestSelftestOnGPU(t *testing.T) {
	simulated(t)
	code, out, errs := arrayrun(t, "selftest", "--device", "cuda", "--random", "20", "--limit", "4s", "--json")
	var got struct {
		Device    string
		Simulated bool
		Cases, Of int
		Failed    int
		Bandwidth map[string]float64
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	if code != exitDone || !got.Simulated || got.Cases < 1 || got.Cases >= got.Of || got.Failed != 0 || len(got.Bandwidth) < 3 || !strings.Contains(got.Device, "cuda:0") {
		t.Errorf("exit %d, %+v: want a case at least, none failed, on a simulated device", code, got)
	}
	if code, out, _ := arrayrun(t, "selftest", "--device", "cuda", "--random", "1", "--limit", "1ms"); code != exitDone || !strings.Contains(out, "(simulated: no GPU took part)") {
		t.Errorf("exit %d, %q: want it said that no GPU took part", code, out)
	}
}

// TestStrictGPU: what the GPU cannot do is the CPU's work and counted, or an error with --strict-gpu; a lost device is said once.
func TestStrictGPU(t *testing.T) {
	stats := filepath.Join(t.TempDir(), "stats.json")
	a := npy(t, t.TempDir(), "a.npy", "arange(60000).reshape(300, 200)")
	const want = "4514850.0\n"
	for _, strict := range []bool{false, true} {
		// Opening the device copies four times up and four down, and sets a byte.
		for _, fault := range []string{"kernel:1:700", "cuLaunchKernel:1:1", "cuMemcpyHtoDAsync_v2:5:999", "copy:10:700"} {
			sim := simulated(t)
			sim.Set("fault=" + fault)
			args := []string{"eval", "--device", "cuda", "--stats", stats, "(a * 0.5).sum(axis=0).max()", "a=" + a}
			if strict {
				args = append(args, "--strict-gpu")
			}
			code, out, errs := arrayrun(t, args...)
			sim.TakeReports() // a lost device's memory is gone with it
			if strict {
				if code == exitDone || code == exitUsage || out != "" || !strings.Contains(errs, "CUDA_ERROR_") {
					t.Errorf("%s, strict: exit %d, %q, %q: want the driver's error", fault, code, out, errs)
				}
				continue
			}
			_, g := gpuStats(t, stats)
			if code != exitDone || out != want || g.FellBack == 0 {
				t.Errorf("%s: exit %d, %q, %q, %+v: want %q and calls on the CPU", fault, code, out, errs, g, want)
			}
			if lost := strings.HasSuffix(fault, ":700"); (g.Lost == 1) != lost {
				t.Errorf("%s: %+v: device lost: want %t", fault, g, lost)
			}
		}
	}
}

// TestKernelsDumpCompiled: with a compiler the PTX is printed, and with NVIDIA's what each kernel uses.
func TestKernelsDumpCompiled(t *testing.T) {
	simulated(t)
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "arange(60, dtype='float32').reshape(6, 10)")
	dump := []string{"kernels", "dump", "mean(sqrt(a*a + 1), axis=1)", "a=" + a, "--ptx", "--arch"}
	code, out, errs := arrayrun(t, append(dump, "90")...)
	for _, want := range []string{"__global__", "// sm_90 by NVRTC 12.8: ", ".target sm_90"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("exit %d, %s: no %q in\n%.2000s", code, errs, want, out)
		}
	}
	if code, _, errs := arrayrun(t, append(dump, "20")...); code != exitUsage || !strings.Contains(errs, "compiles for [70 ") {
		t.Errorf("--arch 20: exit %d, %q, want the architectures that there are", code, errs)
	}
	s := driver.Search{Places: true, Prefix: []string{os.Getenv("VIRTUAL_ENV")}}
	if v, err := filepath.Abs("../../bench/.venv"); err == nil {
		s.Prefix = append(s.Prefix, v)
	}
	n, err := s.OpenNVRTC()
	if err != nil {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatal(err)
		}
		t.Skip("without NVIDIA's compiler nothing tells registers: " + err.Error())
	}
	t.Setenv(driver.EnvNVRTC, n.Library().Path())
	code, out, errs = arrayrun(t, append(dump, fmt.Sprint(n.Archs()[len(n.Archs())-1]))...)
	for _, want := range []string{".visible .entry", " registers", "0 bytes spill stores"} {
		if code != exitDone || !strings.Contains(out, want) {
			t.Errorf("exit %d, %s: no %q in\n%.3000s", code, errs, want, out)
		}
	}
}

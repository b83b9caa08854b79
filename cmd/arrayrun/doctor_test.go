// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"encoding/json"
	"iter"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// noGPU points the library variables at a file that is not there.
func noGPU(t *testing.T) {
	t.Helper()
	gone := filepath.Join(t.TempDir(), "none.so")
	t.Setenv(driver.EnvCUDA, gone)
	t.Setenv(driver.EnvNVRTC, gone)
	t.Setenv(cuda.EnvCache, t.TempDir())
}

// TestDoctor: the JSON has the checks; a library that was named and is not there is a failure with its fix, and the exit code says so.
func TestDoctor(t *testing.T) {
	noGPU(t)
	code, out, errs := arrayrun(t, "doctor", "--json")
	var got struct{ Checks []diagnosis }
	if err := json.Unmarshal([]byte(out), &got); err != nil {
		t.Fatalf("%v: %s%s", err, out, errs)
	}
	seen := map[string]diagnosis{}
	for _, d := range got.Checks {
		seen[d.Name] = d
	}
	if d := seen["cuda-driver"]; code != exitFailed || d.Status != checkFail || !strings.Contains(d.Detail, "none.so") || d.Fix == "" {
		t.Errorf("exit code %d, cuda-driver %+v, want %d and a failure that names the file and the fix", code, d, exitFailed)
	}
	for _, name := range []string{"cpu", "memory", "spill", "cache", "codecs"} {
		if d := seen[name]; d.Status != checkOK && d.Status != checkWarn || d.Detail == "" {
			t.Errorf("%s: %+v, want ok or a warning with its detail", name, d)
		}
	}
	if d := seen["cuda-compiler"]; d.Status != checkFail || !strings.Contains(d.Detail, "none.so") || d.Fix == "" {
		t.Errorf("cuda-compiler %+v, want a failure that names the file and the fix", d)
	}
	t.Setenv(driver.EnvCUDA, "")
	t.Setenv(driver.EnvNVRTC, "")
	if _, out, _ = arrayrun(t, "doctor"); !strings.Contains(out, " cuda-driver ") || !strings.Contains(out, " cuda-compiler ") {
		t.Errorf("got %q, want the driver and the compiler, whether they are there or not", out)
	}
	noGPU(t)
	t.Setenv("ARRAYRUN_CODECS", "go")
	code, out, _ = arrayrun(t, "doctor")
	if !strings.Contains(out, "OFF  libdeflate") || !strings.Contains(out, "OFF  libzstd") || strings.Contains(out, "is used; --codecs=go") {
		t.Errorf("with ARRAYRUN_CODECS=go: got %q, want no library in use", out)
	}
	if code != exitFailed || !strings.Contains(out, "FAIL cuda-driver") || !strings.Contains(out, "fix: ") {
		t.Errorf("exit code %d and %q, want %d and the failure with its fix", code, out, exitFailed)
	}
}

// TestSelftestWithoutGPU: a device that is not there is an error that says why.
func TestSelftestWithoutGPU(t *testing.T) {
	noGPU(t)
	code, _, errs := arrayrun(t, "selftest", "--device", "cuda")
	if code != exitFailed || !strings.Contains(errs, "none.so") {
		t.Errorf("exit code %d, %q, want %d and the library that was tried", code, errs, exitFailed)
	}
	if code, _, errs := arrayrun(t, "selftest", "--device", "cuda:x"); code != exitUsage || !strings.Contains(errs, "cuda:N") {
		t.Errorf("cuda:x: exit code %d, %q, want %d", code, errs, exitUsage)
	}
}

// every returns one case of so many.
func every(t *testing.T, n int, cases iter.Seq2[*deviceCase, error]) iter.Seq[*deviceCase] {
	t.Helper()
	list, err := inTurn(cases)
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func(*deviceCase) bool) {
		for k, c := range list {
			if k%n == 0 && !yield(c) {
				return
			}
		}
	}
}

// TestSelftestOrder: every operation and reduction comes once before any comes twice.
func TestSelftestOrder(t *testing.T) {
	list, err := inTurn(selftestCases(20))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for _, c := range list {
		name, _, _ := strings.Cut(c.what, "(")
		if seen[name]++; seen["add"] == 2 {
			break
		}
	}
	for _, name := range []string{"add", "arctan2", "sum", "nanvar", "join mean", "random program 0"} {
		if seen[name] == 0 {
			t.Errorf("no %s before the second case of add", name)
		}
	}
}

// TestSelftestCPU runs a sample of the cases on both executors of the CPU.
func TestSelftestCPU(t *testing.T) {
	for _, mode := range []string{"auto", "generic"} {
		d := cpu.New(cpu.Options{Mode: mode})
		r, err := runSelftest(context.Background(), d, every(t, 23, selftestCases(100)), 0)
		if err != nil || r.failed != 0 || r.cases < 150 {
			t.Errorf("%s: %d of %d cases failed, error %v: %q", mode, r.failed, r.cases, err, r.failures)
		}
		d.Close()
	}
}

// liar is a device whose results have one bit wrong.
type liar struct{ kernels.Device }

type lie struct{ kernels.Kernel }

func (d liar) Compile(ctx context.Context, u kernels.Unit) (kernels.Kernel, error) {
	k, err := d.Device.Compile(ctx, u)
	return lie{k}, err
}

func (k lie) Run(ctx context.Context, c *kernels.Call) error {
	err := k.Kernel.Run(ctx, c)
	if b := c.Out[0].Block.Bytes(); len(b) > 0 {
		b[len(b)-1] ^= 1
	}
	return err
}

// TestSelftestFindsFaults: a device with a wrong bit fails nearly everything; what it got and wanted is told.
func TestSelftestFindsFaults(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	r, err := runSelftest(context.Background(), liar{host}, every(t, 41, selftestCases(20)), 0)
	if err != nil {
		t.Fatal(err)
	}
	if r.failed < r.cases*9/10 || len(r.failures) != shownFailures || !strings.Contains(r.failures[0], "got ") {
		t.Errorf("%d of %d cases failed, told %q; want nearly all, %d of them told", r.failed, r.cases, r.failures, shownFailures)
	}
}

// TestKernelsDump prints the source of a fused reduction, without a compiler too.
func TestKernelsDump(t *testing.T) {
	noGPU(t)
	dir := t.TempDir()
	a := npy(t, dir, "a.npy", "np.arange(60, dtype='float32').reshape(6, 10)")
	code, out, errs := arrayrun(t, "kernels", "dump", "mean(sqrt(a*a + 1), axis=1)", "a="+a)
	if code != exitDone {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	for _, want := range []string{"not compiled", "fold sum", "fold, lanes", "__global__", "sqrtf("} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	if code, out, errs := arrayrun(t, "kernels", "dump", "a.T", "a="+a); code != exitDone || !strings.Contains(out, "nothing is computed") {
		t.Errorf("a view: exit code %d, %q%s, want that nothing is computed", code, out, errs)
	}
	for _, args := range [][]string{{"kernels"}, {"kernels", "dump"}, {"kernels", "dump", "a +", "a=" + a}} {
		if code, _, errs := arrayrun(t, args...); code != exitUsage || errs == "" {
			t.Errorf("%q: exit code %d, %q, want %d", args, code, errs, exitUsage)
		}
	}
}

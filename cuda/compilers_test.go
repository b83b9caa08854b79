// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

// absent skips a test that needs another program, or fails it where ARRAYRUN_REQUIRE=all says that all must be there.
func absent(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// texts returns every source, those of 2000 random programs among them, in one order, and what each is: where
// ARRAYRUN_REQUIRE=all; one of every 97 elsewhere.
func texts(t *testing.T) (list []string, what map[string]string) {
	t.Helper()
	random := 40
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		random = 2000
	}
	what = everySource(t, random)
	for s := range what {
		list = append(list, s)
	}
	slices.Sort(list)
	if os.Getenv("ARRAYRUN_REQUIRE") != "all" {
		few := list[:0]
		for i, s := range list {
			if i%97 == 0 {
				few = append(few, s)
			}
		}
		list = few
	}
	return list, what
}

// TestClang compiles the sources with clang as CUDA, without a toolkit, to PTX.
func TestClang(t *testing.T) {
	clang, err := exec.LookPath("clang-19")
	if err != nil {
		absent(t, "no clang-19, which compiles CUDA without a toolkit")
	}
	header, err := filepath.Abs("testdata/clang.h")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	list, what := texts(t)
	for i, arch := range []string{"sm_70", "sm_80", "sm_90"} {
		// Many kernels make one translation unit: each in a namespace of its own, which its one entry point leaves by its name.
		for n := 0; n < len(list); n += 50 {
			batch := list[n:min(n+50, len(list))]
			var b strings.Builder
			for k, s := range batch {
				fmt.Fprintf(&b, "namespace n%d {\n%s}\n", k, strings.Replace(s, entry, fmt.Sprintf("kernel%d", k), 1))
			}
			if i > 0 && n > 0 {
				continue // the front end is the same for all
			}
			file := filepath.Join(dir, "k.cu")
			if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(clang, "-x", "cuda", "--cuda-device-only", "--cuda-gpu-arch="+arch, "--cuda-feature=+ptx78", "-nocudainc", "-nocudalib",
				"-std=c++17", "-ffp-contract=off", "-O1", "-Werror", "-Wno-tautological-compare", "-Wno-unused-function", "-include", header, "-S", file, "-o", filepath.Join(dir, "k.ptx"))
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Fatalf("%s: from %q on: %v\n%s", arch, what[batch[0]], err, out)
			}
		}
	}
	t.Logf("%d sources", len(list))
}

// TestNVRTC compiles the sources with NVIDIA's own compiler to machine code for the architectures it knows.
func TestNVRTC(t *testing.T) {
	n := openNVRTC(t)
	list, what := texts(t)
	for i, arch := range []int{75, 80, 86, 89, 90, 100, 120} {
		if !slices.Contains(n.Archs(), arch) {
			t.Logf("NVRTC %v does not know sm_%d", n.Version(), arch)
			continue
		}
		for k, s := range list {
			if k%7 != i {
				continue // each source for one architecture: the code before the machine's is the same
			}
			c, err := n.Compile("k.cu", s, options(n, arch, driver.WantCubin), driver.WantCubin)
			if err != nil {
				t.Fatalf("%s for sm_%d: %v\n%s", what[s], arch, err, s)
			}
			if c.Log != "" && strings.Contains(c.Log, "error") {
				t.Errorf("%s for sm_%d: %s", what[s], arch, c.Log)
			}
		}
	}
	t.Logf("NVRTC %v, %d sources", n.Version(), len(list))
}

// openNVRTC opens the real NVRTC, of the places driver.Search knows or of the peers' environment beside the benchmarks.
func openNVRTC(t *testing.T) *driver.NVRTC {
	t.Helper()
	s := driver.FromEnv()
	if v, err := filepath.Abs("../bench/.venv"); err == nil {
		s.Prefix = append(s.Prefix, v)
	}
	n, err := s.OpenNVRTC()
	if err != nil {
		absent(t, err.Error())
	}
	return n
}

// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

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

// kinds runs test for the sources of the tables, those with gathered inputs and with folds that go on apart, and for those that only random programs
// have, each in one order; what tells what each is. There are 2000 random programs where ARRAYRUN_REQUIRE=all; elsewhere 40, and some of the sources.
func kinds(t *testing.T, test func(t *testing.T, list []string, what map[string]string)) {
	t.Helper()
	random, every := 40, map[string]int{"tables": 97, "gathered": 97, "resumed": 97, "random": 7}
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		random, every = 2000, map[string]int{"tables": 1, "gathered": 1, "resumed": 1, "random": 1}
	}
	what := everySource(t, random)
	sources := map[string][]string{}
	for s, name := range what {
		kind := "tables"
		for k := range every {
			if strings.HasPrefix(name, k) {
				kind = k
			}
		}
		sources[kind] = append(sources[kind], s)
	}
	for _, kind := range []string{"random", "gathered", "resumed", "tables"} {
		slices.Sort(sources[kind])
		var list []string
		for i := 0; i < len(sources[kind]); i += every[kind] {
			list = append(list, sources[kind][i])
		}
		t.Run(kind, func(t *testing.T) { test(t, list, what) })
	}
}

// entries finds the kernels in PTX.
var entries = regexp.MustCompile(`\.visible \.entry kernel\d+\(`)

// TestClang compiles the sources with clang as CUDA, without a toolkit, to PTX of each architecture.
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
	kinds(t, func(t *testing.T, list []string, what map[string]string) {
		for _, arch := range []string{"sm_70", "sm_80", "sm_90"} {
			start := time.Now()
			for batch := range slices.Chunk(list, 50) {
				file, ptx := filepath.Join(dir, "k.cu"), filepath.Join(dir, "k.ptx")
				if err := os.WriteFile(file, []byte(unit(batch)), 0o600); err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(clang, "-x", "cuda", "--cuda-device-only", "--cuda-gpu-arch="+arch, "--cuda-feature=+ptx78", "-nocudainc", "-nocudalib",
					"-std=c++17", "-ffp-contract=off", "-O1", "-Werror", "-Wno-tautological-compare", "-Wno-unused-function", "-include", header, "-S", file, "-o", ptx)
				if out, err := cmd.CombinedOutput(); err != nil {
					t.Fatalf("%s: from %q on: %v\n%s", arch, what[batch[0]], err, out)
				}
				code, err := os.ReadFile(ptx)
				if err != nil {
					t.Fatal(err)
				}
				if n := len(entries.FindAll(code, -1)); n != len(batch) || !strings.Contains(string(code), ".target "+arch) {
					t.Fatalf("%s: from %q on: %d kernels came out of %d", arch, what[batch[0]], n, len(batch))
				}
			}
			t.Logf("%s: %d sources in %v", arch, len(list), time.Since(start).Round(time.Second))
		}
	})
}

// unit joins sources to one translation unit: each in a namespace of its own, which its one entry point leaves by its name.
func unit(sources []string) string {
	var b strings.Builder
	for k, s := range sources {
		fmt.Fprintf(&b, "namespace n%d {\n%s}\n", k, strings.Replace(s, entry, fmt.Sprintf("kernel%d", k), 1))
	}
	return b.String()
}

// TestNVRTC compiles the sources with NVIDIA's own compiler to machine code, each for one of the architectures it knows: the code before
// the machine's is the same. It tells how many need memory for what does not fit in registers.
func TestNVRTC(t *testing.T) {
	n := openNVRTC(t)
	archs := slices.DeleteFunc([]int{75, 80, 86, 89, 90, 100, 120}, func(a int) bool { return !slices.Contains(n.Archs(), a) })
	kinds(t, func(t *testing.T, list []string, what map[string]string) {
		const together = 16
		start, spilling, registers, shared := time.Now(), 0, 0, 0
		for k := 0; k < len(list); k += together {
			batch := list[k:min(k+together, len(list))]
			arch := archs[k/together%len(archs)]
			c, err := n.Compile("k.cu", unit(batch), append(options(n, arch, driver.WantCubin), "--ptxas-options=-v"), driver.WantCubin)
			if err != nil {
				t.Fatalf("sm_%d: from %q on: %v", arch, what[batch[0]], err)
			}
			used := 0
			for _, m := range usage.FindAllStringSubmatch(c.Log, -1) {
				switch v, _ := strconv.Atoi(m[1]); m[2] {
				case "registers":
					used++
					registers = max(registers, v)
				case "bytes smem":
					if shared = max(shared, v); v > 48<<10 {
						t.Errorf("sm_%d: %d bytes of shared memory among the kernels from %q on: want at most 48 KiB", arch, v, what[batch[0]])
					}
				default:
					if v > 0 {
						spilling++
						t.Logf("sm_%d: a kernel spills %d bytes, among those from %q on", arch, v, what[batch[0]])
					}
					if v > 256 {
						t.Errorf("sm_%d: a kernel spills %d bytes, among those from %q on: want at most 256", arch, v, what[batch[0]])
					}
				}
			}
			if used != len(batch) {
				t.Fatalf("sm_%d: the assembler told the registers of %d kernels of %d:\n%s", arch, used, len(batch), c.Log)
			}
		}
		t.Logf("NVRTC %v, sm_%v: %d sources in %v; at most %d registers and %d bytes of shared memory, %d kernels spill",
			n.Version(), archs, len(list), time.Since(start).Round(time.Second), registers, shared, spilling)
		// The assembler keeps a few words in memory where that lets more threads run: those have 32 to 48 registers of 255.
		if spilling > 1+len(list)/50 {
			t.Errorf("%d of %d kernels spill, want at most one of 50", spilling, len(list))
		}
	})
}

// usage finds in the assembler's words what a kernel uses.
var usage = regexp.MustCompile(`(\d+) (registers|bytes smem|bytes spill stores)`)

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

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

// kinds runs test for the sources of the tables, those that turn inputs, of scans, of products, with gathered inputs, with folds that go on and of pieces of folds apart, and for those that only random programs
// have, each in one order; what tells what each is. There are 2000 random programs where ARRAYRUN_REQUIRE=all; elsewhere 40, and some of the sources.
func kinds(t *testing.T, test func(t *testing.T, list []string, what map[string]string)) {
	t.Helper()
	random, every := 40, map[string]int{"tables": 97, "squares": 97, "scans": 13, "products": 7, "gathered": 97, "resumed": 97, "pieces": 97, "random": 7}
	if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
		random, every = 2000, map[string]int{"tables": 1, "squares": 1, "scans": 1, "products": 1, "gathered": 1, "resumed": 1, "pieces": 1, "random": 1}
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
	for _, kind := range []string{"tables", "squares", "scans", "products", "gathered", "resumed", "pieces", "random"} {
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

// TestNVRTC compiles the sources with NVIDIA's own compiler to machine code: each for one of the architectures that it knows, in turn, as the code before
// the machine's is the same, or with ARRAYRUN_ARCHS=all for each of them, with ARRAYRUN_ARCHS=75,120 for each of those. It tells what the kernels use, by architecture.
func TestNVRTC(t *testing.T) {
	n := openNVRTC(t)
	archs := slices.DeleteFunc([]int{75, 80, 86, 89, 90, 100, 120}, func(a int) bool { return !slices.Contains(n.Archs(), a) })
	each := os.Getenv("ARRAYRUN_ARCHS")
	all := each != ""
	if all && each != "all" {
		wanted := strings.Split(each, ",")
		archs = slices.DeleteFunc(archs, func(a int) bool { return !slices.Contains(wanted, strconv.Itoa(a)) })
		if len(archs) != len(wanted) {
			t.Fatalf("ARRAYRUN_ARCHS=%s: NVRTC %v and this test compile for %v of them", each, n.Version(), archs)
		}
	}
	total := map[int]*usage{}
	kinds(t, func(t *testing.T, list []string, what map[string]string) {
		used := map[int]*usage{}
		for _, a := range archs {
			used[a] = &usage{}
		}
		start, compiled, turn := time.Now(), 0, 0
		for batch := range slices.Chunk(list, max(1, min(64, (len(list)+len(archs)-1)/len(archs)))) {
			for i, arch := range archs {
				if !all && i != turn%len(archs) {
					continue
				}
				c, err := n.Compile("k.cu", unit(batch), append(options(n, arch, driver.WantCubin), "--ptxas-options=-v"), driver.WantCubin)
				if err != nil {
					t.Fatalf("sm_%d: from %q on: %v", arch, what[batch[0]], err)
				}
				compiled += len(batch)
				one := usageOf(t, c.Log)
				if len(one) != len(batch) {
					t.Fatalf("sm_%d: the assembler told the use of %d kernels of %d:\n%s", arch, len(one), len(batch), c.Log)
				}
				for k, u := range one {
					if u.spilled > 0 {
						t.Logf("sm_%d: %q spills %d bytes with %d registers", arch, what[batch[k]], u.spilled, u.registers)
					}
					if u.spilled > 256 || u.shared > 48<<10 {
						t.Errorf("sm_%d: %q spills %d bytes and has %d bytes of shared memory: want at most 256 and 48 KiB", arch, what[batch[k]], u.spilled, u.shared)
					}
					used[arch].add(u)
				}
			}
			turn++
		}
		t.Logf("NVRTC %v: %d sources, compiled %d times in %v", n.Version(), len(list), compiled, time.Since(start).Round(time.Second))
		for _, a := range archs {
			if used[a].kernels > 0 {
				t.Logf("sm_%d: %v", a, used[a])
			}
			if total[a] == nil {
				total[a] = &usage{}
			}
			total[a].add(*used[a])
			// The assembler keeps a few words in memory where that lets more threads run: those have 32 to 48 registers of 255. For sm_120 it does so for one of
			// 14 that turn inputs, nearly all of them with 64-bit positions; they lie together, so that a part of the sources may have twice as many. There it also
			// gives up to 56 bytes of products, which have 32 sums, for a third block of threads.
			most := map[string]int{"squares": 6, "products": 2}[t.Name()[strings.LastIndex(t.Name(), "/")+1:]]
			if most == 0 {
				most = 25
			}
			if used[a].spilling > 1+used[a].kernels/most {
				t.Errorf("sm_%d: %d of %d kernels spill, want at most one of %d", a, used[a].spilling, used[a].kernels, most)
			}
		}
	})
	for _, a := range archs {
		t.Logf("sm_%d in all: %v", a, total[a])
	}
}

// usage is what kernels use: the most of any, and of how many.
type usage struct {
	kernels, spilling          int
	registers, shared, spilled int // the last two in bytes
}

func (u *usage) add(v usage) {
	u.kernels += v.kernels
	u.spilling += v.spilling
	u.registers, u.shared, u.spilled = max(u.registers, v.registers), max(u.shared, v.shared), max(u.spilled, v.spilled)
}

func (u *usage) String() string {
	return fmt.Sprintf("%d kernels, at most %d registers and %d bytes of shared memory, %d spill, at most %d bytes", u.kernels, u.registers, u.shared, u.spilling, u.spilled)
}

// usageWords finds in the assembler's words which kernel is meant and what it uses.
var usageWords = regexp.MustCompile(`Compiling entry function 'kernel(\d+)'|(\d+) (registers|bytes smem|bytes spill stores)`)

// usageOf returns what each kernel of a translation unit uses, by its number.
func usageOf(t *testing.T, log string) map[int]usage {
	t.Helper()
	out, at := map[int]usage{}, -1
	for _, m := range usageWords.FindAllStringSubmatch(log, -1) {
		if m[1] != "" {
			at, _ = strconv.Atoi(m[1])
			out[at] = usage{kernels: 1}
			continue
		}
		u, ok := out[at]
		if !ok {
			t.Fatalf("the assembler told of no kernel what it uses:\n%s", log)
		}
		switch v, _ := strconv.Atoi(m[2]); m[3] {
		case "registers":
			u.registers = v
		case "bytes smem":
			u.shared = v
		default:
			if u.spilled = max(u.spilled, v); v > 0 {
				u.spilling = 1
			}
		}
		out[at] = u
	}
	for k, u := range out {
		if u.registers == 0 {
			t.Fatalf("the assembler did not tell the registers of kernel %d:\n%s", k, log)
		}
	}
	return out
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

// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestPlaces finds NVRTC in each place where installers put it, the newest first.
func TestPlaces(t *testing.T) {
	root := t.TempDir()
	for _, f := range []string{
		"toolkit/lib64/libnvrtc.so.12",
		"toolkit/targets/x86_64-linux/lib/libnvrtc.so.13",
		"conda/lib/libnvrtc.so.11.2",
		"conda/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"conda/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"conda/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"home/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
	} {
		p := filepath.Join(root, f)
		if err := os.MkdirAll(filepath.Dir(p), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(p, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	env := map[string]string{"CUDA_PATH": filepath.Join(root, "toolkit"), "CONDA_PREFIX": filepath.Join(root, "conda"), "HOME": filepath.Join(root, "home")}
	s := searchFrom(func(k string) string { return env[k] })
	s.OS, s.Arch, s.Places = "linux", "amd64", false
	list := func(s Search) []string {
		files := s.nvrtcCandidates()
		for i, f := range files {
			files[i] = strings.TrimPrefix(f, root+"/")
		}
		return files
	}
	want := []string{
		"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2",
		"toolkit/lib64/libnvrtc.so.12",
		"toolkit/targets/x86_64-linux/lib/libnvrtc.so.13",
		"conda/lib/libnvrtc.so.11.2",
		"conda/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"conda/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"conda/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"home/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
	}
	if got := list(s); !slices.Equal(got, want) {
		t.Errorf("candidates are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	s.Newest = 13000
	if got := list(s); !slices.Equal(got, want) {
		t.Errorf("for a driver of 13.0 candidates are\n%s\nwant the same", strings.Join(got, "\n"))
	}
	// What the driver would not load comes last, in the same order.
	s.Newest = 12040
	isNew := func(f string) bool { return strings.HasSuffix(f, ".13") }
	late := slices.Concat(slices.DeleteFunc(slices.Clone(want), isNew), slices.DeleteFunc(slices.Clone(want), func(f string) bool { return !isNew(f) }))
	if got := list(s); !slices.Equal(got, late) {
		t.Errorf("for a driver of 12.4 candidates are\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(late, "\n"))
	}
}

// TestVariablesAreTriedAlone wants one candidate when a variable names it.
func TestVariablesAreTriedAlone(t *testing.T) {
	s := searchFrom(func(k string) string {
		return map[string]string{EnvCUDA: "/a/libcuda.so", EnvNVRTC: "/b/libnvrtc.so", "CUDA_HOME": "/c"}[k]
	})
	for name, f := range map[string]func() []string{"/a/libcuda.so": s.cudaCandidates, "/b/libnvrtc.so": s.nvrtcCandidates} {
		if files := f(); !slices.Equal(files, []string{name}) {
			t.Errorf("candidates are %q, want %s alone", files, name)
		}
	}
}

// TestWindowsNames checks the other system's names and places.
func TestWindowsNames(t *testing.T) {
	s := Search{OS: "windows", Roots: []string{"toolkit"}, Prefix: []string{"conda"}}
	cuda, nvrtc := s.cudaCandidates(), s.nvrtcCandidates()
	if !slices.Equal(cuda, []string{"nvcuda.dll"}) || !slices.Contains(nvrtc, "nvrtc64_120_0.dll") {
		t.Errorf("names are %q and %q", cuda, nvrtc)
	}
	if dirs := s.nvrtcFolders(); !slices.Contains(dirs, filepath.Join("conda", "Lib", "site-packages", "nvidia", "cuda_nvrtc", "bin")) || !slices.Contains(dirs, filepath.Join("toolkit", "bin")) {
		t.Errorf("folders are %q", dirs)
	}
}

func TestCompareVersions(t *testing.T) {
	list := []string{"cuda-12.9", "cuda-12.10", "cuda-9.2", "cuda-13.0", "cuda", "cuda-12.09"}
	slices.SortStableFunc(list, compareVersions)
	if want := []string{"cuda", "cuda-9.2", "cuda-12.9", "cuda-12.09", "cuda-12.10", "cuda-13.0"}; !slices.Equal(list, want) {
		t.Errorf("sorted %q, want %q", list, want)
	}
}

// TestSymbolTables wants each name once and with its arguments counted.
func TestSymbolTables(t *testing.T) {
	seen := map[string]bool{}
	for _, s := range append(CUDASymbols(), NVRTCSymbols()...) {
		if seen[s.Name] || s.Args < 0 || s.Args > 11 {
			t.Errorf("symbol %+v is there twice or has an odd number of arguments", s)
		}
		seen[s.Name] = true
	}
	if len(seen) != 54 {
		t.Errorf("%d symbols", len(seen))
	}
}

// TestCodes checks how codes are told.
func TestCodes(t *testing.T) {
	for c, want := range map[Code]string{
		OutOfMemory: "CUDA_ERROR_OUT_OF_MEMORY (2): not enough memory",
		12345:       "CUDA_ERROR_12345 (12345)",
	} {
		if got := c.Error(); got != want {
			t.Errorf("code %d reads %q, want %q", int32(c), got, want)
		}
	}
	sticky := 0
	for c := range codeNames {
		if c.Sticky() {
			sticky++
		}
	}
	if sticky != 12 || OutOfMemory.Sticky() || LaunchOutOfResources.Sticky() || !IllegalAddress.Sticky() {
		t.Errorf("%d codes are sticky, want 12 without 2 and 701", sticky)
	}
}

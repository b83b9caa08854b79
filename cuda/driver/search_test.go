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
	names, files := s.nvrtcCandidates()
	for i, f := range files {
		files[i] = strings.TrimPrefix(f, root+"/")
	}
	if want := []string{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"}; !slices.Equal(names, want) {
		t.Errorf("names are %q, want %q", names, want)
	}
	if want := []string{
		"toolkit/lib64/libnvrtc.so.12",
		"toolkit/targets/x86_64-linux/lib/libnvrtc.so.13",
		"conda/lib/libnvrtc.so.11.2",
		"conda/lib/python3.12/site-packages/nvidia/cu13/lib/libnvrtc.so.13",
		"conda/lib/python3.12/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"conda/lib/python3.9/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
		"home/.local/lib/python3.11/site-packages/nvidia/cuda_nvrtc/lib/libnvrtc.so.12",
	}; !slices.Equal(files, want) {
		t.Errorf("files are\n%s\nwant\n%s", strings.Join(files, "\n"), strings.Join(want, "\n"))
	}
}

// TestVariablesAreTriedAlone wants one candidate when a variable names it.
func TestVariablesAreTriedAlone(t *testing.T) {
	s := searchFrom(func(k string) string {
		return map[string]string{EnvCUDA: "/a/libcuda.so", EnvNVRTC: "/b/libnvrtc.so", "CUDA_HOME": "/c"}[k]
	})
	for name, f := range map[string]func() ([]string, []string){"/a/libcuda.so": s.cudaCandidates, "/b/libnvrtc.so": s.nvrtcCandidates} {
		if names, files := f(); len(names) != 0 || !slices.Equal(files, []string{name}) {
			t.Errorf("candidates are %q and %q, want %s alone", names, files, name)
		}
	}
}

// TestWindowsNames checks the other system's names and places.
func TestWindowsNames(t *testing.T) {
	s := Search{OS: "windows", Roots: []string{"toolkit"}, Prefix: []string{"conda"}}
	cuda, _ := s.cudaCandidates()
	nvrtc, _ := s.nvrtcCandidates()
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

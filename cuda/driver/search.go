// SPDX-License-Identifier: BSD-3-Clause

package driver

import (
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
)

// The environment variables that name the libraries' files. When one is set,
// its file is tried alone.
const (
	EnvCUDA  = "ARRAYRUN_CUDA_LIB"
	EnvNVRTC = "ARRAYRUN_NVRTC_LIB"
)

// Search says where libraries are looked for. The zero Search looks for names
// in the loader's own places only; FromEnv returns the usual one.
type Search struct {
	CUDA  string // path of libcuda, tried alone when set
	NVRTC string // path of NVRTC, tried alone when set

	// Newest is the driver's version; 0: unknown. What an NVRTC of a later major version compiles that driver does not load, so
	// such a one is tried last.
	Newest Version

	OS     string   // names and places of this GOOS; empty: the running one
	Arch   string   // of this GOARCH; empty: the running one
	Home   string   // the user's home folder, for pip's user installs
	Roots  []string // CUDA toolkits: CUDA_HOME, CUDA_PATH
	Prefix []string // Python and conda environments: CONDA_PREFIX, VIRTUAL_ENV
	Places bool     // also look in the system's usual places
}

// FromEnv returns the search that this process's environment asks for.
func FromEnv() Search { return searchFrom(os.Getenv) }

func searchFrom(getenv func(string) string) Search {
	s := Search{CUDA: getenv(EnvCUDA), NVRTC: getenv(EnvNVRTC), Home: getenv("HOME"), Places: true}
	for _, v := range []string{"CUDA_HOME", "CUDA_PATH"} {
		if d := getenv(v); d != "" {
			s.Roots = append(s.Roots, d)
		}
	}
	for _, v := range []string{"CONDA_PREFIX", "VIRTUAL_ENV"} {
		if d := getenv(v); d != "" {
			s.Prefix = append(s.Prefix, d)
		}
	}
	return s
}

func (s Search) goos() string {
	if s.OS != "" {
		return s.OS
	}
	return runtime.GOOS
}

func (s Search) goarch() string {
	if s.Arch != "" {
		return s.Arch
	}
	return runtime.GOARCH
}

// cudaNames are the driver's names for the loader. The toolkit's folders are not
// searched: what lies there is a stub to link against.
func (s Search) cudaNames() []string {
	if s.goos() == "windows" {
		return []string{"nvcuda.dll"}
	}
	return []string{"libcuda.so.1"}
}

// nvrtcNames are NVRTC's names, of major versions 13, 12 and 11.
func (s Search) nvrtcNames() []string {
	if s.goos() == "windows" {
		return []string{"nvrtc64_130_0.dll", "nvrtc64_120_0.dll", "nvrtc64_112_0.dll"}
	}
	return []string{"libnvrtc.so.13", "libnvrtc.so.12", "libnvrtc.so.11.2"}
}

// cudaCandidates are the driver's candidates in order: names for the loader, then
// places it may not look in (WSL, NixOS).
func (s Search) cudaCandidates() []string {
	if s.CUDA != "" {
		return []string{fileOf(s.CUDA)}
	}
	names := s.cudaNames()
	if s.Places && s.goos() != "windows" {
		return append(slices.Clone(names), existing([]string{"/usr/lib/wsl/lib", "/run/opengl-driver/lib"}, names)...)
	}
	return names
}

// fileOf returns the path of a file that was named: the loader looks for a name without a folder in its own places only, not in the current folder.
func fileOf(name string) string {
	if strings.ContainsAny(name, `/\`) {
		return name
	}
	if _, err := os.Lstat(name); err != nil {
		return name
	}
	return "." + string(filepath.Separator) + name
}

// nvrtcCandidates are NVRTC's candidates in order: names for the loader, then
// files in toolkits, conda environments and pip's folders; those too new for the driver after the others.
func (s Search) nvrtcCandidates() []string {
	if s.NVRTC != "" {
		return []string{fileOf(s.NVRTC)}
	}
	names := s.nvrtcNames()
	list := append(slices.Clone(names), existing(s.nvrtcFolders(), names)...)
	tooNew := func(path string) int {
		for i, major := range []Version{13, 12, 11} {
			if filepath.Base(path) == names[i] && s.Newest > 0 && major > s.Newest/1000 {
				return 1
			}
		}
		return 0
	}
	slices.SortStableFunc(list, func(a, b string) int { return tooNew(a) - tooNew(b) })
	return list
}

// nvrtcFolders lists folders that may hold NVRTC, existing or not, in order.
func (s Search) nvrtcFolders() []string {
	var dirs []string
	if s.goos() == "windows" {
		roots := s.Roots
		if s.Places {
			roots = append(slices.Clone(roots), newest(`C:\Program Files\NVIDIA GPU Computing Toolkit\CUDA\v*`)...)
		}
		for _, r := range roots {
			dirs = append(dirs, filepath.Join(r, "bin"), filepath.Join(r, "bin", "x64"))
		}
		for _, p := range s.Prefix {
			dirs = append(dirs, filepath.Join(p, "Library", "bin"))
			dirs = append(dirs, pipFolders(filepath.Join(p, "Lib", "site-packages"), "bin")...)
		}
		return dirs
	}
	roots := slices.Clone(s.Roots)
	if s.Places {
		roots = append(roots, "/usr/local/cuda")
		roots = append(roots, newest("/usr/local/cuda-*")...)
		roots = append(roots, "/opt/cuda")
	}
	target := map[string]string{"amd64": "x86_64-linux", "arm64": "sbsa-linux"}[s.goarch()]
	for _, r := range roots {
		dirs = append(dirs, filepath.Join(r, "lib64"), filepath.Join(r, "lib"))
		if target != "" {
			dirs = append(dirs, filepath.Join(r, "targets", target, "lib"))
		}
	}
	prefixes := slices.Clone(s.Prefix)
	for _, p := range s.Prefix {
		dirs = append(dirs, filepath.Join(p, "lib"))
	}
	if s.Home != "" {
		prefixes = append(prefixes, filepath.Join(s.Home, ".local"))
	}
	if s.Places {
		prefixes = append(prefixes, "/usr/local", "/usr")
	}
	for _, p := range prefixes {
		for _, site := range append(newest(filepath.Join(p, "lib", "python3*", "site-packages")), newest(filepath.Join(p, "lib", "python3*", "dist-packages"))...) {
			dirs = append(dirs, pipFolders(site, "lib")...)
		}
	}
	return dirs
}

// pipFolders are the folders of the wheels nvidia-cuda-nvrtc (13 and later) and
// nvidia-cuda-nvrtc-cu12 below a site-packages folder.
func pipFolders(site, lib string) []string {
	return []string{filepath.Join(site, "nvidia", "cu13", lib), filepath.Join(site, "nvidia", "cuda_nvrtc", lib)}
}

// newest returns what matches the pattern, versions with larger numbers first.
func newest(pattern string) []string {
	list, err := filepath.Glob(pattern)
	if err != nil {
		return nil
	}
	slices.SortFunc(list, func(a, b string) int { return -compareVersions(a, b) })
	return list
}

// compareVersions orders strings with runs of digits compared as numbers: cuda-12.10 comes after cuda-12.9.
func compareVersions(a, b string) int {
	digits := func(s string) int {
		n := 0
		for n < len(s) && '0' <= s[n] && s[n] <= '9' {
			n++
		}
		return n
	}
	for a != "" && b != "" {
		if i, j := digits(a), digits(b); i > 0 && j > 0 {
			x, y := strings.TrimLeft(a[:i], "0"), strings.TrimLeft(b[:j], "0")
			if len(x) != len(y) {
				return len(x) - len(y)
			}
			if c := strings.Compare(x, y); c != 0 {
				return c
			}
			a, b = a[i:], b[j:]
			continue
		}
		if a[0] != b[0] {
			return int(a[0]) - int(b[0])
		}
		a, b = a[1:], b[1:]
	}
	return len(a) - len(b)
}

// existing returns the files dir/name that exist, each folder's names in order.
func existing(dirs, names []string) []string {
	var files []string
	for _, d := range dirs {
		for _, n := range names {
			p := filepath.Join(d, n)
			if st, err := os.Stat(p); err == nil && !st.IsDir() && !slices.Contains(files, p) {
				files = append(files, p)
			}
		}
	}
	return files
}

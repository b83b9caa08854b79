// SPDX-License-Identifier: BSD-3-Clause

package cudasim

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

//go:embed src
var sources embed.FS

// Libraries are the paths of the two shared libraries.
type Libraries struct{ CUDA, NVRTC string }

// ErrUnavailable is wrapped when the simulator cannot be built here.
var ErrUnavailable = errors.New("the simulator cannot be built on this machine")

var built = sync.OnceValues(build)

// Build returns the libraries, compiled now or earlier. CXX names the compiler, g++ otherwise.
func Build() (Libraries, error) { return built() }

// Need returns the libraries; without g++ the test is skipped with the reason,
// or fails when ARRAYRUN_REQUIRE=all.
func Need(tb testing.TB) Libraries {
	tb.Helper()
	l, err := Build()
	if errors.Is(err, ErrUnavailable) && os.Getenv("ARRAYRUN_REQUIRE") != "all" {
		tb.Skip(err)
	}
	if err != nil {
		tb.Fatal(err)
	}
	return l
}

// keep is how long compiled kernels that nothing uses stay in the cache folder.
const keep = 14 * 24 * time.Hour

var flags = []string{"-std=c++17", "-O1", "-fPIC", "-shared", "-fvisibility=hidden", "-U_FORTIFY_SOURCE", "-Wall", "-Wextra", "-Werror"}

func build() (Libraries, error) {
	cxx := os.Getenv("CXX")
	if cxx == "" {
		cxx = "g++"
	}
	if runtime.GOOS != "linux" {
		return Libraries{}, fmt.Errorf("cudasim: %w: it is for linux, this is %s", ErrUnavailable, runtime.GOOS)
	}
	if err := driver.Platform(); err != nil {
		return Libraries{}, fmt.Errorf("cudasim: %w: %w", ErrUnavailable, err)
	}
	version, err := exec.Command(cxx, "--version").Output()
	if err != nil {
		return Libraries{}, fmt.Errorf("cudasim: %w: no C++ compiler: %v", ErrUnavailable, err)
	}
	hash := sha256.New()
	fmt.Fprintln(hash, cxx, flags, runtime.GOARCH, string(version))
	files, err := sources.ReadDir("src")
	if err != nil {
		return Libraries{}, err
	}
	text := map[string][]byte{}
	for _, f := range files {
		b, err := sources.ReadFile("src/" + f.Name())
		if err != nil {
			return Libraries{}, err
		}
		text[f.Name()] = b
		fmt.Fprintln(hash, f.Name(), len(b))
		hash.Write(b)
	}
	base, err := os.UserCacheDir()
	if err != nil {
		base = os.TempDir()
	}
	base = filepath.Join(base, "arrayrun", "cudasim")
	dir := filepath.Join(base, fmt.Sprintf("%x", hash.Sum(nil)[:8]))
	l := Libraries{CUDA: filepath.Join(dir, "libcuda.so.1"), NVRTC: filepath.Join(dir, "libnvrtc.so")}
	prune(base, dir)
	if exists(l.CUDA) && exists(l.NVRTC) {
		return l, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return Libraries{}, err
	}
	tmp, err := os.MkdirTemp(dir, "build-")
	if err != nil {
		return Libraries{}, err
	}
	defer os.RemoveAll(tmp)
	text["headers.inc"] = raw(text["kernel.h"], text["device.h"])
	for name, b := range text {
		if err := os.WriteFile(filepath.Join(tmp, name), b, 0o600); err != nil {
			return Libraries{}, err
		}
	}
	for from, to := range map[string]string{"cuda.cc": l.CUDA, "nvrtc.cc": l.NVRTC} {
		out := filepath.Join(tmp, filepath.Base(to))
		args := append(append([]string{}, flags...), "-o", out, filepath.Join(tmp, from), "-lpthread", "-ldl")
		if msg, err := exec.Command(cxx, args...).CombinedOutput(); err != nil {
			return Libraries{}, fmt.Errorf("cudasim: %s %s: %w: %s", cxx, from, err, msg)
		}
		// Another process may be at the same: whole files take each other's place.
		if err := os.Rename(out, to); err != nil {
			return Libraries{}, err
		}
	}
	return l, nil
}

// raw returns text as a C++ string literal.
func raw(texts ...[]byte) []byte {
	var b bytes.Buffer
	for _, t := range texts {
		b.WriteString("R\"cudasim(\n")
		b.Write(t)
		b.WriteString(")cudasim\"\n")
	}
	return b.Bytes()
}

func exists(path string) bool {
	st, err := os.Stat(path)
	return err == nil && st.Mode().IsRegular() && st.Size() > 0
}

// prune removes builds and compiled kernels that have lain unused for a while. What
// cannot be removed stays: it is a cache.
func prune(base, current string) {
	old := func(p string) bool {
		st, err := os.Stat(p)
		return err == nil && time.Since(st.ModTime()) > keep
	}
	dirs, _ := filepath.Glob(filepath.Join(base, "*"))
	for _, d := range dirs {
		if d != current && old(d) && len(filepath.Base(d)) == 16 {
			os.RemoveAll(d)
		}
	}
	kernels, _ := filepath.Glob(filepath.Join(current, "kernels", "*"))
	for _, k := range kernels {
		if old(k) && strings.HasSuffix(k, ".so") {
			os.Remove(k)
		}
	}
}

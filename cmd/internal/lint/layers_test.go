// SPDX-License-Identifier: BSD-3-Clause

package lint

import (
	"fmt"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

const module = "github.com/arrayrun/arrayrun/"

// layers lists the top-level folders, lowest first. A package may import
// packages of its own folder and of folders on earlier lines, never of a
// folder on its own line or below.
//
// This is a statement of policy: do not edit it to make a build pass.
var layers = []string{
	"chunk",
	"kernels",
	"cuda formats",
	"ndarray",
	"sched",
	"cmd bench",
}

// order is the same for the packages inside a folder. A package may import
// those on earlier lines; "folder/..." stands for the folders below it as well.
var order = map[string][]string{
	"chunk": {
		"chunk/dtype chunk/mem",
		"chunk",
	},
	"kernels": {
		"kernels",
		"kernels/ref kernels/cpu/vm kernels/cpu/jit kernels/cpu/fft kernels/cpu/lapack",
		"kernels/cpu",
		"kernels/optest",
	},
	"cuda": {
		"cuda/driver",
		"cuda",
		"cuda/cudasim/...",
	},
	"formats": {
		"formats",
		"formats/codec/internal/...",
		"formats/store formats/codec",
		"formats/store/storetest",
		"formats/store/s3 formats/store/gcs formats/store/azure formats/internal/... formats/formattest",
		"formats/hdf5 formats/npy formats/zarr formats/tiff formats/arrow formats/csv",
		"formats/netcdf",
		"formats/all",
		"formats/interop",
	},
	"ndarray": {
		"ndarray/graph ndarray/order ndarray/regrid",
		"ndarray/cf",
		"ndarray",
		"ndarray/linalg ndarray/fft ndarray/ndimage ndarray/random",
		"ndarray/expr",
	},
	"sched": {
		"sched/plan",
		"sched",
		"sched/cluster",
	},
	"cmd": {
		"cmd/internal/...",
		"cmd/arrayrun",
	},
	"bench": {
		"bench/...",
	},
}

// doors lists the only packages, with the folders below them, that may import
// a third-party module; a name ending in .go is the only file that may.
var doors = map[string][]string{
	"github.com/ebitengine/purego":       {"cuda/driver", "formats/codec/internal/clib"}, // cuda and formats never meet
	"gonum.org/v1/gonum":                 {"kernels/cpu", "ndarray"},
	"github.com/apache/arrow/go":         {"formats/arrow"},
	"github.com/apache/arrow-go":         {"formats/arrow"},
	"github.com/klauspost/compress":      {"formats/codec"},
	"github.com/pierrec/lz4":             {"formats/codec"},
	"github.com/minio/minio-go":          {"formats/store/s3"},
	"github.com/johannesboyne/gofakes3":  {"formats/store/s3"},                                                                               // the server of its tests
	"golang.org/x/sys":                   {"chunk/mem", "kernels/cpu", "formats/store/exchange_linux.go", "formats/store/nameless_linux.go"}, // renameat2, linkat: see RATIONALE.md
	"github.com/spf13/cobra":             {"cmd"},
	"github.com/spf13/pflag":             {"cmd"},
	"github.com/spf13/viper":             {"cmd/arrayrun/config.go"},
	"unsafe":                             {"chunk", "chunk/mem", "kernels/cpu", "cuda", "formats/codec"},
	"github.com/arrayrun/arrayrun/bench": {"bench"},
	"github.com/arrayrun/arrayrun/cmd":   {"cmd"},
}

// exact names doors that do not open the folders below them.
var exact = map[string]bool{"unsafe chunk": true}

// TestLayers parses files itself rather than asking go list, so that files
// behind every build tag are checked and the test cache sees what was read.
func TestLayers(t *testing.T) {
	files, bad := checkLayers(t, os.DirFS(root))
	for _, b := range bad {
		t.Error(b)
	}
	t.Logf("%d files checked", files)
}

// TestLayerViolationsAreFound plants violations in memory.
func TestLayerViolationsAreFound(t *testing.T) {
	imp := func(pkg, what string) string { return fmt.Sprintf("package %s; import _ %q", pkg, what) }
	for name, src := range map[string]string{
		"formats/a.go":         imp("formats", module+"cuda"),
		"chunk/a_windows.go":   imp("chunk", module+"kernels"),
		"sched/a.go":           "//go:build never\n\n" + imp("sched", "github.com/spf13/viper"),
		"util/a.go":            "package util",
		"sched/extra/a.go":     "package extra",
		"kernels/ref/c.go":     imp("ref", module+"ndarray/graph"),
		"kernels/ref/d.go":     imp("ref", module+"kernels/cpu"),
		"ndarray/cf/a.go":      imp("cf", module+"ndarray"),
		"ndarray/a.go":         imp("ndarray", module+"ndarray/expr"),
		"chunk/mem/a_test.go":  imp("mem", module+"chunk"),
		"formats/zarr/a.go":    imp("zarr", module+"formats/netcdf"),
		"formats/npy/a.go":     imp("npy", "github.com/klauspost/compress/zstd"),
		"cmd/arrayrun/eval.go": imp("main", "github.com/spf13/viper"),
		"kernels/ref/e.go":     imp("ref", "unsafe"),
		"chunk/dtype/a.go":     imp("dtype", "unsafe"),
		"kernels/cpu/vm/x.go":  imp("vm", "github.com/unknown/module"),
		"sched/plan/a_test.go": imp("plan", module+"cmd/arrayrun"),
		"sched/plan/b_test.go": imp("plan_test", "github.com/spf13/cobra"),
	} {
		if _, bad := checkLayers(t, fstest.MapFS{name: {Data: []byte(src)}}); len(bad) != 1 {
			t.Errorf("%s: found %d violations %q, want 1", name, len(bad), bad)
		}
	}
	for name, src := range map[string]string{
		"ndarray/example_test.go": imp("ndarray_test", module+"sched"),
		"kernels/cpu/jit/a.go":    imp("jit", "unsafe"),
		"cmd/arrayrun/config.go":  imp("main", "github.com/spf13/viper"),
		"formats/zarr/a.go":       imp("zarr", module+"formats/codec"),
	} {
		if _, bad := checkLayers(t, fstest.MapFS{name: {Data: []byte(src)}}); len(bad) != 0 {
			t.Errorf("%s: found %q, want nothing", name, bad)
		}
	}
}

// place is a package's position inside its folder's order, -1 when it has none.
func place(folder, pkg string) int {
	for i, line := range order[folder] {
		for _, f := range strings.Fields(line) {
			if f == pkg {
				return i
			}
			if dir, deep := strings.CutSuffix(f, "/..."); deep && within(pkg, dir) {
				return i
			}
		}
	}
	return -1
}

func checkLayers(t *testing.T, tree fs.FS) (files int, bad []string) {
	t.Helper()
	report := func(format string, args ...any) { bad = append(bad, fmt.Sprintf(format, args...)) }
	level := map[string]int{}
	for i, line := range layers {
		for _, folder := range strings.Fields(line) {
			level[folder] = i
		}
	}
	eachFile(t, tree, []string{".go"}, func(p string, src []byte) {
		f, err := parser.ParseFile(token.NewFileSet(), p, src, parser.ImportsOnly)
		if err != nil {
			report("%s: %v", p, err)
			return
		}
		files++
		self := path.Dir(p)
		folder, _, _ := strings.Cut(self, "/")
		mine, ok := level[folder]
		if !ok {
			report("%s: folder %q has no layer: put the package where it belongs, or add its folder to layers with the architecture's consent", p, folder)
			return
		}
		here := place(folder, self)
		if here < 0 {
			report("%s: package %s has no line in order[%q]: add it", p, self, folder)
			return
		}
		external := strings.HasSuffix(p, "_test.go") && strings.HasSuffix(f.Name.Name, "_test")
		for _, s := range f.Imports {
			imp, err := strconv.Unquote(s.Path.Value)
			if err != nil {
				report("%s: import %s: %v", p, s.Path.Value, err)
				continue
			}
			if why := door(p, imp); why != "" {
				report("%s imports %s: %s", p, imp, why)
				continue
			}
			rel, ours := strings.CutPrefix(imp, module)
			if !ours || external {
				continue
			}
			other, _, _ := strings.Cut(rel, "/")
			switch {
			case other != folder && level[other] >= mine:
				report("%s imports %s: %s is not below %s", p, rel, other, folder)
			case other == folder && rel != self && place(folder, rel) >= here:
				report("%s imports %s: it is not below %s in the order of %s", p, rel, self, folder)
			}
		}
	})
	return files, bad
}

// door says why the file p may not import imp, or "".
func door(p, imp string) string {
	for dep, by := range doors {
		if !within(imp, dep) {
			continue
		}
		for _, d := range by {
			if p == d || path.Dir(p) == d || within(path.Dir(p), d) && !exact[dep+" "+d] {
				return ""
			}
		}
		return fmt.Sprintf("only %v may", by)
	}
	if first, _, _ := strings.Cut(imp, "/"); strings.Contains(first, ".") && !strings.HasPrefix(imp, module) {
		return "no door of the table leads to it"
	}
	return ""
}

// within reports whether path p is dir or below it.
func within(p, dir string) bool { return p == dir || strings.HasPrefix(p, dir+"/") }

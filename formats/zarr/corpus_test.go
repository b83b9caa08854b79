// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// refused are the codecs and data types that this reader refuses by name.
var refused = []string{"json2", "zfpy", "pcodec", "lzma", "type int2 ", "type int4 "}

type expectation struct {
	Arrays map[string]struct {
		V        int
		Error    string
		Metadata json.RawMessage
		Data     *struct {
			Shape []int64
			DType string
			MD5   string `json:"md5_le_c_order"`
		}
	}
}

// find returns the variable at a path such as "a/b" below g.
func find(g *formats.Group, path string) *formats.Var {
	path = strings.Trim(path, "/")
	if path == "" && len(g.Vars) == 1 {
		return &g.Vars[0]
	}
	name, rest, deeper := strings.Cut(path, "/")
	if !deeper {
		for i := range g.Vars {
			if g.Vars[i].Name == name {
				return &g.Vars[i]
			}
		}
		return nil
	}
	for _, s := range g.Groups {
		if s.Name == name {
			return find(s.Group, rest)
		}
	}
	return nil
}

func readAll(t *testing.T, src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	dst := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(),
		Block: mem.Wrap(make([]byte, m.Shape.Size()*int64(m.ItemBytes)))}
	_, err := formats.ReadRegion(context.Background(), src, chunk.Whole(m.Shape), dst)
	return dst, err
}

func TestCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	files, _ := filepath.Glob(filepath.Join(dir, "zarr", "*.expect.json"))
	more, _ := filepath.Glob(filepath.Join(dir, "written", "*.expect.json"))
	ome, _ := filepath.Glob(filepath.Join(dir, "ome-zarr", "*.expect.json"))
	n := 0
	for _, f := range append(append(files, more...), ome...) {
		path := strings.TrimSuffix(f, ".expect.json")
		if st, err := os.Stat(path); err != nil || !st.IsDir() {
			continue
		}
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		var want expectation
		if err := json.Unmarshal(b, &want); err != nil {
			t.Fatalf("%s: %v", f, err)
		}
		t.Run(filepath.Base(path), func(t *testing.T) {
			if !detect(nil, path) {
				checkNested(t, path, want, &n)
				return
			}
			g, err := Open(context.Background(), path)
			if err != nil {
				t.Fatal(err)
			}
			for name := range want.Arrays {
				checkArray(t, g, name, want, &n)
			}
		})
	}
	if n < 100 {
		t.Errorf("%d arrays were compared, want at least 100", n)
	}
}

// checkNested opens each array of an entry that is a plain folder of hierarchies.
func checkNested(t *testing.T, path string, want expectation, n *int) {
	for name := range want.Arrays {
		g, err := Open(context.Background(), filepath.Join(path, name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		one := expectation{Arrays: want.Arrays}
		one.Arrays[""] = want.Arrays[name]
		checkArray(t, g, "", one, n)
		delete(one.Arrays, "")
	}
}

func checkArray(t *testing.T, g *formats.Group, name string, want expectation, n *int) {
	w := want.Arrays[name]
	v := find(g, name)
	if v == nil {
		t.Errorf("array %q is not there", name)
		return
	}
	if v.Err != nil {
		named := slices.ContainsFunc(refused, func(r string) bool { return strings.Contains(v.Err.Error(), r) })
		if !named || !errors.Is(v.Err, formats.ErrFormat) {
			t.Errorf("array %q: %v", name, v.Err)
		}
		return
	}
	got, err := readAll(t, v.Source)
	if err != nil {
		t.Errorf("array %q: %v", name, err)
		return
	}
	if w.Data == nil {
		return
	}
	if !got.Shape.Equal(w.Data.Shape) {
		t.Errorf("array %q: shape %v, want %v", name, got.Shape, w.Data.Shape)
	}
	if w.Data.MD5 == "" || got.DType == dtype.String {
		return
	}
	*n++
	if sum := md5.Sum(got.Bytes()); hex.EncodeToString(sum[:]) != w.Data.MD5 {
		t.Errorf("array %q: %v values differ: md5 %x, want %s; first bytes %x", name, v.Source.Meta().Stored, sum, w.Data.MD5, got.Bytes()[:min(32, len(got.Bytes()))])
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// corpus returns the folder of third-party files, or skips.
func corpus(t testing.TB) string {
	dir := os.Getenv("ARRAYRUN_CORPUS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "shared", "corpus")
	}
	if _, err := os.Stat(dir); err != nil {
		if os.Getenv("ARRAYRUN_REQUIRE") == "all" {
			t.Fatalf("no corpus: %v", err)
		}
		t.Skipf("no corpus: %v", err)
	}
	return dir
}

// expectation is the part of FILE.expect.json, made by h5py, that is compared.
type expectation struct {
	DType    string                 `json:"dtype"`
	Attrs    map[string]any         `json:"attrs"`
	Children map[string]expectation `json:"children"`
	Data     *struct {
		DType string `json:"dtype"`
		Shape []int64
		MD5   string `json:"md5_le_c_order"`
		First []any  `json:"first"`
	} `json:"data"`
}

func openFile(t testing.TB, path string) (*File, error) {
	fh, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { fh.Close() })
	st, err := fh.Stat()
	if err != nil {
		t.Fatal(err)
	}
	return New(fh, st.Size())
}

// readAll returns every element, in native byte order and C order.
func readAll(src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: mem.Wrap(make([]byte, m.Shape.Size()*int64(m.ItemBytes)))}
	_, err := formats.ReadRegion(context.Background(), src, chunk.Whole(m.Shape), c)
	return c, err
}

var numeric = regexp.MustCompile(`^([<>|]?[iufc]\d+|\|b1|[|]?V\d+|[<>|]S\d+)$`)

// TestCorpus compares every numeric dataset with h5py's MD5.
func TestCorpus(t *testing.T) {
	dir := corpus(t)
	files, _ := filepath.Glob(dir + "/hdf5*/*.expect.json")
	more, _ := filepath.Glob(dir + "/written/*.h5.expect.json")
	same := 0
	for _, name := range append(files, more...) {
		js, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var want struct {
			Root  expectation
			Error string
		}
		if err := json.Unmarshal(js, &want); err != nil || want.Root.Children == nil {
			continue
		}
		short := filepath.Base(strings.TrimSuffix(name, ".expect.json"))
		f, err := openFile(t, strings.TrimSuffix(name, ".expect.json"))
		if err != nil {
			t.Errorf("%s: %v", short, err)
			continue
		}
		root, err := f.Root()
		if err != nil {
			t.Errorf("%s: %v", short, err)
			continue
		}
		var walk func(path string, o *Object, n expectation)
		walk = func(path string, o *Object, n expectation) {
			if n.Data != nil && n.Data.MD5 != "" && numeric.MatchString(n.Data.DType) {
				src, err := o.Source(nil)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				got, err := readAll(src)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				s := md5.Sum(got.Bytes())
				if h := hex.EncodeToString(s[:]); h != n.Data.MD5 {
					t.Errorf("%s: %s %v: MD5 %s, want %s", path, n.Data.DType, src.Meta().Shape, h, n.Data.MD5)
					return
				}
				same++
			}
			for i := range o.Attrs {
				if _, err := f.Value(&o.Attrs[i]); err != nil {
					t.Errorf("%s: %v", path, err)
				}
			}
			for name, c := range n.Children {
				for _, l := range o.Links {
					if l.Name != name || l.Addr == Undef {
						continue
					}
					child, err := f.Object(l.Addr)
					if err != nil {
						t.Errorf("%s/%s: %v", path, name, err)
						continue
					}
					walk(path+"/"+name, child, c)
				}
			}
		}
		walk(short, root, want.Root)
	}
	t.Logf("%d datasets identical to h5py", same)
	if same < 3200 {
		t.Errorf("%d datasets compared, want at least 3200", same)
	}
}

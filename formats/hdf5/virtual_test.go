// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"context"
	"crypto/md5"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"math/rand"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// openBeside opens a file that may lead to those in its folder.
func openBeside(t testing.TB, path string) *File {
	f, err := openFile(t, path)
	if err != nil {
		t.Fatal(err)
	}
	f.Beside(filepath.Base(path), func(name string) (io.ReaderAt, int64, error) {
		h, err := os.Open(filepath.Join(filepath.Dir(path), name))
		if err != nil {
			return nil, 0, err
		}
		t.Cleanup(func() { h.Close() })
		st, err := h.Stat()
		return h, st.Size(), err
	})
	return f
}

func at(t testing.TB, f *File, path string) (*Object, error) {
	root, err := f.Root()
	if err != nil {
		t.Fatal(err)
	}
	return root.lookup(path, 0)
}

// plain returns the values as testdata/virtual.py has them: bytes, or texts with bars between.
func plain(c *chunk.Chunk) []byte {
	if c.DType != dtype.String {
		return c.Bytes()
	}
	var texts [][]byte
	for i := range c.Shape.Size() {
		texts = append(texts, formats.Text(c, i))
	}
	return bytes.Join(texts, []byte("|"))
}

func TestVirtual(t *testing.T) {
	list, err := os.ReadFile("testdata/virtual.txt")
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewSource(1))
	for line := range strings.Lines(string(list)) {
		w := strings.Fields(line)
		if w[0] == "#" {
			continue
		}
		t.Run(w[0]+"/"+w[1], func(t *testing.T) {
			o, err := at(t, openBeside(t, "testdata/virtual/"+w[0]+".h5"), w[1])
			if err != nil {
				t.Fatal(err)
			}
			src, err := o.Source(nil)
			if err != nil {
				t.Fatal(err)
			}
			m := src.Meta()
			if got := strings.Trim(strings.ReplaceAll(fmt.Sprint([]int64(m.Shape)), " ", "x"), "[]"); got != w[2] {
				t.Fatalf("shape %s, want %s", got, w[2])
			}
			all, err := readAll(src)
			if err != nil {
				t.Fatal(err)
			}
			if s := md5.Sum(plain(all)); hex.EncodeToString(s[:]) != w[3] {
				t.Fatalf("values %v, MD5 %x, want %s", all.Bytes(), s, w[3])
			}
			for range 50 {
				reg := chunk.Region{Lo: make(chunk.Shape, len(m.Shape)), Hi: make(chunk.Shape, len(m.Shape))}
				for i, n := range m.Shape {
					reg.Lo[i] = r.Int63n(n)
					reg.Hi[i] = reg.Lo[i] + 1 + r.Int63n(n-reg.Lo[i])
				}
				part := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: reg.Shape(), Strides: reg.Shape().RowMajor(), Block: mem.Wrap(make([]byte, reg.Shape().Size()*int64(m.ItemBytes)))}
				want := *part
				want.Block = mem.Wrap(make([]byte, len(part.Bytes())))
				formats.CopyElems(&want, all.Sub(reg))
				if _, err := formats.ReadRegion(context.Background(), src, reg, part); err != nil || !bytes.Equal(plain(part), plain(&want)) {
					t.Fatalf("region %v: %v, %v, want %v", reg, part.Bytes(), err, want.Bytes())
				}
			}
		})
	}
}

// Links that must not or cannot be followed say so.
func TestLinks(t *testing.T) {
	f := openBeside(t, "testdata/virtual/latest.h5")
	for name, want := range map[string]string{"outside": "outside the folder", "nowhere": "missing.h5", "circle": "circle", "x": "no \"links/x\""} {
		if _, err := at(t, f, "links/"+name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("link %s = %v, want an error that says %q", name, err, want)
		}
	}
	// an absolute name is looked for beside the file
	if o, err := at(t, f, "links/again"); err != nil || !o.Dataset() {
		t.Errorf("link again = %v, %v", o, err)
	}
	alone, err := openFile(t, "testdata/virtual/latest.h5")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := at(t, alone, "links/d"); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("a link to another file from a file that may open none = %v, want ErrFormat", err)
	}
	o, err := at(t, alone, "stack")
	if err != nil {
		t.Fatal(err)
	}
	src, err := o.Source(nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := readAll(src); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("a virtual dataset whose parts may not be opened reads as %v, want ErrFormat", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/md5"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

func TestFormat(t *testing.T) {
	t.Run("npy", func(t *testing.T) { formattest.Format(t, Format, formattest.Options{Ext: ".npy", One: true}) })
	t.Run("npz", func(t *testing.T) { formattest.Format(t, Archive, formattest.Options{Ext: ".npz"}) })
}

// NumPy's own files, made by testdata/make.py.
func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/expect.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]map[string]struct {
		Shape []int64
		MD5   string
	}
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	for file, arrays := range want {
		f := Format
		if strings.HasSuffix(file, ".npz") {
			f = Archive
		}
		g, err := f.Open(ctx, filepath.Join("testdata", file))
		if err != nil {
			t.Errorf("%s: %v", file, err)
			continue
		}
		if len(g.Vars) != len(arrays) {
			t.Errorf("%s: %d variables, want %d", file, len(g.Vars), len(arrays))
		}
		for _, v := range g.Vars {
			if v.Err != nil {
				t.Errorf("%s: %s: %v", file, v.Name, v.Err)
				continue
			}
			got, err := formattest.ReadAll(ctx, v.Source)
			w := arrays[v.Name]
			if sum := md5.Sum(got.Bytes()); err != nil || !got.Shape.Equal(w.Shape) || hex.EncodeToString(sum[:]) != w.MD5 {
				t.Errorf("%s: %s (%v): %v, shape %v, want %v and the same values", file, v.Name, v.Source.Meta().Stored, err, got.Shape, w.Shape)
			}
		}
		g.Close()
	}
}

func TestRefused(t *testing.T) {
	for name, header := range map[string]string{
		"object":       "{'descr': '|O', 'fortran_order': False, 'shape': (3,), }",
		"no shape":     "{'descr': '<f4', 'fortran_order': False}",
		"negative":     "{'descr': '<f4', 'fortran_order': False, 'shape': (-3,), }",
		"overflow":     "{'descr': '<f8', 'fortran_order': False, 'shape': (4611686018427387904, 4), }",
		"not there":    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000,), }",
		"code":         "{'descr': __import__('os'), 'fortran_order': False, 'shape': (1000,), }",
		"deep":         strings.Repeat("(", 5000),
		"unknown type": "{'descr': '<f3', 'fortran_order': False, 'shape': (1,), }",
	} {
		b := append([]byte(magic), 1, 0, byte(len(header)), byte(len(header)>>8))
		path := filepath.Join(t.TempDir(), "x.npy")
		os.WriteFile(path, append(append(b, header...), make([]byte, 64)...), 0o666)
		if _, err := Format.Open(context.Background(), path); !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrCorrupt) {
			t.Errorf("%s: %v, want ErrFormat or ErrCorrupt", name, err)
		}
	}
}

// TestNoMembers: an archive of no arrays is written, and read as one.
func TestNoMembers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none.npz")
	w, err := Archive.Create(context.Background(), path, formats.Spec{})
	if err == nil {
		err = w.Commit(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
	head, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !Archive.Detect(head, path) {
		t.Errorf("% x is not taken for an archive", head)
	}
	g, err := Archive.Open(context.Background(), path)
	if err != nil || len(g.Vars) != 0 {
		t.Errorf("got %+v, %v, want no variables", g, err)
	}
}

// A window of a large array, in both orders, through pieces and runs.
func TestWindows(t *testing.T) {
	ctx := context.Background()
	shape := chunk.Shape{700, 30, 120}
	for _, fortran := range []bool{false, true} {
		h := &header{el: elem{dt: dtype.Int32, item: 4, units: units(4, 1)}, shape: shape, fortran: fortran}
		data := make([]byte, shape.Size()*4)
		for i := range shape.Size() {
			binary.NativeEndian.PutUint32(data[4*i:], uint32(i))
		}
		b, err := newBox("x", bytes.NewReader(data), h, 0, int64(len(data)))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range []chunk.Region{
			{Lo: chunk.Shape{0, 0, 0}, Hi: shape}, {Lo: chunk.Shape{0, 29, 119}, Hi: shape}, {Lo: chunk.Shape{5, 3, 7}, Hi: chunk.Shape{690, 9, 111}},
			{Lo: chunk.Shape{0, 0, 0}, Hi: chunk.Shape{1, 1, 1}}, {Lo: chunk.Shape{350, 0, 0}, Hi: chunk.Shape{352, 30, 120}},
		} {
			dst := formattest.New(dtype.Int32, 4, r.Shape())
			if _, err := b.ReadRegion(ctx, r, dst); err != nil {
				t.Fatal(err)
			}
			v := chunk.Slice[int32](dst)
			for i := range v {
				k := chunk.Regular(r.Shape(), 1, 1, 1).At(int64(i), nil)
				want := int64(0)
				for ax := range k {
					want += (k[ax] + r.Lo[ax]) * b.steps[ax]
				}
				if int64(v[i]) != want {
					t.Fatalf("fortran %v, region %v: element %v = %d, want %d", fortran, r, k, v[i], want)
				}
			}
		}
	}
}

func FuzzHeader(f *testing.F) {
	f.Add(string(appendHeader(nil, "<f4", chunk.Shape{2, 3})))
	f.Add(magic + "\x02\x00\x40\x00\x00\x00{'descr': [('a', '<i4', (2,)), ('b', '|S3')], 'fortran_order': True, 'shape': (2,)}     ")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := readHeader(strings.NewReader(s))
		if err != nil && !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrCorrupt) {
			t.Fatalf("%v, want ErrFormat or ErrCorrupt", err)
		}
		if err == nil && h.el.item > maxItem {
			t.Fatalf("item of %d bytes", h.el.item)
		}
	})
}

// FuzzArchive: any bytes are an archive whose arrays are read, or refused by name, without harm.
func FuzzArchive(f *testing.F) {
	ctx := context.Background()
	for _, deflate := range []bool{false, true} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, name := range []string{"a.npy", "g/b.npy", "note.txt"} {
			method := zip.Store
			if deflate {
				method = zip.Deflate
			}
			m, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: method})
			if err != nil {
				f.Fatal(err)
			}
			m.Write(append(appendHeader(nil, "<i2", chunk.Shape{3}), 1, 0, 2, 0, 3, 0))
		}
		z.Close()
		f.Add(b.Bytes())
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		g, err := Archive.OpenAt(ctx, bytes.NewReader(b), int64(len(b)), "a.npz")
		if err != nil {
			if !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrCorrupt) {
				t.Fatalf("%v, want ErrFormat or ErrCorrupt", err)
			}
			return
		}
		for _, v := range g.Vars {
			if (v.Source == nil) == (v.Err == nil) {
				t.Fatalf("%s: a source is there: %v, error %v", v.Name, v.Source != nil, v.Err)
			}
			if v.Err != nil {
				if !errors.Is(v.Err, formats.ErrFormat) && !errors.Is(v.Err, formats.ErrCorrupt) {
					t.Fatalf("%s: %v, want ErrFormat or ErrCorrupt", v.Name, v.Err)
				}
				continue
			}
			if n, err := v.Source.Meta().Shape.Bytes(int64(v.Source.Meta().ItemBytes)); err != nil || n > 1<<20 {
				continue // a deflated megabyte may be a kilobyte
			}
			if _, err := formattest.ReadAll(ctx, v.Source); err != nil && !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrCorrupt) {
				t.Fatalf("%s: %v, want ErrFormat or ErrCorrupt", v.Name, err)
			}
		}
		if g.Close != nil {
			g.Close()
		}
	})
}

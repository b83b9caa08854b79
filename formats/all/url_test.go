// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// made writes one array in every format to dir and returns the names, with the array.
func made(t *testing.T, dir string) ([]string, *chunk.Chunk) {
	t.Helper()
	shape := chunk.Shape{300, 500}
	data := formattest.New(dtype.Float32, 4, shape)
	for i, x := range chunk.Slice[float32](data) {
		chunk.Slice[float32](data)[i] = x + float32(i%1000)
	}
	g := chunk.Regular(shape, 100, 200)
	var names []string
	for _, name := range []string{"a.npy", "a.npz", "a b.nc", "a.zarr", "old.nc", "z2.zarr"} {
		spec := formats.Spec{Vars: []formats.VarSpec{{Name: "v", Dims: []string{"y", "x"}, Shape: shape, DType: dtype.Float32, Grid: &g}}}
		switch name {
		case "old.nc":
			spec.Format = "netcdf3"
		case "z2.zarr":
			spec.Format = "zarr2"
		case "a.npy", "a.npz":
			spec.Vars[0].Dims = nil
		}
		w, err := all.Create(context.Background(), filepath.Join(dir, name), spec)
		if err == nil {
			err = formattest.Write(context.Background(), w, []*chunk.Chunk{data})
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		names = append(names, name)
	}
	return names, data
}

func same(t *testing.T, uri string, want *chunk.Chunk) {
	t.Helper()
	g, err := all.Open(context.Background(), uri)
	if err != nil {
		t.Errorf("%s: %v", uri, err)
		return
	}
	if len(g.Vars) != 1 || g.Vars[0].Err != nil {
		t.Errorf("%s: variables %+v", uri, g.Vars)
		return
	}
	got, err := formattest.ReadAll(context.Background(), g.Vars[0].Source)
	if err != nil || !bytes.Equal(got.Bytes(), want.Bytes()) {
		t.Errorf("%s: %v, or other values than were written", uri, err)
	}
	if g.Close != nil {
		g.Close()
	}
}

func TestHTTP(t *testing.T) {
	dir := t.TempDir()
	names, data := made(t, dir)
	os.WriteFile(filepath.Join(dir, "notes.txt"), []byte("nothing of ours"), 0o666)
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer s.Close()
	for _, n := range names {
		same(t, s.URL+"/"+strings.ReplaceAll(n, " ", "%20"), data)
	}
	same(t, s.URL+"/a.zarr/", data)
	same(t, s.URL+"/a.zarr/v", data)
	for uri, want := range map[string]error{"/nowhere.nc": fs.ErrNotExist, "/notes.txt": formats.ErrFormat, "/": formats.ErrFormat} {
		if _, err := all.Open(context.Background(), s.URL+uri); !errors.Is(err, want) {
			t.Errorf("Open(%s) = %v, want %v", uri, err, want)
		}
	}
}

// TestHTTPGroups: a group whose members nobody can list says so, instead of that it is not there.
func TestHTTPGroups(t *testing.T) {
	dir := t.TempDir()
	for name, doc := range map[string]string{"a.zarr/zarr.json": `{"zarr_format": 3, "node_type": "group"}`, "b.zarr/.zgroup": `{"zarr_format": 2}`} {
		path := filepath.Join(dir, name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o777), os.WriteFile(path, []byte(doc), 0o666)); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer s.Close()
	for name, want := range map[string]error{"a.zarr": errors.ErrUnsupported, "b.zarr": errors.ErrUnsupported, "c.zarr": fs.ErrNotExist} {
		if _, err := all.Open(context.Background(), s.URL+"/"+name); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", name, err, want)
		}
	}
}

func TestZip(t *testing.T) {
	dir := t.TempDir()
	_, data := made(t, dir)
	for i, name := range []string{"a.zarr", "z2.zarr"} {
		for _, method := range []uint16{zip.Store, zip.Deflate} {
			for _, prefix := range []string{"", "air.zarr/"} {
				var b bytes.Buffer
				w := zip.NewWriter(&b)
				root := filepath.Join(dir, name)
				err := filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
					if err != nil || d.IsDir() {
						return err
					}
					rel, _ := filepath.Rel(root, p)
					f, err := w.CreateHeader(&zip.FileHeader{Name: prefix + filepath.ToSlash(rel), Method: method})
					if err == nil {
						var v []byte
						if v, err = os.ReadFile(p); err == nil {
							_, err = f.Write(v)
						}
					}
					return err
				})
				if err = errors.Join(err, w.Close()); err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(dir, "archive.zip")
				if err := os.WriteFile(path, b.Bytes(), 0o666); err != nil {
					t.Fatal(err)
				}
				same(t, path, data)
				if i == 0 && method == zip.Store { // a damaged chunk is damage, not fill value
					v := bytes.Clone(b.Bytes())
					v[len(v)/3] ^= 0xff
					os.WriteFile(path, v, 0o666)
					if g, err := all.Open(context.Background(), path); err == nil {
						if _, err := formattest.ReadAll(context.Background(), g.Vars[0].Source); !errors.Is(err, formats.ErrCorrupt) {
							t.Errorf("a damaged archive reads with %v, want ErrCorrupt", err)
						}
						g.Close()
					}
				}
			}
		}
	}
}

func TestCreateRemote(t *testing.T) {
	for uri, want := range map[string]string{"http://127.0.0.1:1/a.zarr": "only read", "s3://bucket/a.nc": ".zarr", "s3://b_/a.zarr": "bucket", "s3://bucket/": ".zarr", "s3://bucket/a.zarr.zip": ".zarr"} {
		_, err := all.Create(context.Background(), uri, formats.Spec{})
		if !errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), want) {
			t.Errorf("Create(%s) = %v, want ErrFormat about %q", uri, err, want)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"archive/zip"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// tableGoldens are what zarr-python reads through the references.
func tableGoldens(t *testing.T) map[string]golden {
	t.Helper()
	b, err := os.ReadFile("testdata/kerchunk/tables.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	want := map[string]golden{}
	for name, r := range raw {
		var g golden
		if name != "versions" {
			if err := json.Unmarshal(r, &g); err != nil {
				t.Fatal(err)
			}
			want[name] = g
		}
	}
	return want
}

// TestKerchunkTables reads references that are kept as Parquet, by both writers there are, from a folder and from a server. Without their
// tables they would be a Zarr hierarchy of fill values.
func TestKerchunkTables(t *testing.T) {
	want := tableGoldens(t)
	inner := map[string]golden{"inner": want["deep/inner"]}
	delete(want, "deep/inner")
	s := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer s.Close()
	for _, name := range []string{"arrow.parq", "fast.parq"} {
		for _, uri := range []string{"testdata/kerchunk/" + name, "testdata/kerchunk/" + name + "/", s.URL + "/kerchunk/" + name} {
			checkGolden(t, uri, want)
			g, err := all.Open(context.Background(), uri)
			if err != nil || len(g.Groups) != 1 {
				t.Errorf("%s: %v", uri, err)
				continue
			}
			checkGroup(t, uri+" deep", g.Groups[0].Group, inner)
			if s, ok := g.Vars[0].Source.(formats.Sizer); ok {
				if n, err := s.StoredBytes(context.Background()); err != nil || n != 52 {
					t.Errorf("%s: %d bytes of lat stored, %v, want 52", uri, n, err)
				}
			}
		}
	}
}

// TestKerchunkTablesZipped reads references kept as Parquet from an archive, from a file and from a server. What they refer to lies beside it.
func TestKerchunkTablesZipped(t *testing.T) {
	want := tableGoldens(t)
	delete(want, "deep/inner")
	dir := t.TempDir()
	for _, name := range []string{"a.nc", "b.nc"} {
		b, err := os.ReadFile("testdata/kerchunk/" + name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), b, 0o666)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"", "arrow.parq/"} {
		f, err := os.Create(filepath.Join(dir, "refs.zip"))
		if err != nil {
			t.Fatal(err)
		}
		z := zip.NewWriter(f)
		err = filepath.WalkDir("testdata/kerchunk/arrow.parq", func(p string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			name, err := filepath.Rel("testdata/kerchunk/arrow.parq", p)
			if err != nil {
				return err
			}
			b, err := os.ReadFile(p)
			if err != nil {
				return err
			}
			w, err := z.Create(folder + filepath.ToSlash(name))
			if err == nil {
				_, err = w.Write(b)
			}
			return err
		})
		if err == nil {
			err = errors.Join(z.Close(), f.Close())
		}
		if err != nil {
			t.Fatal(err)
		}
		s := httptest.NewServer(http.FileServer(http.Dir(dir)))
		for _, uri := range []string{filepath.Join(dir, "refs.zip"), s.URL + "/refs.zip"} {
			checkGolden(t, uri, want)
			g, err := all.Open(context.Background(), uri)
			if err != nil || g.Format != "kerchunk" {
				t.Errorf("%s: %v, %v, want references", uri, g, err)
			}
			if err == nil && g.Close != nil {
				g.Close()
			}
		}
		s.Close()
	}
}

// TestKerchunkTablesDamaged: a table that is no table is an error, and no fill value.
func TestKerchunkTablesDamaged(t *testing.T) {
	ctx := context.Background()
	dir := filepath.Join(t.TempDir(), "r.parq")
	if err := os.CopyFS(dir, os.DirFS("testdata/kerchunk/arrow.parq")); err != nil {
		t.Fatal(err)
	}
	table := filepath.Join(dir, "tas", "refs.0.parq")
	whole, err := os.ReadFile(table)
	if err != nil {
		t.Fatal(err)
	}
	other, err := os.ReadFile("testdata/kerchunk/fast.parq/tas/refs.0.parq") // of 100 rows
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"cut off": whole[:len(whole)-9], "empty": {}, "text": []byte("no Parquet at all"), "too long": other} {
		if err := os.WriteFile(table, b, 0o666); err != nil {
			t.Fatal(err)
		}
		g, err := all.Open(ctx, dir)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Vars {
			_, err := formattest.ReadAll(ctx, v.Source)
			if v.Name == "tas" && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
				t.Errorf("%s: tas reads with %v", name, err)
			}
		}
	}
	for name, doc := range map[string]string{"size": `{"metadata": {".zgroup": {"zarr_format": 2}}, "record_size": 0}`, "nothing else": `{"record_size": 3}`} {
		if err := os.WriteFile(filepath.Join(dir, ".zmetadata"), []byte(doc), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := all.Open(ctx, dir); !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

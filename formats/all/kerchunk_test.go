// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// golden is what zarr and fsspec read of a variable.
type golden struct {
	Shape []int64
	DType string
	MD5   string
}

func readGolden(t *testing.T) map[string]map[string]golden {
	t.Helper()
	b, err := os.ReadFile("testdata/kerchunk/expect.json")
	if err != nil {
		t.Fatal(err)
	}
	var raw map[string]json.RawMessage
	if err := json.Unmarshal(b, &raw); err != nil {
		t.Fatal(err)
	}
	out := map[string]map[string]golden{}
	for name, r := range raw {
		var vars map[string]golden
		if name != "versions" {
			if err := json.Unmarshal(r, &vars); err != nil {
				t.Fatal(err)
			}
			out[name] = vars
		}
	}
	return out
}

func checkGolden(t *testing.T, uri string, want map[string]golden) {
	t.Helper()
	g, err := all.Open(context.Background(), uri)
	if err != nil {
		t.Errorf("%s: %v", uri, err)
		return
	}
	if g.Format != "kerchunk" || g.Of != "zarr2" {
		t.Errorf("%s: format %s of %s, want kerchunk of zarr2", uri, g.Format, g.Of)
	}
	checkGroup(t, uri, g, want)
}

func checkGroup(t *testing.T, uri string, g *formats.Group, want map[string]golden) {
	t.Helper()
	if len(g.Vars) != len(want) {
		t.Errorf("%s: %d variables, want %d", uri, len(g.Vars), len(want))
	}
	for _, v := range g.Vars {
		w, ok := want[v.Name]
		if !ok || v.Err != nil {
			t.Errorf("%s: variable %s: %v", uri, v.Name, v.Err)
			continue
		}
		c, err := formattest.ReadAll(context.Background(), v.Source)
		if err != nil {
			t.Errorf("%s: %s: %v", uri, v.Name, err)
			continue
		}
		sum := md5.Sum(c.Bytes())
		if got := hex.EncodeToString(sum[:]); got != w.MD5 || !slices.Equal(c.Shape, w.Shape) {
			t.Errorf("%s: %s of shape %v has MD5 %s, want %v and %s", uri, v.Name, c.Shape, got, w.Shape, w.MD5)
		}
	}
}

// TestKerchunk reads what kerchunk has written, from a folder and from a server.
func TestKerchunk(t *testing.T) {
	s := httptest.NewServer(http.FileServer(http.Dir("testdata")))
	defer s.Close()
	want := readGolden(t)
	if len(want) != 4 {
		t.Fatalf("%d sets of references, want 4", len(want))
	}
	for name, vars := range want {
		checkGolden(t, "testdata/kerchunk/"+name, vars)
		checkGolden(t, s.URL+"/kerchunk/"+name, vars)
	}
	// from another folder by whole paths and URLs
	dir := t.TempDir()
	b, err := os.ReadFile("testdata/kerchunk/joined.json")
	if err != nil {
		t.Fatal(err)
	}
	here, err := filepath.Abs("testdata/kerchunk")
	if err != nil {
		t.Fatal(err)
	}
	for i, at := range []string{here + "/", "file://" + here + "/", s.URL + "/kerchunk/"} {
		path := filepath.Join(dir, fmt.Sprint(i, ".json"))
		doc := strings.NewReplacer(`"a.nc"`, fmt.Sprintf("%q", at+"a.nc"), `"b.nc"`, fmt.Sprintf("%q", at+"b.nc")).Replace(string(b))
		if err := os.WriteFile(path, []byte(doc), 0o666); err != nil {
			t.Fatal(err)
		}
		checkGolden(t, path, want["joined.json"])
	}
}

// TestKerchunkRefusals: references cannot read what they should not, and what is missing is no fill value.
func TestKerchunkRefusals(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	os.WriteFile(secret, []byte("12345678"), 0o666)
	os.Mkdir(filepath.Join(dir, "srv"), 0o777)
	array := `".zarray": {"zarr_format": 2, "shape": [1], "chunks": [1], "dtype": "<f8", "order": "C", "compressor": null, "filters": null, "fill_value": 7.0}`
	doc := func(ref string) string { return `{"version": 1, "refs": {` + array + `, "0": ` + ref + `}}` }
	s := httptest.NewServer(http.FileServer(http.Dir(filepath.Join(dir, "srv"))))
	defer s.Close()
	for name, c := range map[string]struct {
		ref    string
		remote bool
		want   error
	}{
		"file from elsewhere":   {fmt.Sprintf(`["file://%s", 0, 8]`, secret), true, fs.ErrPermission},
		"path from elsewhere":   {fmt.Sprintf(`["%s", 0, 8]`, secret), true, fs.ErrPermission},
		"above from elsewhere":  {`["../secret", 0, 8]`, true, fs.ErrInvalid},
		"own file":              {fmt.Sprintf(`["%s", 0, 8]`, secret), false, nil},
		"missing file":          {`["nothing.nc", 0, 8]`, false, formats.ErrCorrupt},
		"missing on the server": {`["nothing.nc", 0, 8]`, true, formats.ErrCorrupt},
		"beyond the end":        {fmt.Sprintf(`["%s", 4, 8]`, secret), false, formats.ErrCorrupt},
		"too long":              {fmt.Sprintf(`["%s"]`, os.Args[0]), false, formats.ErrCorrupt},
		"unknown scheme":        {`["ipfs://abc", 0, 8]`, false, formats.ErrFormat},
		"bad base64":            {`"base64:***"`, false, formats.ErrCorrupt},
	} {
		path := filepath.Join(dir, "srv", "refs.json")
		if err := os.WriteFile(path, []byte(doc(c.ref)), 0o666); err != nil {
			t.Fatal(err)
		}
		if c.remote {
			path = s.URL + "/refs.json"
		}
		g, err := all.Open(ctx, path)
		if err != nil || len(g.Vars) != 1 || g.Vars[0].Err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := formattest.ReadAll(ctx, g.Vars[0].Source); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		doc  string
		want error
	}{
		"negative":    {doc(`["a", -1, 8]`), formats.ErrCorrupt},
		"cut off":     {doc(`["a", 1, 8`), formats.ErrCorrupt},
		"no array":    {`{"version": 1, "refs": {"a": "b"}}`, formats.ErrFormat},
		"version":     {`{"version": 7, "refs": {}}`, formats.ErrFormat},
		"many of gen": {`{"version": 1, "gen": [{"key": "a{{i}}", "url": "u", "dimensions": {"i": {"stop": 10000000}}}]}`, formats.ErrCorrupt},
	} {
		path := filepath.Join(dir, "bad.json")
		if err := os.WriteFile(path, []byte(c.doc), 0o666); err != nil {
			t.Fatal(err)
		}
		if _, err := all.Open(ctx, path); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
}

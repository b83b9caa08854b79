// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// exceptions are the files of which something cannot be read: why, and a part of the error that says it.
var exceptions = map[string]struct{ why, part string }{
	"hdf5/test_file.hdf5":                         {"three links that lead nowhere, as its maker meant them to", "no such file|file does not exist"},
	"written/external.h5":                         {"its values lie in an external raw file, which is refused", "external file"},
	"tiff/off_l16.tif":                            {"SGI's logarithmic luminance is refused", "compression sgilog"},
	"tiff/off_luv32.tif":                          {"SGI's logarithmic colours are refused", "compression sgilog"},
	"tiff/smallliz.tif":                           {"JPEG as TIFF 6 had it is refused", "compression old-jpeg"},
	"tiff/ycbcr-cat.tif":                          {"coarser colours without JPEG are refused", "subsampled colours"},
	"written/ts_dt_int2":                          {"integers of 2 bits are refused", "data type int2"},
	"written/ts_dt_int4":                          {"integers of 4 bits are refused", "data type int4"},
	"written/zp2_c49":                             {"this codec is refused", "codec numcodecs.lzma"},
	"written/zp2_c65":                             {"this codec is refused", "codec numcodecs.pcodec"},
	"written/zp34_c49":                            {"this codec is refused", "codec numcodecs.lzma"},
	"written/zp34_c65":                            {"this codec is refused", "codec numcodecs.pcodec"},
	"zarr/zarrita_v2_data.zarr":                   {"this codec is refused", "codec json2"},
	"zarr/zarrs_v2_array_zfpy_C.zarr":             {"this codec is refused", "codec zfpy"},
	"zarr/zarrs_v3_zarr_python_array_pcodec.zarr": {"this codec is refused", "codec numcodecs.pcodec"},
	"zarr/ref_noshape.file.zip":                   {"a scalar with the bytes of six elements; the oracle fails too", "want at most 4"},
}

// entries returns the paths of what the corpus holds: files, and folders that have an expectation beside them.
func entries(t testing.TB, dir string) []string {
	t.Helper()
	var out []string
	for _, sub := range []string{"climate", "geo", "hdf5", "hdf5-filters", "netcdf-c", "ome-zarr", "tiff", "written", "zarr"} {
		l, err := os.ReadDir(filepath.Join(dir, sub))
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range l {
			if !strings.HasSuffix(e.Name(), ".expect.json") {
				out = append(out, sub+"/"+e.Name())
			}
		}
	}
	return out
}

// sums collects the MD5 of the arrays of an expectation by path, whatever tool made it.
func sums(at string, v any, out map[string]string) {
	o, _ := v.(map[string]any)
	put := func(path string, data any) {
		d, _ := data.(map[string]any)
		sum, _ := d["md5_le_c_order"].(string)
		dt, _ := d["dtype"].(string)
		if sum != "" && numeric.MatchString(dt) {
			out[strings.Trim(path, "/")] = sum
		}
	}
	for _, part := range []struct{ of, data string }{{"vars", "raw"}, {"arrays", "data"}, {"children", "data"}} {
		list, _ := o[part.of].(map[string]any)
		for name, x := range list {
			x, _ := x.(map[string]any)
			put(at+"/"+name, x[part.data])
			sums(at+"/"+name, x, out)
		}
	}
	if tags, ok := o["tifffile"].(map[string]any); ok {
		series, _ := tags["series"].([]any)
		pages, _ := tags["pages"].([]any)
		if len(series) > 0 && len(pages) > 0 {
			one, _ := series[0].([]any)
			page, _ := pages[0].(map[string]any)
			if len(one) > 0 && fmt.Sprint(one[0]) == fmt.Sprint(page["shape"]) {
				put("image", page["data"])
			}
		}
	}
	groups, _ := o["groups"].(map[string]any)
	for name, x := range groups {
		sums(at+"/"+name, x, out)
	}
	if root, ok := o["root"]; ok {
		sums(at, root, out)
	}
}

var numeric = regexp.MustCompile(`^([<>|=]?[iuf]\d+|[<>]c\d+)$`)

// census counts what becomes of a file's variables.
type census struct{ equal, read, refused int }

// walk reads every variable of g and compares those that want has.
func (n *census) walk(g *formats.Group, at string, want map[string]string, archived bool, fail func(path string, err error)) {
	for _, v := range g.Vars {
		path := strings.Trim(at+"/"+v.Name, "/")
		if v.Err != nil || v.Source == nil {
			n.refused++
			fail(path, v.Err)
			continue
		}
		m := v.Source.Meta()
		if size, err := m.Shape.Bytes(int64(max(m.ItemBytes, 1))); err != nil || size > 1<<28 {
			n.read++ // declared huge, and empty: its parts are read elsewhere
			continue
		}
		c, err := formattest.ReadAll(context.Background(), v.Source)
		if err != nil {
			n.refused++
			fail(path, err)
			continue
		}
		sum, known := want[path]
		if !known && at == "" && len(g.Vars) == 1 {
			sum, known = want[""] // a hierarchy that is one array
		}
		for k, other := range want { // an archive whose one folder is the hierarchy
			if _, rest, below := strings.Cut(k, "/"); !known && below && rest == path && archived {
				sum, known = other, true
				break
			}
		}
		if !known || c.DType == dtype.String || c.DType == dtype.Raw {
			n.read++
			continue
		}
		got := md5.Sum(c.Bytes())
		if n.equal++; hex.EncodeToString(got[:]) != sum {
			fail(path, fmt.Errorf("%v %v: MD5 %x, want %s", m.DType, m.Shape, got, sum))
		}
	}
	for _, s := range g.Groups {
		n.walk(s.Group, at+"/"+s.Name, want, archived, fail)
	}
}

// TestCorpus opens every third-party file by its first bytes and reads all of it: each equals its expectation, or is among the exceptions, which say why.
func TestCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	total, files, alone, nested := census{}, 0, 0, 0
	seen := map[string]bool{}
	for _, name := range entries(t, dir) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		want := map[string]string{}
		if b, err := os.ReadFile(path + ".expect.json"); err != nil {
			t.Errorf("%s: %v", name, err)
		} else {
			var v map[string]any
			if err := json.Unmarshal(b, &v); err != nil {
				alone++ // the oracle has written what is no JSON
			} else if _, failed := v["error"]; failed {
				alone++
			}
			sums("", v, want)
		}
		files++
		fail := func(at string, err error) {
			x, listed := exceptions[name]
			named := func(part string) bool { return err != nil && strings.Contains(err.Error(), part) }
			if !listed || !slices.ContainsFunc(strings.Split(x.part, "|"), named) {
				t.Errorf("%s: %s: %v", name, at, err)
			}
			seen[name] = true
		}
		g, err := all.Open(context.Background(), path)
		if err != nil && errors.Is(err, formats.ErrFormat) && len(want) > 0 {
			if st, serr := os.Stat(path); serr == nil && st.IsDir() { // a folder of hierarchies
				nested++
				for at, sum := range want {
					in, err := all.Open(context.Background(), filepath.Join(path, at))
					if err != nil {
						fail(at, err)
						continue
					}
					total.walk(in, "", map[string]string{"": sum}, false, fail)
				}
				continue
			}
		}
		if err != nil {
			fail("", err)
			continue
		}
		total.walk(g, "", want, strings.HasSuffix(name, ".zip"), fail)
		if g.Close != nil {
			if err := g.Close(); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	for name, x := range exceptions {
		if !seen[name] {
			t.Errorf("%s can be read, and is listed: %s", name, x.why)
		}
	}
	t.Logf("%d files: %d variables equal their expectations, %d are read and have none that is a sum, %d are refused by name in %d files; of %d files the oracle failed; %d folders hold several hierarchies",
		files, total.equal, total.read, total.refused, len(seen), alone, nested)
	if files < 400 || total.equal < 4000 {
		t.Errorf("%d files and %d variables, want 400 and 4000", files, total.equal)
	}
}

// Repositories of Icechunk are no format of this table: they are refused, not misread.
func TestIcechunk(t *testing.T) {
	list, err := os.ReadDir(filepath.Join(formattest.Corpus(t), "icechunk"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range list {
		if _, err := all.Open(context.Background(), filepath.Join(formattest.Corpus(t), "icechunk", e.Name())); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", e.Name(), err)
		}
	}
}

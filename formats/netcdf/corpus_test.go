// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"crypto/md5"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// openAny opens a file by its first bytes.
func openAny(path string) (*formats.Group, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	head := make([]byte, 4096)
	n, _ := f.ReadAt(head, 0)
	for _, row := range []formats.Format{Classic, NetCDF4} {
		if row.Detect(head[:n], path) {
			return row.Open(context.Background(), path)
		}
	}
	return nil, fmt.Errorf("%s: %w", path, formats.ErrFormat)
}

// readAll returns every element, in C order.
func readAll(src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: mem.Wrap(make([]byte, m.Shape.Size()*int64(m.ItemBytes)))}
	_, err := formats.ReadRegion(context.Background(), src, chunk.Whole(m.Shape), c)
	return c, err
}

// expectation is the part of FILE.expect.json, made by netCDF4-python, that is compared.
type expectation struct {
	Dims  map[string][2]any `json:"dims"`
	Attrs map[string]any    `json:"attrs"`
	Vars  map[string]struct {
		Dims     []string       `json:"dims"`
		Attrs    map[string]any `json:"attrs"`
		Chunking any            `json:"chunking"`
		Raw      struct {
			DType string `json:"dtype"`
			MD5   string `json:"md5_le_c_order"`
			Shape []int64
			First []any
		} `json:"raw"`
	} `json:"vars"`
	Groups map[string]expectation `json:"groups"`
}

var numeric = regexp.MustCompile(`^[<>|=]?[iuf]\d+$`)

func TestCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	var files []string
	for _, p := range []string{"climate/*", "netcdf-c/*", "geo/*.nc", "written/*.nc", "hdf5/*.nc"} {
		m, _ := filepath.Glob(filepath.Join(dir, p))
		files = append(files, m...)
	}
	vars, opened := 0, 0
	for _, name := range files {
		js, err := os.ReadFile(name + ".expect.json")
		if err != nil {
			continue
		}
		var want struct {
			Root  *expectation
			Tool  string
			Error string
		}
		if err := json.Unmarshal(js, &want); err != nil || want.Root == nil || want.Root.Vars == nil && want.Root.Groups == nil {
			t.Logf("%s: not comparable: %s %v", filepath.Base(name), want.Error, err)
			continue
		}
		g, err := openAny(name)
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(name), err)
			continue
		}
		opened++
		vars += compare(t, filepath.Base(name), g, want.Root)
		g.Close()
	}
	t.Logf("%d files, %d variables identical to netCDF4-python", opened, vars)
	if opened < 50 || vars < 600 {
		t.Errorf("%d files and %d variables compared, want at least 50 and 600", opened, vars)
	}
}

func compare(t *testing.T, at string, g *formats.Group, want *expectation) int {
	for name, d := range want.Dims {
		found := false
		for _, x := range g.Dims {
			if x.Name == name {
				found = true
				if float64(x.Size) != d[0] || x.Unlimited != d[1] {
					t.Errorf("%s: dimension %s = %d %v, want %v", at, name, x.Size, x.Unlimited, d)
				}
			}
		}
		if !found {
			t.Errorf("%s: no dimension %s in %v", at, name, g.Dims)
		}
	}
	if len(want.Dims) != len(g.Dims) {
		t.Errorf("%s: dimensions %v, want %v", at, g.Dims, want.Dims)
	}
	compareAttrs(t, at, g.Attrs, want.Attrs)
	if len(g.Vars) < len(want.Vars) {
		t.Errorf("%s: %d variables, want %d", at, len(g.Vars), len(want.Vars))
	}
	same := 0
	for _, v := range g.Vars {
		w, ok := want.Vars[v.Name]
		path := at + "/" + v.Name
		if !ok {
			t.Errorf("%s: a variable that netCDF4-python does not list (%v)", path, v.Err)
			continue
		}
		if !reflect.DeepEqual(append([]string{}, v.Dims...), append([]string{}, w.Dims...)) {
			t.Errorf("%s: dims %v, want %v", path, v.Dims, w.Dims)
		}
		compareAttrs(t, path, v.Attrs, w.Attrs)
		if v.Err != nil {
			t.Errorf("%s: %v", path, v.Err)
			continue
		}
		m := v.Source.Meta()
		if c, ok := w.Chunking.([]any); ok {
			for i, a := range m.Grid.Axes {
				if m.Chunked && float64(a.Step) != c[i] {
					t.Errorf("%s: chunks %v, want %v", path, m.Grid.Axes, c)
				}
			}
		}
		got, err := readAll(v.Source)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			continue
		}
		if w.Raw.MD5 == "" || !numeric.MatchString(w.Raw.DType) {
			if len(w.Raw.First) > 0 && !sameFirst(got, w.Raw.First) {
				t.Errorf("%s: %v %v differs from %v", path, m.Stored, got.Bytes()[:min(64, len(got.Bytes()))], w.Raw.First)
			}
			same++
			continue
		}
		s := md5.Sum(got.Bytes())
		if h := hex.EncodeToString(s[:]); h != w.Raw.MD5 {
			t.Errorf("%s: %v %v: MD5 %s, want %s (%s %v)", path, m.DType, m.Shape, h, w.Raw.MD5, w.Raw.DType, w.Raw.Shape)
			continue
		}
		same++
	}
	for name, w := range want.Groups {
		for _, k := range g.Groups {
			if k.Name == name {
				same += compare(t, at+"/"+name, k.Group, &w)
			}
		}
	}
	if len(g.Groups) != len(want.Groups) {
		t.Errorf("%s: %d groups, want %d", at, len(g.Groups), len(want.Groups))
	}
	return same
}

// sameFirst compares texts and characters; what netCDF4-python reads of records is compared in formats/hdf5, by h5py.
func sameFirst(got *chunk.Chunk, first []any) bool {
	for i, w := range first {
		text, isText := w.(string)
		switch {
		case got.DType == dtype.String && isText:
			if string(formats.Text(got, int64(i))) != text {
				return false
			}
		case got.DType == dtype.String:
			var v any
			if json.Unmarshal(formats.Text(got, int64(i)), &v) != nil || !reflect.DeepEqual(v, w) {
				return false
			}
		case got.ItemBytes == 1 && isText:
			if strings.TrimRight(string(got.Bytes()[i]), "\x00") != text {
				return false
			}
		}
	}
	return true
}

func compareAttrs(t *testing.T, at string, got formats.Attrs, want map[string]any) {
	for name, w := range want {
		g, ok := got.Get(name)
		if !ok {
			t.Errorf("%s: no attribute %s, want %v", at, name, w)
			continue
		}
		if !equal(g, w) {
			t.Errorf("%s: attribute %s = %T %v, want %T %v", at, name, g, g, w, w)
		}
	}
	for _, a := range got {
		if _, ok := want[a.Name]; !ok {
			t.Errorf("%s: attribute %s that netCDF4-python does not list", at, a.Name)
		}
	}
}

// equal compares a Go value with parsed JSON.
func equal(g, w any) bool {
	switch x := w.(type) {
	case float64:
		r := reflect.ValueOf(g)
		switch {
		case r.CanInt():
			return float64(r.Int()) == x
		case r.CanUint():
			return float64(r.Uint()) == x
		case r.CanFloat():
			return r.Float() == x || math.Abs(r.Float()-x) <= 1e-6*math.Abs(x)
		}
		return false
	case []any:
		if l, ok := g.([]any); ok && len(l) > 0 {
			if _, ok := l[0].(map[string]any); ok {
				return true // a compound: the oracle has a list, we a map
			}
		}
		r := reflect.ValueOf(g)
		if !r.IsValid() {
			return len(x) == 0
		}
		if r.Kind() != reflect.Slice {
			return len(x) == 1 && equal(g, x[0])
		}
		if r.Len() != len(x) {
			return false
		}
		for i := range x {
			if !equal(r.Index(i).Interface(), x[i]) {
				return false
			}
		}
		return true
	case string:
		if r := reflect.ValueOf(g); r.IsValid() && r.CanFloat() {
			return math.IsNaN(r.Float()) && x == "nan" || fmt.Sprint(r.Float()) == x || math.IsInf(r.Float(), 0)
		}
		return g == w || g == nil && x == ""
	}
	return reflect.DeepEqual(g, w)
}

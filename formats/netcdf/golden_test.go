// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// golden is what netCDF4-python sees in a group; testdata/make.py wrote it.
type golden struct {
	Dims map[string][2]any
	Vars map[string]struct {
		Dims   []string
		Values []float64
	}
	Groups map[string]golden
}

func TestGolden(t *testing.T) {
	b, err := os.ReadFile("testdata/golden.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]golden
	if err := json.Unmarshal(b, &want); err != nil {
		t.Fatal(err)
	}
	for name, w := range want {
		g, err := openAny(filepath.Join("testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		defer g.Close()
		same(t, name, g, w)
	}
}

func same(t *testing.T, at string, g *formats.Group, w golden) {
	dims := map[string][2]any{}
	for _, d := range g.Dims {
		dims[d.Name] = [2]any{float64(d.Size), d.Unlimited}
	}
	if !reflect.DeepEqual(dims, w.Dims) {
		t.Errorf("%s: dims %v, want %v", at, dims, w.Dims)
	}
	if len(g.Vars) != len(w.Vars) || len(g.Groups) != len(w.Groups) {
		t.Errorf("%s: %d variables and %d groups, want %d and %d", at, len(g.Vars), len(g.Groups), len(w.Vars), len(w.Groups))
	}
	for _, v := range g.Vars {
		x := w.Vars[v.Name]
		if !reflect.DeepEqual(v.Dims, x.Dims) {
			t.Errorf("%s/%s: dims %v, want %v", at, v.Name, v.Dims, x.Dims)
			continue
		}
		c, err := readAll(v.Source)
		if err != nil {
			t.Error(err)
			continue
		}
		got, _ := numbers.Decode(c.DType, c.Bytes())
		r := reflect.ValueOf(got)
		for i, y := range x.Values {
			if e := r.Index(i).Convert(reflect.TypeFor[float64]()).Float(); e != y {
				t.Errorf("%s/%s[%d] = %v, want %v", at, v.Name, i, e, y)
				break
			}
		}
	}
	for _, k := range g.Groups {
		same(t, at+"/"+k.Name, k.Group, w.Groups[k.Name])
	}
}

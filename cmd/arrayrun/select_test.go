// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// TestSelect compares parts with what sel and isel of expressions give.
func TestSelect(t *testing.T) {
	dir := t.TempDir()
	for i, c := range []struct {
		parts []string
		expr  string // of air, as stored
		dims  string
	}{
		{[]string{"time=2001-02:2001-05"}, "air.sel(time=slice('2001-02', '2001-05'))", "[time lat lon]"},
		{[]string{"time=2001-03-02"}, "air.sel(time='2001-03-02')", "[lat lon]"},
		{[]string{"time=2001-03"}, "air.sel(time='2001-03')", "[time lat lon]"},
		{[]string{"lat=-30:30"}, "air.sel(lat=slice(-30, 30))", "[time lat lon]"},
		{[]string{"lat=30:-30", "lon=80"}, "air.sel(lat=slice(30, -30), lon=80)", "[time lat]"},
		{[]string{"lon=280:40"}, "air.sel(lon=slice(280, 40))", "[time lat lon]"},
		{[]string{"lon=0,160,40"}, "air.sel(lon=[0, 160, 40])", "[time lat lon]"},
		{[]string{"time=@3"}, "air.isel(time=3)", "[lat lon]"},
		{[]string{"time=@-2:", "lat=@::3"}, "air.isel(time=slice(-2, None), lat=slice(None, None, 3))", "[time lat lon]"},
		{[]string{"time=@5,1", "lat=@-1"}, "air.isel(time=[5, 1], lat=-1)", "[time lon]"},
		{[]string{"lat=30:"}, "air.sel(lat=slice(30, None))", "[time lat lon]"},
	} {
		out, want := filepath.Join(dir, fmt.Sprintf("%d.nc", i)), filepath.Join(dir, "want.zarr")
		ok(t, append([]string{"select", made, out}, c.parts...)...)
		ok(t, "eval", c.expr, made, "--raw", "-o", "air="+want, "--overwrite")
		if code, text, errs := arrayrun(t, "diff", "--raw", out+"#air", want+"#air"); code != 0 {
			t.Errorf("%v: exit %d, %s%s", c.parts, code, text, errs)
		}
		doc, _ := infoJSON(t, out)
		v := doc.Variables["air"]
		if fmt.Sprint(v.Dims) != c.dims || v.DType != "int16" || v.Attrs["scale_factor"] == nil || !doc.Dims["time"].Unlimited && strings.Contains(c.dims, "time") {
			t.Errorf("%v: %+v, dimensions %+v", c.parts, v, doc.Dims)
		}
		if h, _ := doc.Attrs["history"].(string); !strings.Contains(h, "arrayrun select") {
			t.Errorf("%v: history %q", c.parts, h)
		}
		if lost := !strings.Contains(c.dims, "lat"); lost != (v.Attrs["coordinates"] == "lat") && lost {
			t.Errorf("%v: coordinates %v", c.parts, v.Attrs["coordinates"])
		}
	}
	// A dimension of the root selects in the groups that use it; one of a group only there.
	out := filepath.Join(dir, "g.zarr")
	ok(t, "select", made, out, "lat=@2:4", "step=@0")
	doc, _ := infoJSON(t, out)
	if s := fmt.Sprint(doc.Groups["fc"].Variables["t2m"].Shape, doc.Groups["fc"].Groups["members"].Variables["id"].Shape); s != "[2 2] []" {
		t.Errorf("shapes in groups: %s", s)
	}
	for text, want := range map[string]int{"lat": exitUsage, "lat=": exitUsage, "lat=11": exitUsage, "depth=3": exitUsage, "lat=@7": exitUsage, "lat=@a": exitUsage,
		"time=2010": exitUsage, "time=spring": exitUsage, "lat=@3:3": exitUsage} {
		if code, _, errs := arrayrun(t, "select", made, filepath.Join(dir, "no.nc"), text); code != want || errs == "" {
			t.Errorf("%q: exit %d, %s", text, code, errs)
		}
	}
	noOutputs(t, dir, filepath.Join(dir, "no.nc"))
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

// A file leads to those beside it, as groups, variables and parts of virtual datasets; Close closes them all.
func TestOtherFiles(t *testing.T) {
	g, err := NetCDF4.Open(context.Background(), "../hdf5/testdata/virtual/latest.h5")
	if err != nil {
		t.Fatal(err)
	}
	find := func(g *formats.Group, name string) formats.Var {
		for _, v := range g.Vars {
			if v.Name == name {
				return v
			}
		}
		t.Fatalf("no variable %s", name)
		return formats.Var{}
	}
	stack := find(g, "stack")
	c, err := readAll(stack.Source)
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Bytes(); len(b) != 240 || b[4*20] != 100 {
		t.Errorf("stack reads as %v", b)
	}
	links := g.Groups[0].Group
	if v := find(links, "d"); v.Err != nil {
		t.Errorf("links/d: %v", v.Err)
	}
	for _, name := range []string{"outside", "nowhere"} {
		if v := find(links, name); v.Err == nil {
			t.Errorf("links/%s has no error", name)
		}
	}
	if l := links.Links; len(l) != 1 || l[0].Name != "circle" || l[0].Target != "/links/circle" || !errors.Is(l[0].Why, hdf5.ErrDangling) {
		t.Errorf("links that lead nowhere: %+v, want circle", l)
	}
	if k := links.Groups; len(k) != 1 || k[0].Name != "whole" || find(k[0].Group, "d").Err != nil {
		t.Errorf("groups below links: %v, want the root of part_1.h5 as whole", k)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if _, err := readAll(stack.Source); err == nil {
		t.Error("a virtual dataset can be read after Close")
	}
}

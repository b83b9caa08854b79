// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// splitURI separates URI#VAR and drops ?raw: info shows values as stored anyway.
// A file whose own name has such characters is found by that name.
func splitURI(uri string) (path, variable string) {
	if _, err := os.Stat(uri); err == nil {
		return uri, ""
	}
	path, variable, _ = strings.Cut(strings.TrimSuffix(uri, "?raw"), "#")
	return strings.TrimSuffix(path, "?raw"), variable
}

// onlyVariable returns g with the one variable or group that a path such as
// forecast/t2m names.
func onlyVariable(g *formats.Group, path string) (*formats.Group, error) {
	format, closer := g.Format, g.Close
	parts := strings.Split(strings.Trim(path, "/"), "/")
	var above []formats.Dim // dimensions of the groups on the way, the nearest first
walk:
	for i, name := range parts {
		for _, s := range g.Groups {
			if s.Name == name {
				above = append(slices.Clone(g.Dims), above...)
				g = s.Group
				continue walk
			}
		}
		for _, v := range g.Vars {
			if v.Name == name && i == len(parts)-1 {
				return &formats.Group{Format: format, Attrs: g.Attrs, Dims: g.Dims, Vars: []formats.Var{v}, Close: closer}, nil
			}
		}
		return nil, fmt.Errorf("no variable or group %q; it has %s", path, contents(g))
	}
	out := *g
	out.Format, out.Close = format, closer
	out.Dims = slices.Clone(g.Dims)
	for _, d := range above {
		used := slices.ContainsFunc(g.Vars, func(v formats.Var) bool { return slices.Contains(v.Dims, d.Name) })
		if used && !slices.ContainsFunc(out.Dims, func(x formats.Dim) bool { return x.Name == d.Name }) {
			out.Dims = append(out.Dims, d)
		}
	}
	return &out, nil
}

// contents lists the names in a group for messages, not more than fit a line.
func contents(g *formats.Group) string {
	var names []string
	for _, v := range g.Vars {
		names = append(names, v.Name)
	}
	for _, s := range g.Groups {
		names = append(names, s.Name+"/")
	}
	if len(names) == 0 {
		return "none"
	}
	if len(names) > 12 {
		names = append(names[:12], fmt.Sprintf("%d more", len(names)-12))
	}
	return strings.Join(names, ", ")
}

// partialName is where an output is written until it is complete.
func partialName(path string) string {
	dir, name := filepath.Split(filepath.Clean(path))
	return dir + "." + name + ".arrayrun-partial"
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

// outGroup is a group of the output.
type outGroup struct {
	addr  uint64
	attrs formats.Attrs
	links []outLink
}

// outLink is an entry of a group: an object, a committed type or a further group.
type outLink struct {
	name  string
	obj   *object
	group *outGroup
	typ   *userType
}

// splitName cuts the path of a variable or group into that of its group and its own name.
func splitName(name string) (group, base string) {
	i := strings.LastIndexByte(name, '/')
	return name[:max(i, 0)], name[i+1:]
}

// joinName is the inverse of splitName.
func joinName(group, base string) string {
	if group == "" {
		return base
	}
	return group + "/" + base
}

// checkGroup refuses paths of groups that netCDF-C would refuse.
func checkGroup(path string) error {
	if path == "" {
		return nil
	}
	for part := range strings.SplitSeq(path, "/") {
		if err := checkName("group", part); err != nil {
			return err
		}
	}
	return nil
}

// groupsOf makes the groups that the objects' names and the specification ask for; the first is the root. Types come before what
// has them: netCDF-C reads a group's objects in the order of their creation.
func groupsOf(objs []*object, types []*userType, specs []formats.GroupSpec) ([]*outGroup, error) {
	all := []*outGroup{{}}
	for _, s := range specs {
		g := all[0]
		for part := range strings.SplitSeq(s.Path, "/") {
			old := g.find(part)
			if old == nil {
				k := &outGroup{}
				all = append(all, k)
				g.links = append(g.links, outLink{name: part, group: k})
				old = g.find(part)
			}
			g = old.group
		}
		g.attrs = s.Attrs
	}
	for _, t := range types {
		g := all[0]
		for part := range strings.FieldsFuncSeq(t.group, func(r rune) bool { return r == '/' }) {
			if g = g.find(part).group; g == nil {
				return nil, fmt.Errorf("type %q: %q is no group: %w", joinName(t.group, t.name), part, formats.ErrFormat)
			}
		}
		if g.find(t.name) != nil {
			return nil, fmt.Errorf("type %q: there are two of the name: %w", joinName(t.group, t.name), formats.ErrFormat)
		}
		g.links = append(g.links, outLink{name: t.name, typ: t})
	}
	for _, o := range objs {
		g, rest := all[0], o.name
		for {
			first, more, deeper := strings.Cut(rest, "/")
			old := g.find(first)
			if !deeper {
				if old != nil {
					return nil, fmt.Errorf("variable %q: there are two of the name: %w", o.name, formats.ErrFormat)
				}
				g.links = append(g.links, outLink{name: first, obj: o})
				break
			}
			switch {
			case old == nil:
				k := &outGroup{}
				all = append(all, k)
				g.links = append(g.links, outLink{name: first, group: k})
				g = k
			case old.group == nil:
				return nil, fmt.Errorf("variable %q lies inside the variable or dimension %q: %w", o.name, first, formats.ErrFormat)
			default:
				g = old.group
			}
			rest = more
		}
	}
	return all, nil
}

func (g *outGroup) find(name string) *outLink {
	for i := range g.links {
		if g.links[i].name == name {
			return &g.links[i]
		}
	}
	return nil
}

// messages lays out a group's header without its attributes. Link info flags 3:
// creation order is tracked and indexed. Without it netCDF-C refuses to open the
// file for append (NC_ECANTWRITE).
func (g *outGroup) messages() []message {
	ms := []message{
		{msgLinkInfo, (&buf{}).u(1, 0).u(1, 3).u(8, uint64(len(g.links))).u(8, hdf5.Undef).u(8, hdf5.Undef).u(8, hdf5.Undef).b, 0},
		{msgGroupInfo, (&buf{}).u(1, 0).u(1, 0).b, constant},
	}
	for i, l := range g.links {
		addr := uint64(0)
		switch {
		case l.obj != nil:
			addr = l.obj.addr
		case l.typ != nil:
			addr = l.typ.addr
		default:
			addr = l.group.addr
		}
		// version 1; creation order and character set follow; the name's length has 2 bytes
		w := (&buf{}).u(1, 1).u(1, 4|16|1).u(8, uint64(i)).u(1, 1).u(2, uint64(len(l.name))).s(l.name).u(8, addr)
		ms = append(ms, message{msgLink, w.b, 0})
	}
	return ms
}

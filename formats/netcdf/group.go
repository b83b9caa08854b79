// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"fmt"
	"path"
	"sort"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

// finish builds the formats.Group of n and those below it.
func (t *tree) finish(n *node) error {
	n.out = &formats.Group{Format: "hdf5", Attrs: t.attrs(n.obj, hiddenOfGroups)}
	if t.netcdf4 {
		n.out.Format = "netcdf4"
	}
	sort.SliceStable(n.dims, func(i, j int) bool { return n.dims[i].id < n.dims[j].id })
	for _, d := range n.dims {
		n.out.Dims = append(n.out.Dims, formats.Dim{Name: d.name, Size: int64(d.size), Unlimited: d.unlimited})
	}
	n.out.Types, n.out.Links = n.types, n.links
	for _, v := range n.vars {
		if !v.only {
			n.out.Vars = append(n.out.Vars, t.open(n, v))
		}
	}
	for _, k := range n.kids {
		if err := t.finish(k); err != nil {
			return err
		}
		n.out.Groups = append(n.out.Groups, formats.NamedGroup{Name: path.Base(k.path), Group: k.out})
	}
	return nil
}

// open makes a variable and its source. A dataset shorter than an unlimited
// dimension it has reads as the fill value beyond its end, as netCDF-C has it.
func (t *tree) open(n *node, v *variable) formats.Var {
	out := formats.Var{Name: v.name, Err: v.err}
	if v.obj == nil {
		return out
	}
	out.Attrs = t.attrs(v.obj, hidden)
	shape := chunk.Shape{}
	for i, d := range v.dims {
		out.Dims = append(out.Dims, d.name)
		size := v.obj.Space.Dims[i]
		if d.unlimited {
			size = max(size, d.size)
		}
		shape = append(shape, int64(size))
	}
	if v.obj.Space.Null {
		shape = nil
	}
	src, err := v.obj.Source(shape)
	if err != nil {
		err = fmt.Errorf("netcdf: %s: %w", path.Join(n.path, v.name), err)
		if out.Err == nil {
			out.Err = err
		}
	}
	if src != nil {
		out.Source = src
		m := src.Meta()
		for i := len(out.Dims); i < len(m.Shape); i++ { // the axes of an array datatype
			out.Dims = append(out.Dims, fmt.Sprintf("%s_axis_%d", v.name, i))
		}
		t.count(src)
		if t.netcdf4 {
			m.FillSet = false
			setFill(m, out.Attrs)
		}
	}
	if out.Dims == nil {
		out.Dims = []string{}
	}
	return out
}

// maxCounted bounds the chunks of a file whose index is read when it is opened: 5 ms of work.
const maxCounted = 1 << 14

// count says how many bytes are stored, while it is cheap to know. Behind a network it is not: indexes lie all over the file.
func (t *tree) count(src formats.Source) {
	m := src.Meta()
	n := m.Grid.Len()
	c, ok := src.(formats.Sizer)
	if !ok || t.remote || m.Bytes >= 0 || n < 0 || n > maxCounted-t.counted {
		return
	}
	t.counted += n
	if b, err := c.StoredBytes(context.Background()); err == nil {
		m.Bytes = b // a damaged index shows when a chunk is read
	}
}

// attrs returns the attributes of an object, in netCDF-4 without those netCDF-C keeps for itself.
func (t *tree) attrs(o *hdf5.Object, hidden []string) formats.Attrs {
	out := formats.Attrs{}
next:
	for i := range o.Attrs {
		a := &o.Attrs[i]
		if t.netcdf4 {
			for _, h := range hidden {
				if a.Name == h {
					continue next
				}
			}
		}
		v, err := o.File().Value(a)
		if err != nil {
			v = nil // damaged text in a heap: the attribute stays, without a value
		}
		x := formats.Attr{Name: a.Name, Value: v}
		if a.Type.UserDefined() {
			x.Type = a.Type.Stored()
		}
		out = append(out, x)
	}
	return unfoldAttrs(out)
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"fmt"
	"io"
	"path"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

const (
	maxDepth   = 256
	maxObjects = 1 << 20
)

// Attributes by which netCDF-C keeps its data model in HDF5; they are not the user's.
const (
	attrClass     = "CLASS"
	attrName      = "NAME"
	attrDims      = "DIMENSION_LIST"
	attrRefs      = "REFERENCE_LIST"
	attrDimID     = "_Netcdf4Dimid"
	attrCoords    = "_Netcdf4Coordinates"
	attrProps     = "_NCProperties"
	attrStrict    = "_nc3_strict"
	scaleClass    = "DIMENSION_SCALE"
	nonCoord      = "_nc4_non_coord_"
	onlyDimension = "This is a netCDF dimension but not a netCDF variable."
)

var hidden = []string{attrClass, attrName, attrDims, attrRefs, attrDimID, attrCoords, attrProps, attrStrict}

// node is a group while its file is being read.
type node struct {
	path   string
	obj    *hdf5.Object
	out    *formats.Group
	parent *node
	kids   []*node
	vars   []*variable
	dims   []*dimension
}

// variable is a dataset: its object, or why it cannot be read.
type variable struct {
	name string
	obj  *hdf5.Object
	dims []*dimension
	dim  *dimension // the dimension it is the coordinate of
	only bool       // a dimension without a variable
	err  error
}

// dimension is a dimension with the address of its scale, 0 for a phony one.
type dimension struct {
	name      string
	size      uint64
	unlimited bool
	id        int64
	scale     uint64
}

// tree is the file being read.
type tree struct {
	f       *hdf5.File
	objects int
	nextID  int64
	scales  map[uint64]*dimension
	ids     map[int64]*dimension
	counted int64
	netcdf4 bool // the file says that it is netCDF-4
}

// openHDF5 reads the groups of an HDF5 file of size bytes as netCDF-C does.
func openHDF5(r io.ReaderAt, size int64) (*formats.Group, error) {
	f, err := hdf5.New(r, size)
	if err != nil {
		return nil, err
	}
	root, err := f.Root()
	if err != nil {
		return nil, err
	}
	t := &tree{f: f, scales: map[uint64]*dimension{}, ids: map[int64]*dimension{}}
	n := &node{path: "/", obj: root}
	if _, ok := root.Attr(attrProps); ok {
		t.netcdf4 = true
	}
	if err := t.load(n, 0); err != nil {
		return nil, err
	}
	if err := t.match(n); err != nil {
		return nil, err
	}
	t.grow(n)
	if err := t.finish(n); err != nil {
		return nil, err
	}
	f.Forget()
	return n.out, nil
}

// load reads the objects of a group and those below it.
func (t *tree) load(n *node, depth int) error {
	if depth > maxDepth {
		return fmt.Errorf("netcdf: group %s: nested deeper than %d: %w", n.path, maxDepth, formats.ErrCorrupt)
	}
	for _, l := range n.obj.Links {
		if t.objects++; t.objects > maxObjects {
			return fmt.Errorf("netcdf: more than %d objects: %w", maxObjects, formats.ErrFormat)
		}
		obj, err := t.follow(n, l, 0)
		if err != nil {
			n.vars = append(n.vars, &variable{name: l.Name, err: fmt.Errorf("netcdf: %s: %w", path.Join(n.path, l.Name), err)})
			continue
		}
		obj.Path = path.Join(n.path, l.Name)
		switch {
		case obj.Dataset():
			t.dataset(n, l.Name, obj)
		case obj.Group:
			loop := false
			for p := n; p != nil; p = p.parent {
				loop = loop || p.obj.Addr == obj.Addr
			}
			if loop {
				continue // a hard or soft link upwards
			}
			k := &node{path: path.Join(n.path, l.Name), obj: obj, parent: n}
			n.kids = append(n.kids, k)
			if err := t.load(k, depth+1); err != nil {
				return err
			}
		}
	}
	return nil
}

// follow returns the object of a link; soft links are followed inside the file.
func (t *tree) follow(n *node, l hdf5.Link, depth int) (*hdf5.Object, error) {
	switch {
	case l.File != "":
		return nil, fmt.Errorf("a link to %q in the file %q is not followed: %w", l.Target, l.File, formats.ErrFormat)
	case l.Addr != hdf5.Undef:
		return t.f.Object(l.Addr)
	case depth > 16:
		return nil, fmt.Errorf("soft links in a circle: %w", formats.ErrFormat)
	}
	at := n.obj
	if strings.HasPrefix(l.Target, "/") {
		var err error
		if at, err = t.f.Root(); err != nil {
			return nil, err
		}
	}
	for _, part := range strings.Split(l.Target, "/") {
		if part == "" || part == "." {
			continue
		}
		var next *hdf5.Object
		for _, x := range at.Links {
			if x.Name != part {
				continue
			}
			var err error
			if next, err = t.follow(&node{obj: at}, x, depth+1); err != nil {
				return nil, err
			}
		}
		if next == nil {
			return nil, fmt.Errorf("the soft link to %q leads nowhere: %w", l.Target, formats.ErrFormat)
		}
		at = next
	}
	return at, nil
}

// dataset adds a dataset to its group: a variable, a dimension or both.
func (t *tree) dataset(n *node, name string, obj *hdf5.Object) {
	v := &variable{name: strings.TrimPrefix(name, nonCoord), obj: obj}
	if v.name != name {
		t.netcdf4 = true
	}
	n.vars = append(n.vars, v)
	_, id := obj.Attr(attrDimID)
	_, coords := obj.Attr(attrCoords)
	t.netcdf4 = t.netcdf4 || id || coords
	if t.text(obj, attrClass) != scaleClass {
		return
	}
	t.netcdf4 = true
	v.only = strings.HasPrefix(t.text(obj, attrName), onlyDimension)
	if d := t.scales[obj.Addr]; d != nil {
		d.name = v.name // several links to one scale: netCDF-C takes the last one's name
		if len(obj.Space.Dims) <= 1 {
			v.dim = d
		}
		return
	}
	d := &dimension{name: v.name, scale: obj.Addr, id: -1}
	if len(obj.Space.Dims) > 0 {
		d.size, d.unlimited = obj.Space.Dims[0], obj.Space.Max[0] == hdf5.Undef
	}
	if x, ok := t.ints(obj, attrDimID); ok && len(x) > 0 && x[0] >= 0 {
		d.id = x[0]
	}
	if len(obj.Space.Dims) <= 1 {
		v.dim = d
	}
	t.define(n, d)
}

// define adds a dimension to its group and gives it the next number unless it has one.
func (t *tree) define(n *node, d *dimension) {
	if d.id < 0 {
		d.id = t.nextID
	}
	t.nextID = max(t.nextID, d.id+1)
	n.dims = append(n.dims, d)
	t.ids[d.id] = d
	if d.scale != 0 {
		t.scales[d.scale] = d
	}
}

// text returns a text attribute, "" when there is none.
func (t *tree) text(obj *hdf5.Object, name string) string {
	if a, ok := obj.Attr(name); ok {
		if v, err := t.f.Value(a); err == nil {
			s, _ := v.(string)
			return s
		}
	}
	return ""
}

// ints returns an attribute of int32, as netCDF-C writes numbers of dimensions.
func (t *tree) ints(obj *hdf5.Object, name string) ([]int64, bool) {
	a, ok := obj.Attr(name)
	if !ok {
		return nil, false
	}
	v, err := t.f.Value(a)
	if err != nil {
		return nil, false
	}
	switch x := v.(type) {
	case int32:
		return []int64{int64(x)}, true
	case []int32:
		out := make([]int64, len(x))
		for i, y := range x {
			out[i] = int64(y)
		}
		return out, true
	}
	return nil, false
}

// match gives every variable its dimensions: its own, those of its list of scales,
// those of its list of numbers, else phony ones. Groups below come first, as in
// netCDF-C, which matters for the numbers of phony dimensions.
func (t *tree) match(n *node) error {
	for _, k := range n.kids {
		if err := t.match(k); err != nil {
			return err
		}
	}
	for _, v := range n.vars {
		if v.obj == nil {
			continue
		}
		rank := len(v.obj.Space.Dims)
		v.dims = make([]*dimension, rank)
		if ids, ok := t.ints(v.obj, attrCoords); ok && len(ids) == rank {
			for i, id := range ids {
				v.dims[i] = t.ids[id]
			}
		}
		if v.dim != nil && rank == 1 {
			v.dims[0] = v.dim
		}
		if a, ok := v.obj.Attr(attrDims); ok {
			refs, err := t.f.References(a)
			if err != nil {
				v.err = fmt.Errorf("netcdf: %s: %w", path.Join(n.path, v.name), err)
			}
			for i := range min(rank, len(refs)) {
				if len(refs[i]) > 0 && t.scales[refs[i][0]] != nil {
					v.dims[i] = t.scales[refs[i][0]]
				}
			}
		}
		for i := range v.dims {
			if v.dims[i] == nil {
				v.dims[i] = t.phony(n, v.dims[:i], v.obj.Space.Dims[i], v.obj.Space.Max[i] == hdf5.Undef)
			}
		}
	}
	return nil
}

// phony returns a dimension of the group with the length and nature that the
// variable does not have yet, a new one if there is none.
func (t *tree) phony(n *node, used []*dimension, size uint64, unlimited bool) *dimension {
	for _, d := range n.dims {
		if d.size == size && d.unlimited == unlimited && !slices.Contains(used, d) {
			return d
		}
	}
	d := &dimension{name: fmt.Sprintf("phony_dim_%d", t.nextID), size: size, unlimited: unlimited, id: -1}
	t.define(n, d)
	return d
}

// grow makes unlimited dimensions as long as the longest variable that has them.
func (t *tree) grow(n *node) {
	for _, v := range n.vars {
		for i, d := range v.dims {
			if d.unlimited {
				d.size = max(d.size, v.obj.Space.Dims[i])
			}
		}
	}
	for _, k := range n.kids {
		t.grow(k)
	}
}

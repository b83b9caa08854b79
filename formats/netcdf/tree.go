// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"errors"
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

// hiddenOfGroups are those of groups: what makes a dataset a dimension scale is anyone's attribute there.
var hiddenOfGroups = []string{attrProps, attrStrict}

// node is a group while its file is being read.
type node struct {
	path   string
	obj    *hdf5.Object
	out    *formats.Group
	parent *node
	kids   []*node
	vars   []*variable
	dims   []*dimension
	types  []formats.Type
	links  []formats.Link
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

// within is an address or a number of a dimension in one of the files that links have led to.
type within struct {
	f *hdf5.File
	n uint64
}

// dimension is a dimension with the place of its scale, none for a phony one.
type dimension struct {
	name      string
	size      uint64
	unlimited bool
	id        int64
	scale     within
}

// tree is the file being read.
type tree struct {
	objects int
	nextID  int64
	scales  map[within]*dimension
	ids     map[within]*dimension
	counted int64
	remote  bool // every look at the file takes long
	netcdf4 bool // the file says that it is netCDF-4
}

// openHDF5 reads the groups of an HDF5 file of size bytes as netCDF-C does.
func openHDF5(r io.ReaderAt, size int64) (*formats.Group, error) {
	f, err := hdf5.New(r, size)
	if err != nil {
		return nil, err
	}
	return readHDF5(f)
}

func readHDF5(f *hdf5.File) (*formats.Group, error) {
	root, err := f.Root()
	if err != nil {
		return nil, err
	}
	t := &tree{scales: map[within]*dimension{}, ids: map[within]*dimension{}, remote: f.Remote()}
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
	n.obj.File().Ahead(n.obj.Links)
	for _, l := range n.obj.Links {
		if t.objects++; t.objects > maxObjects {
			return fmt.Errorf("netcdf: more than %d objects: %w", maxObjects, formats.ErrFormat)
		}
		obj, err := n.obj.Follow(l)
		if errors.Is(err, hdf5.ErrDangling) {
			n.links = append(n.links, formats.Link{Name: l.Name, Target: l.Target, Why: err})
			continue
		}
		if err != nil {
			n.vars = append(n.vars, &variable{name: l.Name, err: fmt.Errorf("netcdf: %s: %w", path.Join(n.path, l.Name), err)})
			continue
		}
		obj.Path = path.Join(n.path, l.Name)
		switch {
		case obj.Dataset():
			t.dataset(n, l.Name, obj)
		case obj.Type != nil: // a committed one
			if obj.Type.UserDefined() {
				n.types = append(n.types, formats.Type{Name: l.Name, Stored: obj.Type.Stored()})
			}
		case obj.Group:
			loop := false
			for p := n; p != nil; p = p.parent {
				loop = loop || p.obj.Addr == obj.Addr && p.obj.File() == obj.File()
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

// dataset adds a dataset to its group: a variable, a dimension or both.
func (t *tree) dataset(n *node, name string, obj *hdf5.Object) {
	v := &variable{name: strings.TrimPrefix(name, nonCoord), obj: obj}
	if err := obj.Resolve(); err != nil {
		v.err = fmt.Errorf("netcdf: %s: %w", path.Join(n.path, v.name), err)
	}
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
	at := within{obj.File(), obj.Addr}
	if d := t.scales[at]; d != nil {
		d.name = v.name // several links to one scale: netCDF-C takes the last one's name
		if len(obj.Space.Dims) <= 1 {
			v.dim = d
		}
		return
	}
	d := &dimension{name: v.name, scale: at, id: -1}
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
	t.ids[within{d.scale.f, uint64(d.id)}] = d
	if d.scale.f != nil {
		t.scales[d.scale] = d
	}
}

// text returns a text attribute, "" when there is none.
func (t *tree) text(obj *hdf5.Object, name string) string {
	if a, ok := obj.Attr(name); ok {
		if v, err := obj.File().Value(a); err == nil {
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
	v, err := obj.File().Value(a)
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
				v.dims[i] = t.ids[within{v.obj.File(), uint64(id)}]
			}
		}
		if v.dim != nil && rank == 1 {
			v.dims[0] = v.dim
		}
		if a, ok := v.obj.Attr(attrDims); ok {
			refs, err := v.obj.File().References(a)
			if err != nil {
				v.err = fmt.Errorf("netcdf: %s: %w", path.Join(n.path, v.name), err)
			}
			for i := range min(rank, len(refs)) {
				if len(refs[i]) == 0 {
					continue
				}
				if d := t.scales[within{v.obj.File(), refs[i][0]}]; d != nil {
					v.dims[i] = d
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

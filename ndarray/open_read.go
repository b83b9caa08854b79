// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// reader makes a Dataset of an open group and the groups around it.
type reader struct {
	ctx   context.Context
	opts  openOptions
	chain []*formats.Group // root first
	root  *formats.Group
}

// stored is a variable of the file, decoded but not read.
type stored struct {
	v      Variable
	src    formats.Source
	coding cf.Coding
	limit  int64 // bytes of labels
	plain  bool  // the file names no dimensions

	spacing []formats.Spacing
}

// dataset decodes the variables of the last group and finds which are coordinates, bounds and grid mappings.
// A dimension's coordinate may lie in a group around it.
func (r *reader) dataset(only string) (*Dataset, error) {
	g := r.chain[len(r.chain)-1]
	ds := &Dataset{attrs: g.Attrs, only: only, close: r.root.Close, group: g}
	all := map[string]*stored{}
	var order []string
	for i := range g.Vars {
		s := r.variable(&g.Vars[i])
		all[s.v.name] = s
		order = append(order, s.v.name)
	}
	ds.stored = all
	// Coordinates of dimensions that come from around.
	for i := len(r.chain) - 2; i >= 0; i-- {
		for k := range r.chain[i].Vars {
			v := &r.chain[i].Vars[k]
			if all[v.Name] == nil && slices.Equal(v.Dims, []string{v.Name}) && r.usesDim(all, v.Name) {
				all[v.Name] = r.variable(v)
				order = append(order, v.Name)
			}
		}
	}
	for i := range r.chain {
		for _, d := range r.chain[len(r.chain)-1-i].Dims {
			if !slices.ContainsFunc(ds.dims, func(x formats.Dim) bool { return x.Name == d.Name }) {
				ds.dims = append(ds.dims, d)
			}
		}
	}
	isCoord, isBounds, isMapping := roles(all, order, g.Attrs)
	coords := map[string]*Coord{}
	for _, name := range order {
		if !isCoord[name] && !isBounds[name] && !isMapping[name] {
			continue
		}
		s := all[name]
		c, err := r.coord(s, isCoord[name])
		if err != nil {
			return nil, fmt.Errorf("read coordinate %q: %w", name, err)
		}
		coords[name] = c
	}
	for _, c := range coords {
		if b := boundsOf(c.attrs); b != "" && coords[b] != nil && isBounds[b] {
			c.bounds = coords[b]
		}
	}
	for _, name := range order {
		if isCoord[name] {
			ds.coords = append(ds.coords, coords[name])
		}
	}
	for _, name := range order {
		s := all[name]
		v := s.v
		v.global = g.Attrs
		if c := coords[name]; c != nil {
			v.host = c.host
			if c.host != nil && v.Err() == nil {
				v.array = c.Array()
			}
		}
		for _, d := range ds.dims {
			if d.Unlimited && slices.Contains(v.dims, d.Name) {
				v.unlimited = append(v.unlimited, d.Name)
			}
		}
		for _, c := range ds.coords {
			if !s.plain && subset(c.dims, v.dims) {
				v.coords = append(v.coords, c)
			}
		}
		v.coords = append(v.coords, spaced(v, s.spacing, v.coords, s.limit)...)
		for _, m := range mappingNames(v.attrs) {
			if c := coords[m]; c != nil {
				v.mappings = append(v.mappings, c)
			}
		}
		v.attrs = v.attrs.Without("coordinates")
		if v.Err() == nil {
			v.values = &readable{v.array.Node(), func() (*Labels, error) { return s.load(context.Background()) }}
		}
		ds.vars = append(ds.vars, dataVar{v, s.plain, isCoord[name] || isBounds[name] || isMapping[name]})
	}
	return ds, nil
}

// usesDim reports whether a variable has a dimension.
func (r *reader) usesDim(all map[string]*stored, dim string) bool {
	for _, s := range all {
		if slices.Contains(s.v.dims, dim) {
			return true
		}
	}
	return false
}

// roles says which variables are coordinates (of their own dimension, or named by a coordinates attribute),
// bounds and grid mappings.
func roles(all map[string]*stored, order []string, global formats.Attrs) (isCoord, isBounds, isMapping map[string]bool) {
	isCoord, isBounds, isMapping = map[string]bool{}, map[string]bool{}, map[string]bool{}
	mark := func(set map[string]bool, attrs formats.Attrs, attr string) {
		v, _ := attrs.Get(attr)
		s, _ := v.(string)
		for _, name := range strings.Fields(s) {
			name = strings.TrimSuffix(name, ":")
			if all[name] != nil {
				set[name] = true
			}
		}
	}
	mark(isCoord, global, "coordinates")
	for _, name := range order {
		s := all[name]
		if len(s.v.dims) == 1 && s.v.dims[0] == name && !s.plain {
			isCoord[name] = true
		}
		mark(isCoord, s.v.attrs, "coordinates")
		mark(isMapping, s.v.attrs, "grid_mapping")
		mark(isBounds, s.v.attrs, "bounds")
		mark(isBounds, s.v.attrs, "climatology")
	}
	for name := range isCoord {
		delete(isBounds, name)
		if s := all[name]; len(s.v.dims) > 0 {
			delete(isMapping, name)
		} else if isMapping[name] {
			delete(isCoord, name)
		}
	}
	return isCoord, isBounds, isMapping
}

// boundsOf returns the name of the bounds of a coordinate, "" for none.
func boundsOf(attrs formats.Attrs) string {
	for _, a := range []string{"bounds", "climatology"} {
		if v, ok := attrs.Get(a); ok {
			s, _ := v.(string)
			return strings.TrimSpace(s)
		}
	}
	return ""
}

// mappingNames returns the grid mappings an attribute names: "crs" or "crs: x y other: lat lon".
func mappingNames(attrs formats.Attrs) []string {
	v, _ := attrs.Get("grid_mapping")
	s, _ := v.(string)
	fields := strings.Fields(s)
	if len(fields) == 1 {
		return []string{strings.TrimSuffix(fields[0], ":")}
	}
	var out []string
	for _, f := range fields {
		if n, ok := strings.CutSuffix(f, ":"); ok {
			out = append(out, n)
		}
	}
	return out
}

// variable decodes one variable; one that cannot be read carries its error.
func (r *reader) variable(f *formats.Var) *stored {
	s := &stored{src: f.Source, limit: r.opts.labelBytes(), spacing: f.Spacing}
	if f.Err != nil || f.Source == nil {
		err := f.Err
		if err == nil {
			err = fmt.Errorf("ndarray: variable %q has no values: %w", f.Name, formats.ErrFormat)
		}
		s.v = Variable{name: f.Name, array: Failed(err, ""), attrs: f.Attrs}
		return s
	}
	m := f.Source.Meta()
	dims := slices.Clone(f.Dims)
	if dims == nil && len(m.Shape) > 0 {
		s.plain = true
		dims = make([]string, len(m.Shape))
	}
	for i := range dims {
		if dims[i] == "" {
			dims[i] = fmt.Sprintf("dim_%d", i)
		}
	}
	attrs := f.Attrs
	src := f.Source
	if !r.opts.raw && m.DType == dtype.Raw {
		if t, ok := wideTexts(src); ok {
			src = t
		} else if t, ok := joinChars(src); ok && !s.plain {
			src = t
			dims = dims[:len(dims)-1]
		}
	}
	s.src = src
	var a Array
	if r.opts.chunks != nil {
		a = FromSourceOn(src, f.Name, chunk.Regular(src.Meta().Shape, r.opts.chunks...))
	} else {
		a = FromSource(src, f.Name)
	}
	if r.opts.raw {
		s.coding = cf.Coding{Stored: m.DType, Integer: m.DType, Decoded: m.DType}
	} else {
		if _, has := attrs.Get("_FillValue"); !has && r.root.FillMasks() && f.Dims != nil && m.FillSet {
			if v, ok := fillNumber(m); ok {
				attrs = attrs.With("_FillValue", v)
			}
		}
		s.coding, attrs = cf.Decide(src.Meta().DType, attrs)
		a = FromNode(cf.Decode(a.Node(), s.coding))
	}
	s.v = NewVariable(f.Name, a, dims, attrs)
	return s
}

// fillNumber returns the fill value of an array as an attribute's number.
func fillNumber(m *formats.ArrayMeta) (any, bool) {
	b := m.Fill
	if b == nil {
		b = make([]byte, max(m.ItemBytes, 8))
	}
	e := binary.NativeEndian
	switch {
	case len(b) < m.DType.Size():
		return nil, false
	}
	switch m.DType {
	case dtype.Int8:
		return int8(b[0]), true
	case dtype.Uint8:
		return b[0], true
	case dtype.Int16:
		return int16(e.Uint16(b)), true
	case dtype.Uint16:
		return e.Uint16(b), true
	case dtype.Int32:
		return int32(e.Uint32(b)), true
	case dtype.Uint32:
		return e.Uint32(b), true
	case dtype.Int64:
		return int64(e.Uint64(b)), true
	case dtype.Uint64:
		return e.Uint64(b), true
	case dtype.Float16:
		return dtype.F16{Bits: e.Uint16(b)}.Float32(), true
	case dtype.BFloat16:
		return dtype.BF16{Bits: e.Uint16(b)}.Float32(), true
	case dtype.Float32:
		return math.Float32frombits(e.Uint32(b)), true
	case dtype.Float64:
		return math.Float64frombits(e.Uint64(b)), true
	}
	return nil, false
}

// coord makes the coordinate of a decoded variable; if read, host values are read for
// dimension coordinates and scalars, else when they are wanted.
func (r *reader) coord(s *stored, read bool) (*Coord, error) {
	c := &Coord{name: s.v.name, dims: s.v.dims, attrs: s.v.attrs.Without("coordinates"), array: s.v.array}
	if s.v.Err() != nil {
		if c.isDimension() {
			return nil, s.v.Err()
		}
		return c, nil
	}
	if s.src == nil {
		return c, nil
	}
	if !read || !c.isDimension() && len(c.dims) > 0 || s.tooLong() != nil {
		c.load = func() (*Labels, error) { return s.load(context.Background()) }
		return c, nil
	}
	l, err := s.load(r.ctx)
	if err != nil && c.isDimension() {
		return nil, err
	}
	if err == nil {
		c.host = l
	}
	return c, nil
}

// tooLong returns an error where the values are more than may be held as labels. Lengths come from
// the file: a damaged one may claim more than any memory holds.
func (s *stored) tooLong() error {
	m := s.src.Meta()
	// Labels are held as 8-byte numbers or as texts.
	n, ok := checkedSize(append(m.Shape.Clone(), int64(max(m.ItemBytes, 8)), labelShare))
	if ok && n <= s.limit*labelShare {
		return nil
	}
	count, fit := fmt.Sprint(m.Shape), "no memory budget holds them"
	if ok {
		count = fmt.Sprint(m.Shape.Size())
		fit = fmt.Sprintf("a memory budget of %d MiB holds them", n>>20+1)
	}
	return fmt.Errorf("%q has %s labels, want at most %d MiB of them; %s: %w", s.v.name, count, s.limit>>20, fit, ErrLabels)
}

// load reads and decodes the values; nil for dtypes that are no labels.
func (s *stored) load(ctx context.Context) (*Labels, error) {
	if err := s.tooLong(); err != nil {
		return nil, err
	}
	part, err := ReadAll(ctx, s.src)
	if err != nil {
		return nil, err
	}
	l, ok := chunkLabels(part)
	if !ok {
		return nil, nil
	}
	return decodeLabels(l, s.coding), nil
}

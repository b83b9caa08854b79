// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"reflect"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// join makes one data set of files in order.
type join struct {
	ctx   context.Context
	opts  openOptions
	dim   string
	parts []*part
}

// dataset joins the variables that have the dimension and checks that the others agree.
func (j *join) dataset() (*Dataset, error) {
	first := j.parts[0].ds
	ds := &Dataset{attrs: first.attrs, only: first.only, dims: slices.Clone(first.dims)}
	for i, d := range ds.dims {
		if d.Name == j.dim {
			ds.dims[i].Size = 0
			for _, p := range j.parts {
				ds.dims[i].Size += p.length
			}
		}
	}
	if err := j.sameNames(); err != nil {
		return nil, err
	}
	coords := map[*Coord]*Coord{}
	for i, c := range first.coords {
		k, err := j.coord(c.name, func(p *part) *Coord { return findCoord(p.ds.coords, c.name) }, nil)
		if err != nil {
			return nil, err
		}
		coords[c] = k
		ds.coords = append(ds.coords, coords[first.coords[i]])
	}
	parents := map[string]*Coord{} // of bounds, whose units are theirs
	for _, c := range first.coords {
		if c.bounds != nil {
			parents[c.bounds.name] = c
		}
	}
	for _, v := range first.vars {
		w, err := j.variable(v, parents[v.name])
		if err != nil && first.only != "" && first.only != v.name && !v.support {
			w = v
			w.Variable = v.failed(Failed(err, "")) // nobody asked for it
		} else if err != nil {
			return nil, err
		}
		w.coords = slices.Clone(v.coords)
		for i, c := range w.coords {
			w.coords[i] = coords[c]
		}
		if c := findCoord(ds.coords, v.name); c != nil && c.host != nil && w.Err() == nil {
			w.host, w.array = c.host, c.Array()
		}
		ds.vars = append(ds.vars, w)
	}
	return ds, j.agree()
}

// sameNames checks that every file has the same variables.
func (j *join) sameNames() error {
	first := j.parts[0]
	for _, p := range j.parts[1:] {
		for _, q := range [][2]*part{{first, p}, {p, first}} {
			for _, v := range q[0].ds.vars {
				if q[1].ds.find(v.name) < 0 && (first.ds.only == "" || first.ds.only == v.name || v.support) {
					return errorf("variable %q is in %s but not in %s", v.name, q[0].path, q[1].path)
				}
			}
		}
	}
	return nil
}

// rebase turns numbers in one unit of time into those of another; nil changes nothing.
type rebase struct{ from, to *cf.Units }

// rebaseTo returns how values with attributes from become values of those of to. Calendars that differ, and units
// that are times in only one of them, are errors.
func rebaseTo(to, from formats.Attrs, toPath, fromPath, name string) (*rebase, error) {
	text := func(a formats.Attrs, key string) string {
		v, _ := a.Get(key)
		s, _ := v.(string)
		return s
	}
	tu, fu := text(to, "units"), text(from, "units")
	isTime := cf.IsTimeUnits(tu)
	if isTime != cf.IsTimeUnits(fu) || !isTime && tu != fu {
		return nil, errorf("units of %q are %q in %s and %q in %s; convert one of them", name, tu, toPath, fu, fromPath)
	}
	if !isTime || tu == fu && text(to, "calendar") == text(from, "calendar") {
		return nil, nil
	}
	u, err := cf.ParseUnits(tu, text(to, "calendar"))
	if err != nil {
		return nil, errorf("%q in %s: %w", name, toPath, err)
	}
	w, err := cf.ParseUnits(fu, text(from, "calendar"))
	if err != nil {
		return nil, errorf("%q in %s: %w", name, fromPath, err)
	}
	if u.Calendar != w.Calendar {
		return nil, errorf("the calendar of %q is %v in %s and %v in %s; time is joined in one calendar", name, u.Calendar, toPath, w.Calendar, fromPath)
	}
	if tu == fu {
		return nil, nil
	}
	return &rebase{from: w, to: u}, nil
}

// labels returns the values in the new units: of the same dtype where that holds all of them, else float64.
func (r *rebase) labels(l *Labels) *Labels {
	if r == nil || l == nil || l.Str != nil || l.DType == dtype.Bool {
		return l
	}
	out := l.floats()
	whole, narrow := true, l.DType == dtype.Float32
	for i := range out.Float {
		t, ok := l.instant(r.from, i)
		if !ok {
			continue // missing stays missing
		}
		x := r.to.Number(t)
		out.Float[i] = x
		whole = whole && x == float64(int64(x)) && x >= -(1<<53) && x <= 1<<53
		narrow = narrow && float64(float32(x)) == x
	}
	switch {
	case l.Int != nil && whole:
		v := convert(out.Float, func(x float64) int64 { return int64(x) })
		dt := l.DType
		if bits := 8 * dt.Size(); dt.Kind() != dtype.KindInt || bits < 64 && slices.ContainsFunc(v, func(x int64) bool { return x != x<<(64-bits)>>(64-bits) }) {
			dt = dtype.Int64
		}
		return &Labels{DType: dt, Shape: l.Shape, Int: v}
	case narrow:
		out.DType = dtype.Float32
	}
	return out
}

// array returns the values in the new units, as labels does.
func (r *rebase) array(a Array) Array {
	if r == nil || !a.DType().IsNumeric() || a.DType() == dtype.Bool {
		return a
	}
	scale, offset := r.from.Rebase(r.to)
	if a.DType().IsInteger() && scale == float64(int64(scale)) && offset == float64(int64(offset)) {
		a = a.AsType(dtype.Int64)
		if scale != 1 {
			a = a.Mul(int64(scale))
		}
		return a.Add(int64(offset))
	}
	a = a.AsType(dtype.Float64)
	if scale != 1 {
		a = a.Mul(scale)
	}
	return a.Add(offset)
}

// coord joins a coordinate, or returns the first file's where it lacks the dimension. The values of bounds are in the
// units of the coordinate they belong to.
func (j *join) coord(name string, of func(*part) *Coord, parent *Coord) (*Coord, error) {
	first := of(j.parts[0])
	axis := slices.Index(first.dims, j.dim)
	if axis < 0 {
		return first, nil
	}
	out := &Coord{name: name, dims: first.dims, attrs: first.attrs}
	hosts := make([]*Labels, len(j.parts))
	arrays := make([]Array, len(j.parts))
	loads := make([]func() (*Labels, error), len(j.parts))
	for i, p := range j.parts {
		c := of(p)
		if c == nil || !slices.Equal(c.dims, first.dims) {
			return nil, errorf("coordinate %q has dimensions %s in %s, not in %s", name, quoted(first.dims), j.parts[0].path, p.path)
		}
		r, err := j.rebase(first.attrs, c.attrs, parent, p, name)
		if err != nil {
			return nil, err
		}
		hosts[i] = r.labels(c.host)
		if hosts[i] == nil {
			arrays[i] = r.array(c.array)
		}
		loads[i] = c.loadThen(r.labels)
	}
	switch {
	case !slices.Contains(hosts, nil):
		var err error
		if out.host, err = concatLabels(axis, hosts); err != nil {
			return nil, errorf("coordinate %q: %w", name, err)
		}
	default:
		if out.array = j.array(name, axis, arrays); out.array.Err() != nil {
			return nil, errorf("coordinate %q: %w", name, out.array.Err())
		}
		out.load = loadAll(axis, loads)
	}
	if first.bounds != nil {
		all := func(p *part) *Coord {
			if c := of(p); c.bounds != nil {
				return c.bounds
			}
			return nil
		}
		if slices.ContainsFunc(j.parts, func(p *part) bool { return all(p) == nil }) {
			out.attrs = out.attrs.Without("bounds", "climatology")
			return out, nil
		}
		var err error
		if out.bounds, err = j.coord(first.bounds.name, all, first); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// rebase is rebaseTo of file p's values; bounds without units have their coordinate's.
func (j *join) rebase(to, from formats.Attrs, parent *Coord, p *part, name string) (*rebase, error) {
	if parent != nil {
		if _, ok := to.Get("units"); !ok {
			to = parent.attrs
			if c := findCoord(p.ds.coords, parent.name); c != nil {
				if _, ok := from.Get("units"); !ok {
					from = c.attrs
				}
			}
		}
	}
	return rebaseTo(to, from, j.parts[0].path, p.path, name)
}

// variable joins a variable, or returns the first file's where it lacks the dimension.
func (j *join) variable(v dataVar, parent *Coord) (dataVar, error) {
	axis := v.axis(j.dim)
	out := v
	arrays := make([]Array, len(j.parts))
	loads := make([]func() (*Labels, error), len(j.parts))
	for i, p := range j.parts {
		w := p.ds.Var(v.name)
		switch {
		case v.Err() != nil || w.Err() != nil:
			if v.Err() == nil {
				out.Variable = v.failed(w.array)
			}
			return out, nil
		case !subset(w.dims, v.dims) || !subset(v.dims, w.dims):
			return out, errorf("variable %q has dimensions %s in %s and %s in %s", v.name, quoted(v.dims), j.parts[0].path, quoted(w.dims), p.path)
		}
		r, err := j.rebase(v.attrs, w.attrs, parent, p, v.name)
		if err != nil {
			return out, err
		}
		if err := j.samePacking(v, w, p); err != nil {
			return out, err
		}
		if !slices.Equal(w.dims, v.dims) {
			w = w.Transpose(v.dims...)
		}
		arrays[i] = r.array(w.array)
		if w.values != nil && w.values.node == w.array.Node() {
			loads[i] = w.values.then(r.labels)
		}
	}
	if axis < 0 || len(j.parts) == 1 {
		return out, nil
	}
	out.array = j.array(v.name, axis, arrays)
	if out.array.Err() != nil {
		return out, errorf("variable %q: %w", v.name, out.array.Err())
	}
	out.values = nil
	if load := loadAll(axis, loads); load != nil {
		out.values = &readable{out.array.Node(), load}
	}
	return out, nil
}

// samePacking checks that raw values of files mean the same.
func (j *join) samePacking(v dataVar, w Variable, p *part) error {
	if !j.opts.raw && !p.raw {
		return nil
	}
	a, _ := cf.Decide(v.DType(), v.attrs)
	b, _ := cf.Decide(w.DType(), w.attrs)
	if !reflect.DeepEqual(a, b) {
		return errorf("variable %q is packed in another way in %s than in %s; join it decoded, without raw", v.name, p.path, j.parts[0].path)
	}
	return nil
}

// then returns a reader of f of the values.
func (r *readable) then(f func(*Labels) *Labels) func() (*Labels, error) {
	return func() (*Labels, error) {
		l, err := r.load()
		if l == nil || err != nil {
			return nil, err
		}
		return f(l), nil
	}
}

// array lays the parts of a variable end to end. Runs of files with one packing are one source, decoded once.
func (j *join) array(name string, axis int, arrays []Array) Array {
	var list []Array
	for i := 0; i < len(arrays); {
		first := j.parts[i].ds.stored[name]
		var sources []formats.Source
		var paths []string
		n := i
		for ; n < len(arrays) && first != nil; n++ {
			s := j.parts[n].ds.stored[name]
			if s == nil || s.src == nil || arrays[n].Node() != s.v.array.Node() || !reflect.DeepEqual(s.coding, first.coding) {
				break
			}
			sources, paths = append(sources, s.src), append(paths, j.parts[n].path)
		}
		if src, ok := joinRun(axis, sources, paths); ok {
			list = append(list, first.decoded(src, j.opts))
		} else {
			n = max(n, i+1)
			list = append(list, arrays[i:n]...)
		}
		i = n
	}
	return Concat(axis, list...)
}

// joinRun is joinSources of at least two.
func joinRun(axis int, sources []formats.Source, paths []string) (formats.Source, bool) {
	if len(sources) < 2 {
		return nil, false
	}
	return joinSources(axis, sources, paths)
}

// decoded returns the array of a source that is packed as s is.
func (s *stored) decoded(src formats.Source, o openOptions) Array {
	a := FromSource(src, s.v.name)
	if o.chunks != nil {
		a = FromSourceOn(src, s.v.name, chunk.Regular(src.Meta().Shape, o.chunks...))
	}
	return FromNode(cf.Decode(a.Node(), s.coding))
}

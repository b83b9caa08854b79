// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// AppendTo writes behind the end of a dimension of an output that is there, of which other readers see the old extent until all of
// the new one is complete. Only Zarr can do it; where nothing is there yet, the output is made.
//
// The variables must agree in dimensions, lengths and dtype with those that are there, whose packing, fill values, chunks and time
// units are kept; everything there that has the dimension must be given, its labels must be new ones, and what lacks the dimension must be
// equal. A variable that lacks the dimension itself is one step of it. Coordinates that the output does not have are left out.
func AppendTo(dim string) WriteOption { return writeOption(func(t *Target) { t.opts.grow = dim }) }

// Region is the part of an output that is there which a target writes, by dimension, in the words of ParseSelection: labels
// ("2001-03:2001-05", "-30:30") or positions ("@10:20"). It is a WriteOption. Dimensions it does not name are written whole.
//
// The rules of AppendTo hold; the labels of the region must be those of what is written. Chunks are replaced one by one: a run that
// is interrupted leaves some of them written. The output must not be what the values are read from.
type Region map[string]string

func (r Region) apply(t *Target) { t.opts.region = maps.Clone(r) }

// changes reports whether the target goes to an output that is there.
func (o *writeOptions) changes() bool { return o.grow != "" || o.region != nil }

// updating is an output that is there, open, and what will be written to it.
type updating struct {
	ctx    context.Context
	uri    string
	root   *formats.Group
	grow   string // the dimension to append along, "" for none
	region Region
	memory int64 // for labels
	raw    bool  // what is written is as stored
	spans  map[string]span
	parts  []formats.Part
	jobs   []updateJob
}

// span is a run of positions.
type span struct {
	lo, hi int64
	one    bool // of a single label
}

// updateJob is an array that is written to parts[part], or compared with what is there where part is -1.
type updateJob struct {
	name  string
	array Array
	part  int
	at    chunk.Region
	src   formats.Source
	pack  *packing
}

// role is what a variable that is written is to the others.
type role uint8

const (
	isData role = iota
	isCoordinate
	isGridMapping
)

// openUpdate opens the output that is to be changed; nil where nothing is there that could be appended to.
func openUpdate(ctx context.Context, uri, grow string, region Region, memory int64) (*updating, error) {
	if grow != "" && region != nil {
		return nil, fmt.Errorf("ndarray: write %s: it is either appended to or a region of it is written, not both", uri)
	}
	there, err := all.Updatable(ctx, uri)
	if err != nil {
		return nil, err
	}
	if !there && grow != "" {
		return nil, nil
	}
	g, err := all.Open(ctx, uri)
	if err != nil {
		return nil, err
	}
	if memory <= 0 {
		memory = defaultBudget
	}
	dims := allDims(g, nil)
	for d := range region {
		err = errors.Join(err, knownDim(uri, dims, d))
	}
	if grow != "" {
		err = knownDim(uri, dims, grow)
	}
	if err != nil {
		return nil, errors.Join(err, closeGroup(g))
	}
	return &updating{ctx: ctx, uri: uri, root: g, grow: grow, region: region, memory: memory, spans: map[string]span{}}, nil
}

// knownDim refuses a dimension that an output does not have. One without any names takes those of what is written.
func knownDim(uri string, dims []string, dim string) error {
	if len(dims) == 0 || slices.Contains(dims, dim) {
		return nil
	}
	return fmt.Errorf("ndarray: write to %s: it has no dimension %q; it has %s: %w", uri, dim, quoted(dims), chunk.ErrShape)
}

func (u *updating) errorf(format string, args ...any) error {
	return fmt.Errorf("ndarray: write to %s: %w", u.uri, fmt.Errorf(format, args...))
}

// find returns the group and the variable at a path; the variable is nil where there is none.
func (u *updating) find(name string) (g *formats.Group, at string, v *formats.Var) {
	parts := strings.Split(name, "/")
	g = u.root
	for len(parts) > 1 {
		sub := subGroup(g, parts[0])
		if sub == nil {
			return g, at, nil
		}
		g, at, parts = sub, joinPath(at, parts[0]), parts[1:]
	}
	return g, at, groupVar(g, parts[0])
}

// along returns the positions of a dimension of the group at a path that n positions of a variable go to. own is the length the
// variable's array has.
func (u *updating) along(g *formats.Group, at, dim, name string, own, n int64) (span, error) {
	if dim == u.grow {
		for _, v := range g.Vars {
			if i := slices.Index(v.Dims, dim); i >= 0 && v.Source != nil && v.Source.Meta().Shape[i] != own {
				return span{}, u.errorf("dimension %q has length %d in %q and %d in %q: an append was interrupted between two arrays, or they were written apart; make them agree first: %w",
					dim, own, name, v.Source.Meta().Shape[i], v.Name, chunk.ErrShape)
			}
		}
		return span{lo: own, hi: own + n}, nil
	}
	what, ok := u.region[dim]
	if !ok {
		if own != n {
			return span{}, u.errorf("dimension %q of %q has length %d there, got %d; select the part that fits, or name the region it goes to: %w", dim, name, own, n, chunk.ErrShape)
		}
		return span{hi: n}, nil
	}
	s, ok := u.spans[at+"\x00"+dim]
	if !ok {
		var err error
		if s, err = u.resolve(g, at, dim, what, own); err != nil {
			return s, err
		}
		u.spans[at+"\x00"+dim] = s
	}
	if s.hi-s.lo != n {
		return s, u.errorf("region %s=%s is positions %d to %d of %q: %d of them, got %d of %q: %w", dim, what, s.lo, s.hi-1, dim, s.hi-s.lo, n, name, chunk.ErrShape)
	}
	return s, nil
}

// resolve finds the positions that a region's words mean.
func (u *updating) resolve(g *formats.Group, at, dim, what string, n int64) (span, error) {
	sel, err := ParseSelection(dim + "=" + what)
	if err != nil {
		return span{}, err
	}
	c := &copier{ctx: u.ctx, root: u.root, opts: CopyOptions{Memory: u.memory}}
	if groupVar(g, dim) == nil && !sel.places {
		return span{}, u.errorf("region %q: %q has no labels there; give positions: %s=@%s", sel, dim, dim, what)
	}
	ids, one, err := c.resolve(sel, &scopeDim{Dim: formats.Dim{Name: dim, Size: n}}, at)
	if err != nil {
		return span{}, u.errorf("region %q: %w", sel, err)
	}
	for i := range ids {
		if ids[i] != ids[0]+int64(i) {
			return span{}, u.errorf("region %q: its positions are not one behind the other; write a region for each run of them", sel)
		}
	}
	if len(ids) == 0 {
		return span{}, u.errorf("region %q takes nothing of %d positions: %w", sel, n, chunk.ErrShape)
	}
	return span{ids[0], ids[len(ids)-1] + 1, one}, nil
}

// put lays out one variable. labels reads its values where they are labels, nil where nobody can.
func (u *updating) put(s formats.VarSpec, a Array, labels func() (*Labels, error), r role) error {
	g, at, v := u.find(s.Name)
	if v == nil {
		if r != isData {
			return nil
		}
		return u.errorf("there is no variable %q; it has %s; rename what is written, or leave it out: %w", s.Name, quoted(groupNames(g)), fs.ErrNotExist)
	}
	if v.Err != nil {
		return u.errorf("variable %q: %w", s.Name, v.Err)
	}
	m := v.Source.Meta()
	a, dims, err := u.axes(s, a, v, m)
	if err != nil {
		return err
	}
	box := chunk.Region{Lo: make(chunk.Shape, len(dims)), Hi: make(chunk.Shape, len(dims))}
	touched := false
	for i, d := range dims {
		sp, err := u.along(g, at, d, s.Name, m.Shape[i], a.Shape()[i])
		if err != nil {
			return err
		}
		box.Lo[i], box.Hi[i] = sp.lo, sp.hi
		_, named := u.region[d]
		touched = touched || named || d == u.grow
	}
	if r == isGridMapping && !touched {
		return nil // its value means nothing
	}
	a, pack, err := u.fit(g, v, s, a, labels)
	if err != nil {
		return err
	}
	job := updateJob{name: s.Name, array: a, part: -1, at: box, src: v.Source, pack: pack}
	label := len(dims) == 1 && dims[0] == v.Name
	if label && dims[0] == u.grow {
		if err := u.newLabels(v, a, labels); err != nil {
			return err
		}
	}
	if touched && !(label && u.region != nil) {
		job.part = len(u.parts)
		u.parts = append(u.parts, formats.Part{Name: s.Name, At: box, Old: m.Shape})
	} else if len(dims) <= 1 && pack == nil && a.Size() <= maxHost {
		// what can be compared now is, before anything is written
		if fresh, err := labelsOf(a, nil); err != nil || fresh != nil {
			return errors.Join(err, u.compare(&job, box, nil, fresh))
		}
	}
	u.jobs = append(u.jobs, job)
	return nil
}

// axes returns the array with the axes that the variable has there, and their names.
func (u *updating) axes(s formats.VarSpec, a Array, v *formats.Var, m *formats.ArrayMeta) (Array, []string, error) {
	given, dims := slices.Clone(s.Dims), slices.Clone(v.Dims)
	for i := range dims {
		if dims[i] == "" {
			dims[i] = fmt.Sprintf("dim_%d", i)
		}
	}
	switch {
	case dims == nil && len(given) == len(m.Shape):
		dims = given // they have no names there
	case dims == nil:
		for i := range m.Shape {
			dims = append(dims, fmt.Sprintf("dim_%d", i))
		}
	}
	if given == nil && a.Rank() == len(dims) {
		given = dims
	}
	for i, d := range dims {
		_, named := u.region[d]
		if (d == u.grow || named) && !slices.Contains(given, d) && i <= len(given) {
			a, given = a.ExpandDims(i), slices.Insert(slices.Clone(given), i, d)
		}
	}
	if !slices.Equal(given, dims) {
		return a, nil, u.errorf("variable %q has dimensions %s there, got %s; transpose or select what is written: %w", s.Name, quoted(dims), quoted(s.Dims), chunk.ErrShape)
	}
	return a, dims, a.Err()
}

// newLabels refuses labels that are there already: the same data appended twice.
func (u *updating) newLabels(v *formats.Var, a Array, labels func() (*Labels, error)) error {
	there := (&reader{ctx: u.ctx, root: u.root, chain: []*formats.Group{u.root}}).variable(v)
	if there.tooLong() != nil {
		return nil
	}
	old, err := there.load(u.ctx)
	if err != nil || old == nil {
		return err
	}
	fresh, err := labelsOf(a, labels)
	if fresh == nil || err != nil {
		return err
	}
	seen := make(map[any]bool, old.Len())
	for i := range old.Len() {
		seen[old.key(i)] = true
	}
	for i := range fresh.Len() {
		if !seen[fresh.key(i)] {
			continue
		}
		c := newCoord(v.Name, v.Dims, there.v.attrs, fresh)
		return u.errorf("label %s of %q is there already: appended twice? Its labels end at %s; to replace values write their region: --region '%s=%s'",
			c.text(i), v.Name, newCoord(v.Name, v.Dims, there.v.attrs, old).text(old.Len()-1), v.Name, "FROM:TO")
	}
	return nil
}

// labelsOf returns the values of what will be stored: of host memory, or of a file.
func labelsOf(a Array, labels func() (*Labels, error)) (*Labels, error) {
	if vals, err := a.hostRead(); vals != nil || err != nil {
		return constLabels(vals, a.DType(), a.Shape()), err
	}
	if labels == nil {
		return nil, nil
	}
	return labels()
}

// complete refuses an append after which variables would disagree about the length of the dimension.
func (u *updating) complete() error {
	if u.grow == "" {
		for d := range u.region {
			if !slices.ContainsFunc(u.parts, func(p formats.Part) bool { return u.has(p.Name, d) }) {
				return u.errorf("region: no variable that is written has dimension %q there: %w", d, chunk.ErrShape)
			}
		}
		return nil
	}
	if len(u.parts) == 0 {
		return u.errorf("no variable that is written has dimension %q there: %w", u.grow, chunk.ErrShape)
	}
	for _, p := range u.parts {
		g, at, _ := u.find(p.Name)
		for _, v := range g.Vars {
			path := joinPath(at, v.Name)
			if slices.Contains(v.Dims, u.grow) && !slices.ContainsFunc(u.parts, func(p formats.Part) bool { return p.Name == path }) {
				return u.errorf("variable %q has dimension %q too and is not among what is appended; append it in the same run", path, u.grow)
			}
		}
	}
	return nil
}

func (u *updating) has(name, dim string) bool {
	_, _, v := u.find(name)
	return v != nil && (v.Dims == nil || slices.Contains(v.Dims, dim))
}

// open starts writing.
func (u *updating) open() (formats.Writer, []Output, error) {
	if err := u.complete(); err != nil {
		return nil, nil, err
	}
	w, err := all.Update(u.ctx, u.uri, u.parts)
	if err != nil {
		return nil, nil, err
	}
	var outs []Output
	for _, j := range u.jobs {
		o := Output{Array: j.array, Name: j.name, To: &sameSink{u: u, job: j, grid: j.grid()}}
		if j.part >= 0 {
			if o.To = w.Sink(j.part); j.pack != nil {
				o.To = &packSink{Sink: w.Sink(j.part), job: j}
			}
		}
		outs = append(outs, o)
	}
	return &updateWriter{Writer: w, u: u}, outs, nil
}

func (u *updating) close() error {
	return closeGroup(u.root)
}

func closeGroup(g *formats.Group) error {
	if g.Close == nil {
		return nil
	}
	return g.Close()
}

// updateWriter closes what is compared with, too.
type updateWriter struct {
	formats.Writer
	u *updating
}

func (w *updateWriter) Commit(ctx context.Context) error {
	return errors.Join(w.Writer.Commit(ctx), w.u.close())
}

func (w *updateWriter) Abort() error { return errors.Join(w.Writer.Abort(), w.u.close()) }

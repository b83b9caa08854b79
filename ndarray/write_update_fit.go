// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"bytes"
	"context"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// packing stores decoded values, float64, as the output that is there stores them.
type packing struct{ coding cf.Coding }

// fit makes an array of what the variable that is there holds: in its units of time, of its dtype, or of float64 that are
// packed as they are written.
func (u *updating) fit(g *formats.Group, v *formats.Var, s formats.VarSpec, a Array, labels func() (*Labels, error)) (Array, *packing, error) {
	m := v.Source.Meta()
	there := (&reader{ctx: u.ctx, root: u.root, chain: []*formats.Group{g}}).variable(v)
	c := there.coding
	shape := a.Shape()
	r, err := u.rebase(g, v, s)
	if err != nil {
		return a, nil, err
	}
	if r != nil {
		if u.raw && !c.IsPlain() {
			return a, nil, u.errorf("the units of %q differ and it is packed; append it with eval, which unpacks it", s.Name)
		}
		l, err := labelsOf(a, labels)
		if err != nil {
			return a, nil, err
		}
		if l == nil {
			return a, nil, u.errorf("the units of %q differ there, and its values are known after a run only; give it those units first", s.Name)
		}
		if err := r.afterReform(l, s.Name); err != nil {
			return a, nil, u.errorf("%w", err)
		}
		a = r.labels(l).Array().Reshape(shape...)
	}
	label := len(v.Dims) == 1 && v.Dims[0] == v.Name
	if (r != nil || label) && a.DType() != c.Decoded && a.DType().IsNumeric() && c.Decoded.IsNumeric() {
		l, err := labelsOf(a, labels)
		if err != nil {
			return a, nil, err
		}
		if l != nil {
			for i := range l.Len() {
				if !fits(l, i, c.Decoded) {
					return a, nil, u.errorf("value %s of %q does not fit %v, as it is stored there in its units; append to an output with finer ones", l.Text(i), s.Name, c.Decoded)
				}
			}
			a = a.AsType(c.Decoded)
		}
	}
	return u.store(s, a, m, c, there)
}

// rebase returns how the times of a variable become those there; nil where they are alike.
func (u *updating) rebase(g *formats.Group, v *formats.Var, s formats.VarSpec) (*rebase, error) {
	to := v.Attrs
	if _, ok := to.Get("units"); !ok {
		for _, p := range g.Vars {
			if boundsOf(p.Attrs) == v.Name {
				to = p.Attrs // bounds are in the units of their coordinate
			}
		}
	}
	tu, hasTo := to.Get("units")
	fu, hasFrom := s.Attrs.Get("units")
	text, _ := tu.(string)
	if hasTo != hasFrom && !cf.IsTimeUnits(text) || !hasTo && !hasFrom || fmt.Sprint(tu) == fmt.Sprint(fu) && !cf.IsTimeUnits(text) {
		return nil, nil
	}
	if r := gregorian(to, s.Attrs); r != nil {
		return r, nil
	}
	return rebaseTo(to, s.Attrs, u.uri, "what is written", s.Name)
}

// gregorian returns how times of the standard calendar become those of the proleptic Gregorian one, or the other way round: they are the same
// moments from 1582-10-15 on. nil for other calendars.
func gregorian(to, from formats.Attrs) *rebase {
	units := func(attrs formats.Attrs) *cf.Units {
		text, _ := attrs.Get("units")
		calendar, _ := attrs.Get("calendar")
		t, _ := text.(string)
		c, _ := calendar.(string)
		u, err := cf.ParseUnits(t, c)
		if err != nil || u.Calendar != cf.Standard && u.Calendar != cf.ProlepticGregorian {
			return nil
		}
		return u
	}
	u, w := units(to), units(from)
	if u == nil || w == nil || u.Calendar == w.Calendar {
		return nil
	}
	return &rebase{from: w, to: u}
}

// afterReform refuses times that two calendars do not have in common.
func (r *rebase) afterReform(l *Labels, name string) error {
	if r.from.Calendar == r.to.Calendar {
		return nil
	}
	first, err := cf.Standard.Days(1582, 10, 15)
	if err != nil {
		return err
	}
	for i := range l.Len() {
		if t, ok := l.instant(r.from, i); ok && t.Day < first {
			return fmt.Errorf("the calendar of %q is %v there, got %v, and value %d is a date before 1582-10-15, where they differ", name, r.to.Calendar, r.from.Calendar, i)
		}
	}
	return nil
}

// fits reports whether value i has exactly the same value in dtype d.
func fits(l *Labels, i int, d dtype.DType) bool {
	x := l.Number(i)
	switch {
	case d == dtype.Float32:
		return math.IsNaN(x) || float64(float32(x)) == x
	case d.IsFloat():
		return d == dtype.Float64
	case d.Size() == 8 && l.Int != nil:
		return d.Kind() == l.DType.Kind() || l.Int[i] >= 0
	}
	return x == math.Trunc(x) && x >= lowest(d) && x <= highest(d) && math.Abs(x) <= 1<<53
}

// store decides how values become stored ones.
func (u *updating) store(s formats.VarSpec, a Array, m *formats.ArrayMeta, c cf.Coding, there *stored) (Array, *packing, error) {
	got, want := formats.TypeText(s.Stored, a.DType()), formats.TypeText(m.Stored, m.DType)
	differ := func(what string) (Array, *packing, error) {
		return a, nil, u.errorf("variable %q is %s there, got %s; %s: %w", s.Name, want, got, what, chunk.ErrShape)
	}
	moment := func(x any) bool { t, ok := x.(string); return ok && isMoment(t) }
	if a.DType() == dtype.Raw || m.DType == dtype.Raw || moment(m.Stored) || moment(s.Stored) {
		if got != want || a.DType() != m.DType || a.DType() == dtype.Raw && a.Node().ItemBytes != m.ItemBytes {
			return differ("such values are copied as they are stored, by convert, from a variable of the same type")
		}
		return a, nil, nil
	}
	if u.raw {
		from, _ := cf.Decide(a.DType(), s.Attrs)
		switch {
		case a.DType() != m.DType:
			return differ("append it with eval, which packs values as they are there, or convert it with astype")
		case !from.Same(c):
			return a, nil, u.errorf("variable %q is packed as %v there, got %v; append it with eval, which packs values as they are there", s.Name, c, from)
		}
		return a, nil, nil
	}
	switch {
	case c.Bool && a.DType() == dtype.Bool:
		return a.AsType(m.DType), nil, nil
	case c.IsPlain() || !a.DType().IsNumeric() || a.DType().IsComplex() || !c.Stored.IsNumeric():
		if a.DType() != m.DType {
			return differ(fmt.Sprintf("convert it with astype('%v')", m.DType))
		}
		return a, nil, nil
	case c.Stored.IsFloat() && c.Stored.Size() == 2:
		return differ("packed half floats are not written")
	}
	return a.AsType(dtype.Float64), &packing{c}, nil
}

// encode packs a chunk of decoded values. at is where it lies in the array.
func (j *updateJob) encode(c *chunk.Chunk, at chunk.Region) (*chunk.Chunk, error) {
	m := j.src.Meta()
	dense := c
	if !c.Contiguous() {
		dense = hostChunk(dtype.Float64, 0, c.Shape)
		formats.CopyElems(dense, c)
	}
	out := hostChunk(m.DType, m.ItemBytes, c.Shape)
	values := chunk.Slice[float64](dense)
	i := j.pack.coding.Encode(out.Block.Bytes(), values)
	if i < 0 {
		return out, nil
	}
	where := placeOf(c.Shape, i, at.Lo)
	if math.IsNaN(values[i]) {
		return nil, fmt.Errorf("ndarray: write %q: element %v is missing, and the variable has no _FillValue that says so; it is stored as %v", j.name, where, j.pack.coding)
	}
	return nil, fmt.Errorf("ndarray: write %q: element %v is %v, which does not fit %v, as the variable is stored there; write a new output", j.name, where, values[i], j.pack.coding)
}

// placeOf returns the indices of element i of a C-ordered shape that begins at origin.
func placeOf(shape chunk.Shape, i int, origin chunk.Shape) chunk.Shape {
	out := make(chunk.Shape, len(shape))
	rest := int64(i)
	for k := len(shape) - 1; k >= 0; k-- {
		out[k] = rest%shape[k] + origin[k]
		rest /= shape[k]
	}
	return out
}

// packSink packs what it is given, and has it written.
type packSink struct {
	formats.Sink
	job updateJob
}

// WriteChunk implements formats.Sink.
func (s *packSink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	at := formats.Shift(s.Grid().Region(k), negated(s.job.at.Lo))
	packed, err := s.job.encode(c, at)
	if err != nil {
		return 0, err
	}
	return s.Sink.WriteChunk(ctx, k, packed)
}

// ScratchBytes implements formats.Sink.
func (s *packSink) ScratchBytes() int64 { return s.Sink.ScratchBytes() + 16*s.Grid().MaxChunk().Size() }

func negated(s chunk.Shape) chunk.Shape {
	out := s.Clone()
	for i := range out {
		out[i] = -out[i]
	}
	return out
}

// sameSink compares what it is given with what is there.
type sameSink struct {
	u    *updating
	job  updateJob
	grid chunk.Grid
}

// grid cuts the region as the array there is cut.
func (j *updateJob) grid() chunk.Grid {
	g := j.src.Meta().Grid
	if j.at.Shape().Equal(g.Shape) {
		return g
	}
	steps := make([]int64, len(g.Shape))
	for i := range steps {
		steps[i] = max(g.Axes[i].Max(), 1)
	}
	return chunk.Regular(j.at.Shape(), steps...)
}

// Grid implements formats.Sink.
func (s *sameSink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *sameSink) ScratchBytes() int64 {
	return s.job.src.ScratchBytes() + 64*s.grid.MaxChunk().Size()*int64(max(1, s.job.src.Meta().ItemBytes/8))
}

// WriteChunk implements formats.Sink.
func (s *sameSink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	j := &s.job
	at := formats.Shift(s.grid.Region(k), negated(j.at.Lo))
	if at.Empty() {
		return 0, nil
	}
	fresh := c
	if j.pack != nil {
		var err error
		if fresh, err = j.encode(c, at); err != nil {
			return 0, err
		}
	} else if !c.Contiguous() || c.Offset != 0 {
		fresh = hostChunk(c.DType, int(c.ItemBytes), c.Shape)
		formats.CopyElems(fresh, c)
	}
	b, ok := chunkLabels(fresh)
	if !ok || fresh.DType == dtype.Raw {
		b = nil
	}
	return 0, s.u.compare(j, at, fresh, b)
}

// compare finds the first difference between what is in a region there and what is written, as labels where they are any.
func (u *updating) compare(j *updateJob, at chunk.Region, fresh *chunk.Chunk, labels *Labels) error {
	old, err := Read(u.ctx, j.src, at)
	if err != nil {
		return fmt.Errorf("ndarray: compare %q: %w", j.name, err)
	}
	advice := "what does not have the written dimension must be equal"
	if u.region != nil && !at.Shape().Equal(j.src.Meta().Shape) {
		advice = "the labels of a region must be those of what is written"
	}
	there, _ := chunkLabels(old)
	if labels == nil || there == nil {
		if !bytes.Equal(old.Bytes(), fresh.Bytes()) {
			return u.errorf("variable %q differs in region %v; %s", j.name, at, advice)
		}
		return nil
	}
	i := firstDifference(there, labels)
	if i < 0 {
		return nil
	}
	return u.errorf("%q at %v is %s there, got %s; %s", j.name, placeOf(at.Shape(), i, at.Lo), there.Text(i), labels.Text(i), advice)
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/aside"
)

// OME is the row of OME-Zarr outputs: an image with its pyramid, and label images over it. What is written is read by Format.
var OME = formats.Format{
	Name:       "ome-zarr",
	Extensions: []string{".ome.zarr"},
	Create:     CreateOME,
}

// omeLeast is the height and width at which a pyramid ends; omeSide and omeDepth are the sides of chunks nobody asked for.
const (
	omeLeast = 256
	omeSide  = 512
	omeDepth = 16
)

// omeWriter makes an image and its labels: a formats.Writer around that of the hierarchy.
type omeWriter struct {
	*writer
	version string // of OME-Zarr
	spec    formats.Spec
	images  []*omeImage
	coords  map[string]*aside.Var
	sinks   []formats.Sink
}

// omeImage is the image or one of its labels.
type omeImage struct {
	name   string
	path   string // of its group: "" or labels/NAME
	spec   formats.VarSpec
	axes   []Axis
	levels []chunk.Shape
	first  int // the index of its largest level in the hierarchy
	labels bool
}

// CreateOME starts an OME-Zarr hierarchy at path: of version 0.5 in Zarr 3, or in Zarr 2 where spec.Format is "ome-zarr-0.4".
//
// The first variable of two to five dimensions is the image; the others of that kind are integer label images of its height and width,
// below labels by their names. Levels halve height and width (the last two axes) until neither exceeds 256: means for the image, unless it
// has flags, the first of four for labels. Evenly spaced coordinates become scale and translation, their units the axes'; without them
// the attributes scale, translation and axis_units do. A data set that has groups already is written as it is.
func CreateOME(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	version := "0.5"
	switch spec.Format {
	case "", "ome-zarr", "ome-zarr-0.5", "zarr3":
		spec.Format = "zarr3"
	case "ome-zarr-0.4", "zarr2":
		version, spec.Format = "0.4", "zarr2"
	default:
		return nil, fmt.Errorf("formats/zarr: create %s: format %q: want ome-zarr-0.4 or ome-zarr-0.5: %w", path, spec.Format, formats.ErrFormat)
	}
	if len(spec.Groups) > 0 || slices.ContainsFunc(spec.Vars, func(v formats.VarSpec) bool { return strings.Contains(v.Name, "/") }) || has(spec.Attrs, "ome", "multiscales", "plate") {
		return Create(ctx, path, spec)
	}
	w := &omeWriter{version: version, spec: spec, coords: map[string]*aside.Var{}}
	if err := w.plan(); err != nil {
		return nil, fmt.Errorf("formats/zarr: create %s: %w", path, err)
	}
	inner, err := Create(ctx, path, w.hierarchy())
	if err != nil {
		return nil, err
	}
	w.writer = inner.(*writer)
	for _, v := range spec.Vars {
		k := slices.IndexFunc(w.images, func(m *omeImage) bool { return m.name == v.Name })
		if k < 0 {
			w.sinks = append(w.sinks, w.coords[v.Name])
			continue
		}
		w.sinks = append(w.sinks, w.writer.sinks[w.images[k].first])
	}
	if w.version == "0.4" {
		for _, s := range w.writer.sinks { // the specification wants folders
			s.keys = keyEncoding{"", "/"}
		}
	}
	return w, nil
}

func has(attrs formats.Attrs, names ...string) bool {
	return slices.ContainsFunc(attrs, func(a formats.Attr) bool { return slices.Contains(names, a.Name) })
}

// plan finds images, labels and coordinates.
func (w *omeWriter) plan() error {
	helper := map[string]bool{}
	for _, v := range w.spec.Vars {
		for _, name := range []string{"bounds", "climatology", "coordinates", "grid_mapping"} {
			if t, ok := v.Attrs.Get(name); ok {
				for n := range strings.FieldsSeq(fmt.Sprint(t)) {
					helper[n] = true
				}
			}
		}
	}
	for i := range w.spec.Vars {
		v := &w.spec.Vars[i]
		if len(v.Shape) < 2 || helper[v.Name] {
			c, err := aside.New(v)
			if err != nil {
				return err
			}
			w.coords[v.Name] = c
			continue
		}
		m := &omeImage{name: v.Name, spec: *v}
		var err error
		if m.axes, err = omeAxes(v); err != nil {
			return fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if len(w.images) > 0 {
			im, n, k := w.images[0], len(v.Shape), len(w.images[0].spec.Shape)
			if !v.DType.IsInteger() || !v.Shape[n-2:].Equal(im.spec.Shape[k-2:]) {
				return fmt.Errorf("variable %s: beside the image %s there are labels, which are integers of its height and width %v; got %v %v: %w",
					v.Name, im.name, im.spec.Shape[k-2:], v.DType, v.Shape, formats.ErrFormat)
			}
			m.labels, m.path = true, "labels/"+v.Name
		}
		for h, wide := v.Shape[len(v.Shape)-2], v.Shape[len(v.Shape)-1]; ; h, wide = (h+1)/2, (wide+1)/2 {
			s := v.Shape.Clone()
			s[len(s)-2], s[len(s)-1] = h, wide
			m.levels = append(m.levels, s)
			if max(h, wide) <= omeLeast {
				break
			}
		}
		w.images = append(w.images, m)
	}
	if len(w.images) == 0 {
		return fmt.Errorf("no variable has the two to five dimensions of an image: %w", formats.ErrFormat)
	}
	return nil
}

// axisTypes are the types of axes by common names of dimensions; others are space.
var axisTypes = map[string]string{"t": "time", "time": "time", "c": "channel", "channel": "channel", "channels": "channel", "band": "channel", "s": "channel"}

// omeAxes names an image's axes. The specification has time first, then channels, then two or three axes of space.
func omeAxes(v *formats.VarSpec) ([]Axis, error) {
	n := len(v.Shape)
	if n > 5 || v.Shape.Size() == 0 {
		return nil, fmt.Errorf("shape %v: an image has two to five axes, none empty; select or write .zarr: %w", v.Shape, formats.ErrFormat)
	}
	names := v.Dims
	if names == nil {
		names = strings.Split("tczyx", "")[5-n:]
	}
	rank := map[string]int{"time": 0, "channel": 1, "space": 2}
	out := make([]Axis, n)
	seen := map[string]int{}
	for i, name := range names {
		t := axisTypes[name]
		if t == "" || i >= n-2 {
			t = "space"
		}
		seen[t]++
		out[i] = Axis{Name: name, Type: t}
		if i > 0 && rank[out[i-1].Type] > rank[t] || seen["time"] > 1 || seen["channel"] > 1 || seen["space"] > 3 {
			return nil, fmt.Errorf("dimensions %v: an image has time, then channels, then at most three axes of space; transpose, select, or write .zarr: %w", names, formats.ErrFormat)
		}
	}
	return out, nil
}

// grid returns the chunks of a level: those asked for, else squares of planes.
func (m *omeImage) grid(level int) *chunk.Grid {
	shape := m.levels[level]
	n := len(shape)
	steps := make([]int64, n)
	for i := range steps {
		steps[i] = 1
		switch {
		case m.spec.Grid != nil:
			steps[i] = m.spec.Grid.Axes[i].Max()
		case i >= n-2:
			steps[i] = omeSide
		case m.axes[i].Type == "space":
			steps[i] = omeDepth
		}
		steps[i] = max(1, min(steps[i], shape[i]))
	}
	g := chunk.Regular(shape, steps...)
	return &g
}

// hierarchy returns the specification of all arrays and groups, as far as it is known.
func (w *omeWriter) hierarchy() formats.Spec {
	spec := formats.Spec{Overwrite: w.spec.Overwrite, Format: w.spec.Format}
	spec.Attrs = append(slices.Clone(w.spec.Attrs.Without("ome", "multiscales")), w.images[0].described(w, nil)...)
	var labels []any
	var groups []formats.GroupSpec
	for _, m := range w.images {
		if m.labels {
			labels = append(labels, m.name)
			source := object{{"source", object{{"image", "../../"}}}}
			groups = append(groups, formats.GroupSpec{Path: m.path, Attrs: m.described(w, source)})
		}
		m.first = len(spec.Vars)
		for l, shape := range m.levels {
			v := m.spec
			v.Name, v.Shape, v.Grid, v.Shards = join(m.path, fmt.Sprint(l)), shape, m.grid(l), nil
			v.Dims = make([]string, len(m.axes))
			for i, a := range m.axes {
				v.Dims[i] = a.Name
			}
			v.Attrs = v.Attrs.Without("coordinates", "grid_mapping", "scale", "translation", "axis_units")
			if l == 0 {
				v.Shards = m.spec.Shards
			}
			spec.Vars = append(spec.Vars, v)
		}
	}
	if labels != nil {
		spec.Groups = append(spec.Groups, formats.GroupSpec{Path: "labels", Attrs: w.wrap(object{{"labels", labels}})})
		spec.Groups = append(spec.Groups, groups...)
	}
	return spec
}

// wrap puts OME-Zarr's members where the version has them.
func (w *omeWriter) wrap(o object) formats.Attrs {
	if w.version == "0.5" {
		return formats.Attrs{{Name: "ome", Value: append(object{{"version", w.version}}, o...)}}
	}
	var out formats.Attrs
	for _, m := range o {
		out = append(out, formats.Attr{Name: m.name, Value: m.value})
	}
	return out
}

// described returns the attributes of an image's group; labels also say what they belong to.
func (m *omeImage) described(w *omeWriter, labels object) formats.Attrs {
	scale, move, units := w.spacing(m)
	var axes, sets []any
	for i, a := range m.axes {
		o := object{{"name", a.Name}, {"type", a.Type}}
		if units[i] != "" {
			o = append(o, member{"unit", units[i]})
		}
		axes = append(axes, o)
	}
	n := len(m.axes)
	for l := range m.levels {
		f := math.Ldexp(1, l)
		s, t := slices.Clone(scale), slices.Clone(move)
		moved := false
		for i := range s {
			if i >= n-2 { // a pixel of a reduced level lies amid those it stands for
				t[i] += s[i] * (f - 1) / 2
				s[i] *= f
			}
			moved = moved || t[i] != 0
		}
		list := []any{object{{"type", "scale"}, {"scale", s}}}
		if moved {
			list = append(list, object{{"type", "translation"}, {"translation", t}})
		}
		sets = append(sets, object{{"path", fmt.Sprint(l)}, {"coordinateTransformations", list}})
	}
	kind := "mean"
	if m.nearest() {
		kind = "nearest"
	}
	o := object{{"name", m.name}, {"axes", axes}, {"datasets", sets}, {"type", kind}}
	if w.version == "0.4" {
		o = append(object{{"version", w.version}}, o...)
	}
	out := object{{"multiscales", []any{o}}}
	if labels != nil {
		if w.version == "0.4" {
			labels = append(object{{"version", w.version}}, labels...)
		}
		out = append(out, member{"image-label", labels})
	}
	return w.wrap(out)
}

// nearest reports whether levels keep one of four pixels.
func (m *omeImage) nearest() bool {
	b, _ := m.spec.Attrs.Get("dtype")
	return m.labels || b == "bool" || has(m.spec.Attrs, "flag_values", "flag_masks")
}

// omeUnits are OME-Zarr's names of units by what else they are called.
var omeUnits = map[string]string{"nm": "nanometer", "um": "micrometer", "µm": "micrometer", "μm": "micrometer", "micron": "micrometer", "mm": "millimeter",
	"cm": "centimeter", "m": "meter", "km": "kilometer", "s": "second", "ms": "millisecond", "us": "microsecond", "min": "minute", "h": "hour", "d": "day"}

func omeUnit(text any) string {
	s, _ := text.(string)
	for short, long := range omeUnits {
		if s == short || s == long || s == long+"s" || strings.ReplaceAll(s, "metre", "meter") == long {
			return long
		}
	}
	return ""
}

// spacing returns where the pixels of the largest level lie.
func (w *omeWriter) spacing(m *omeImage) (scale, move []float64, units []string) {
	n := len(m.axes)
	scale, move, units = make([]float64, n), make([]float64, n), make([]string, n)
	list := func(name string) []float64 {
		v, _ := m.spec.Attrs.Get(name)
		if f, ok := v.([]float64); ok && len(f) == n {
			return f
		}
		if l, ok := v.([]any); ok {
			if f, ok := floats(l, n); ok {
				return f
			}
		}
		return nil
	}
	s, t := list("scale"), list("translation")
	u, _ := m.spec.Attrs.Get("axis_units")
	texts, _ := u.([]string)
	for i, a := range m.axes {
		scale[i] = 1
		if s != nil && s[i] > 0 {
			scale[i] = s[i]
		}
		if t != nil {
			move[i] = t[i]
		}
		if len(texts) == n {
			units[i] = texts[i]
		}
		c := w.coords[a.Name]
		if c == nil {
			continue
		}
		if first, step, ok := c.Even(); ok && step > 0 { // a scale is positive
			scale[i], move[i] = step, first
			text, _ := c.Spec.Attrs.Get("units")
			units[i] = omeUnit(text)
		}
	}
	return scale, move, units
}

// Sink implements formats.Writer.
func (w *omeWriter) Sink(i int) formats.Sink { return w.sinks[i] }

// Commit implements formats.Writer: it makes the smaller levels and says where the pixels lie.
func (w *omeWriter) Commit(ctx context.Context) error {
	if w.done.Load() {
		return w.writer.Commit(ctx)
	}
	err := w.describe(ctx)
	if err == nil {
		err = w.pyramids(ctx)
	}
	if err != nil {
		w.Abort()
		return fmt.Errorf("formats/zarr: commit %s: %w", w.name, err)
	}
	return w.writer.Commit(ctx)
}

// describe writes the documents again, with what the coordinates say.
func (w *omeWriter) describe(ctx context.Context) error {
	version := 3
	if w.version == "0.4" {
		version = 2
	}
	docs, err := (&writer{}).documents(w.hierarchy(), version)
	if err != nil {
		return err
	}
	for _, d := range docs {
		o, _ := d.value.(object)
		if strings.HasSuffix(d.name, "/.zarray") {
			for i := range o {
				if o[i].name == "dimension_separator" { // the copy in .zmetadata is the same object
					o[i].value = "/"
				}
			}
		}
	}
	w.docs = docs
	return w.putDocuments(ctx)
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// Multiscale is an image of OME-Zarr 0.4 or 0.5: the same picture in several sizes.
type Multiscale struct {
	Name    string
	Version string
	Axes    []Axis
	Levels  []Level // the largest first
}

// Axis is one axis of an image.
type Axis struct {
	Name string
	Type string // "time", "channel", "space" or ""
	Unit string
}

// Level is one array of an image. Position i along axis k lies at Translation[k] + i*Scale[k].
type Level struct {
	Path               string // of the array, below the image's group
	Scale, Translation []float64
}

// Multiscales returns the images that a group's attributes describe; nil where it is no image. What does not hold together, such
// as axes and scales of different lengths, is left out.
func Multiscales(g *formats.Group) []Multiscale {
	version, attrs := omeAttrs(g)
	list, _ := attrs["multiscales"].([]any)
	var out []Multiscale
	for _, x := range list {
		if m, ok := multiscale(x, version); ok {
			out = append(out, m)
		}
	}
	return out
}

// omeAttrs returns the version and the attributes of OME-Zarr: in 0.5 they are the members of one.
func omeAttrs(g *formats.Group) (version string, attrs map[string]any) {
	attrs = map[string]any{}
	if v, ok := g.Attrs.Get("ome"); ok {
		if o, ok := v.(map[string]any); ok {
			version, _ = o["version"].(string)
			return version, o
		}
	}
	for _, a := range g.Attrs {
		attrs[a.Name] = a.Value
	}
	return "", attrs
}

func multiscale(v any, version string) (m Multiscale, ok bool) {
	o, _ := v.(map[string]any)
	m.Name, _ = o["name"].(string)
	if m.Version, _ = o["version"].(string); version != "" {
		m.Version = version
	}
	axes, _ := o["axes"].([]any)
	for _, x := range axes {
		var a Axis
		switch x := x.(type) {
		case string: // 0.3
			a.Name = x
		case map[string]any:
			a.Name, _ = x["name"].(string)
			a.Type, _ = x["type"].(string)
			a.Unit, _ = x["unit"].(string)
		}
		if a.Name == "" || slices.ContainsFunc(m.Axes, func(b Axis) bool { return a.Name == b.Name }) {
			return m, false
		}
		m.Axes = append(m.Axes, a)
	}
	scale, move, ok := transform(o["coordinateTransformations"], len(m.Axes))
	if !ok {
		return m, false
	}
	sets, _ := o["datasets"].([]any)
	for _, x := range sets {
		d, _ := x.(map[string]any)
		l := Level{}
		if l.Path, ok = d["path"].(string); !ok {
			return m, false
		}
		if l.Scale, l.Translation, ok = transform(d["coordinateTransformations"], len(m.Axes)); !ok {
			return m, false
		}
		for i := range l.Scale { // the image's own comes after the level's
			l.Scale[i] *= scale[i]
			l.Translation[i] = l.Translation[i]*scale[i] + move[i]
		}
		m.Levels = append(m.Levels, l)
	}
	return m, len(m.Levels) > 0
}

// transform joins a list of scales and translations of n axes.
func transform(v any, n int) (scale, move []float64, ok bool) {
	scale, move = make([]float64, n), make([]float64, n)
	for i := range scale {
		scale[i] = 1
	}
	list, _ := v.([]any)
	for _, x := range list {
		o, _ := x.(map[string]any)
		switch o["type"] {
		case "identity":
		case "scale":
			f, ok := floats(o["scale"], n)
			if !ok {
				return nil, nil, false
			}
			for i := range f {
				scale[i] *= f[i]
				move[i] *= f[i]
			}
		case "translation":
			f, ok := floats(o["translation"], n)
			if !ok {
				return nil, nil, false
			}
			for i := range f {
				move[i] += f[i]
			}
		default: // later versions have others, whose place nobody here can tell
			return nil, nil, false
		}
	}
	return scale, move, true
}

func floats(v any, n int) ([]float64, bool) {
	list, _ := v.([]any)
	out := make([]float64, len(list))
	for i, x := range list {
		switch x := x.(type) {
		case float64:
			out[i] = x
		case int64:
			out[i] = float64(x)
		default:
			return nil, false
		}
	}
	return out, len(out) == n
}

// Labels returns the paths of the label images of an image's group, below it.
func Labels(g *formats.Group) []string {
	for _, s := range g.Groups {
		if s.Name != "labels" {
			continue
		}
		_, attrs := omeAttrs(s.Group)
		list, _ := attrs["labels"].([]any)
		var out []string
		for _, x := range list {
			if name, ok := x.(string); ok {
				out = append(out, "labels/"+name)
			}
		}
		return out
	}
	return nil
}

// Well is one well of a plate with its fields of view.
type Well struct {
	Path        string // of its group, below the plate's
	Row, Column string
	Fields      []string // paths of images, below the plate's group
}

// Plate returns the wells of a plate's group, nil where it is none. Wells whose own metadata are not there have no fields.
func Plate(g *formats.Group) []Well {
	_, attrs := omeAttrs(g)
	p, _ := attrs["plate"].(map[string]any)
	list, _ := p["wells"].([]any)
	name := func(of string, i any) string {
		l, _ := p[of].([]any)
		k, ok := i.(int64)
		if !ok || k < 0 || k >= int64(len(l)) {
			return ""
		}
		o, _ := l[k].(map[string]any)
		return fmt.Sprint(o["name"])
	}
	var out []Well
	for _, x := range list {
		o, _ := x.(map[string]any)
		w := Well{}
		var ok bool
		if w.Path, ok = o["path"].(string); !ok {
			continue
		}
		w.Row, w.Column = name("rows", o["rowIndex"]), name("columns", o["columnIndex"])
		if s := below(g, w.Path); s != nil {
			_, a := omeAttrs(s)
			well, _ := a["well"].(map[string]any)
			images, _ := well["images"].([]any)
			for _, x := range images {
				o, _ := x.(map[string]any)
				if f, ok := o["path"].(string); ok {
					w.Fields = append(w.Fields, w.Path+"/"+f)
				}
			}
		}
		out = append(out, w)
	}
	return out
}

// below returns the group at path below g, nil where there is none.
func below(g *formats.Group, path string) *formats.Group {
	for name := range strings.SplitSeq(path, "/") {
		i := slices.IndexFunc(g.Groups, func(s formats.NamedGroup) bool { return s.Name == name })
		if i < 0 {
			return nil
		}
		g = g.Groups[i].Group
	}
	return g
}

// ome gives the arrays of the images below g what their groups say of them: dimensions where they name none themselves, and the attributes
// scale, translation and axis_units.
func ome(g *formats.Group) {
	for _, m := range Multiscales(g) {
		for _, l := range m.Levels {
			dir, name := "", l.Path
			if i := strings.LastIndexByte(l.Path, '/'); i >= 0 {
				dir, name = l.Path[:i], l.Path[i+1:]
			}
			in := g
			if dir != "" {
				in = below(g, dir)
			}
			if in == nil {
				continue
			}
			for i := range in.Vars {
				if v := &in.Vars[i]; v.Name == name && v.Source != nil && len(v.Source.Meta().Shape) == len(m.Axes) {
					describe(in, v, m, l)
				}
			}
		}
	}
	for _, s := range g.Groups {
		ome(s.Group)
	}
}

func describe(g *formats.Group, v *formats.Var, m Multiscale, l Level) {
	if v.Dims == nil {
		for i, a := range m.Axes {
			v.Dims = append(v.Dims, a.Name)
			if !slices.ContainsFunc(g.Dims, func(d formats.Dim) bool { return d.Name == a.Name }) {
				g.Dims = append(g.Dims, formats.Dim{Name: a.Name, Size: v.Source.Meta().Shape[i]})
			}
		}
	}
	units, some := make([]string, len(m.Axes)), false
	v.Spacing = make([]formats.Spacing, len(m.Axes))
	for i, a := range m.Axes {
		v.Spacing[i] = formats.Spacing{Start: l.Translation[i], Step: l.Scale[i], Unit: a.Unit}
		units[i] = a.Unit
		some = some || a.Unit != ""
	}
	add := func(name string, value any) {
		if _, there := v.Attrs.Get(name); !there {
			v.Attrs = append(v.Attrs, formats.Attr{Name: name, Value: value})
		}
	}
	add("scale", slices.Clone(l.Scale))
	if slices.ContainsFunc(l.Translation, func(x float64) bool { return x != 0 }) {
		add("translation", slices.Clone(l.Translation))
	}
	if some {
		add("axis_units", units)
	}
}

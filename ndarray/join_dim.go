// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"cmp"
	"slices"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// size returns the length of a dimension, -1 where the file lacks it.
func (p *part) size(dim string) int64 {
	for _, d := range p.ds.dims {
		if d.Name == dim {
			return d.Size
		}
	}
	return -1
}

// coord returns the labels' coordinate of a dimension, nil for none.
func (p *part) coord(dim string) *Coord {
	c := findCoord(p.ds.coords, dim)
	if c == nil || !c.isDimension() || c.host == nil {
		return nil
	}
	return c
}

// joinDim returns the dimension files are joined along.
func joinDim(parts []*part) (string, error) {
	var labelled, bare, fixed []string // unlimited with labels that differ, without labels, limited that differ
	for _, d := range parts[0].ds.dims {
		differs, why := differ(parts, d.Name)
		if why != nil {
			return "", why
		}
		unlimited := d.Unlimited || slices.ContainsFunc(parts, func(p *part) bool {
			return slices.ContainsFunc(p.ds.dims, func(x formats.Dim) bool { return x.Name == d.Name && x.Unlimited })
		})
		hasLabels := parts[0].coord(d.Name) != nil
		switch {
		case unlimited && hasLabels && differs:
			labelled = append(labelled, d.Name)
		case unlimited && !hasLabels:
			bare = append(bare, d.Name)
		case differs && hasLabels:
			fixed = append(fixed, d.Name)
		case differs:
			q := other(parts, d.Name)
			return "", errorf("dimension %q has length %d in %s and %d in %s, and no labels to join by; join along one that has", d.Name, parts[0].size(d.Name), parts[0].path, q.size(d.Name), q.path)
		}
	}
	chosen := labelled
	if len(chosen) == 0 && len(bare) == 1 {
		chosen = bare
	}
	moving := slices.Concat(chosen, fixed)
	switch len(moving) {
	case 1:
		return moving[0], nil
	case 0:
		if !slices.ContainsFunc(parts[0].ds.dims, func(d formats.Dim) bool { return parts[0].coord(d.Name) != nil }) {
			return "", errorf("no dimension of %s is unlimited or has labels to join by; open each file and use concat", parts[0].path)
		}
		return "", errorf("no dimension's labels differ between %s and %s: the files overlap; leave one out", parts[0].path, parts[1].path)
	}
	q := other(parts, moving[1])
	return "", errorf("labels of dimensions %s differ between files, first between %s and %s; files are joined along one dimension, so the labels of the others must agree",
		quoted(moving), parts[0].path, q.path)
}

// other returns a file that differs from the first along dim.
func other(parts []*part, dim string) *part {
	for _, p := range parts[1:] {
		if d, err := differ([]*part{parts[0], p}, dim); err != nil || d {
			return p
		}
	}
	return parts[1]
}

// differ reports whether the labels of dim, or without labels its length, differ between files.
func differ(parts []*part, dim string) (bool, error) {
	a := parts[0].coord(dim)
	differs := false
	for _, p := range parts[1:] {
		b := p.coord(dim)
		switch {
		case p.size(dim) < 0:
			return false, errorf("dimension %q is in %s but not in %s", dim, parts[0].path, p.path)
		case (a == nil) != (b == nil):
			return false, errorf("dimension %q has labels in only one of %s and %s", dim, parts[0].path, p.path)
		case a == nil:
			differs = differs || p.size(dim) != parts[0].size(dim)
		case !differs:
			same, _, _ := sameLabels(a, b)
			differs = !same
		}
	}
	return differs, nil
}

// labelKey is a label as something that has an order: a number or an instant, then a text.
type labelKey struct {
	day, micro int64
	number     float64
	text       string
}

func (a labelKey) compare(b labelKey) int {
	return cmp.Or(cmp.Compare(a.day, b.day), cmp.Compare(a.micro, b.micro), cmp.Compare(a.number, b.number), cmp.Compare(a.text, b.text))
}

// keysOf returns the labels of a coordinate in a form that compares with another's of the same kind.
func keysOf(c *Coord, u *cf.Units, kind string) ([]labelKey, error) {
	out := make([]labelKey, c.host.Len())
	for i := range out {
		switch {
		case kind == "text":
			out[i].text = c.host.Str[i]
		case u != nil:
			t, ok := c.host.instant(u, i)
			if !ok {
				return nil, errorf("label %s of %q at position %d is not a date", c.host.Text(i), c.name, i)
			}
			out[i].day, out[i].micro = t.Day, t.Micro
		case c.host.Int != nil && c.host.DType != dtype.Uint64:
			out[i].day = c.host.Int[i] // integers beyond 2^53 keep their order
		default:
			f := c.host.Number(i)
			if f != f {
				return nil, errorf("label %d of %q is missing: its place is unknown", i, c.name)
			}
			out[i].number = f
		}
	}
	return out, nil
}

// kindOf says with what labels compare: text, whole numbers or numbers.
func kindOf(c *Coord) string {
	switch {
	case c.host.Str != nil || c.host.DType == dtype.String:
		return "text"
	case c.host.Int != nil && c.host.DType != dtype.Uint64:
		return "whole numbers"
	}
	return "numbers"
}

// inOrder returns the files in the order of their labels along dim; those of length 0 are left out unless all are.
func inOrder(parts []*part, dim string) ([]*part, error) {
	var some []*part
	for _, p := range parts {
		p.length = p.size(dim)
		if p.length > 0 {
			some = append(some, p)
		}
	}
	if len(some) == 0 {
		return parts[:1], nil
	}
	parts = some
	if parts[0].coord(dim) == nil {
		return parts, nil
	}
	if err := setKeys(parts, dim); err != nil {
		return nil, err
	}
	// The direction is that of the files with more than one label.
	way := 0
	for _, p := range parts {
		w, err := direction(p, dim)
		if err != nil {
			return nil, err
		}
		if way*w < 0 {
			return nil, errorf("labels of %q ascend in one file and descend in %s", dim, p.path)
		}
		way = cmp.Or(way, w)
	}
	way = cmp.Or(way, 1)
	out := slices.Clone(parts)
	slices.SortStableFunc(out, func(a, b *part) int { return way * a.labels[0].compare(b.labels[0]) })
	for i, b := range out[1:] {
		a := out[i]
		if way*a.labels[len(a.labels)-1].compare(b.labels[0]) >= 0 {
			ca, cb := a.coord(dim), b.coord(dim)
			return nil, errorf("labels of %q overlap: %s ends at %s, %s begins at %s; select parts or leave a file out",
				dim, a.path, ca.text(len(a.labels)-1), b.path, cb.text(0))
		}
	}
	return out, nil
}

// setKeys computes the comparable labels of every file: instants where all are times.
func setKeys(parts []*part, dim string) error {
	first := parts[0].coord(dim)
	times := first.isTime()
	kind := kindOf(first)
	for _, p := range parts[1:] {
		c := p.coord(dim)
		if c.isTime() != times {
			return errorf("labels of %q are times in only one of %s and %s", dim, parts[0].path, p.path)
		}
		switch k := kindOf(c); {
		case (k == "text") != (kind == "text"):
			return errorf("labels of %q are %s in %s and %s in %s", dim, kind, parts[0].path, k, p.path)
		case k != kind:
			kind = "numbers"
		}
		if _, err := rebaseTo(first.attrs, c.attrs, parts[0].path, p.path, dim); err != nil {
			return err
		}
	}
	for _, p := range parts {
		c := p.coord(dim)
		u, err := c.timeUnits()
		if err != nil {
			u = nil // units that cannot be read are the same text in all files, so numbers compare
		}
		if u == nil && kind == "numbers" && c.host.Int != nil {
			c = newCoord(c.name, c.dims, c.attrs, c.host.floats())
		}
		if p.labels, err = keysOf(c, u, kind); err != nil {
			return errorf("%s: %w", p.path, err)
		}
	}
	return nil
}

// floats returns numbers as float64.
func (l *Labels) floats() *Labels {
	out := &Labels{DType: dtype.Float64, Shape: l.Shape, Float: make([]float64, l.Len())}
	for i := range out.Float {
		out.Float[i] = l.Number(i)
	}
	return out
}

// direction returns 1 for ascending labels, -1 for descending ones, 0 for a single one or equal ones.
func direction(p *part, dim string) (int, error) {
	n := len(p.labels)
	way := p.labels[n-1].compare(p.labels[0])
	for i := range n - 1 {
		if way*p.labels[i+1].compare(p.labels[i]) < 0 || way == 0 && p.labels[i].compare(p.labels[i+1]) != 0 {
			return 0, errorf("labels of %q in %s neither ascend nor descend: %s follows %s", dim, p.path, p.coord(dim).text(i+1), p.coord(dim).text(i))
		}
	}
	return way, nil
}

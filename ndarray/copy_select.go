// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
)

// Selection is a part of a dimension in words, as PlanCopy takes it; ParseSelection makes one.
type Selection struct {
	dim, text string
	places    bool // @: positions, not labels
}

// ParseSelection reads DIM=WHAT: a label ("lon=10", "time=2001-03"), a range of labels with both ends ("lat=-30:30"), a
// list ("lev=850,500"), or behind an @ positions ("@3", "@-1", "@0:10:2", "@1,4"), whose ranges end before their end.
func ParseSelection(text string) (Selection, error) {
	dim, what, ok := strings.Cut(text, "=")
	s := Selection{dim: strings.TrimSpace(dim), text: strings.TrimSpace(what)}
	s.text, s.places = strings.CutPrefix(s.text, "@")
	if !ok || s.dim == "" || s.text == "" {
		return s, fmt.Errorf("ndarray: selection %q: want DIM=LABEL, DIM=FROM:TO, DIM=A,B,C or DIM=@POSITION", text)
	}
	if s.places {
		if _, _, err := s.positions(math.MaxInt32); err != nil {
			return s, err
		}
	}
	return s, nil
}

// String returns the selection as ParseSelection reads it.
func (s Selection) String() string {
	return s.dim + "=" + map[bool]string{true: "@"}[s.places] + s.text
}

// positions reads what stands behind the @ for a dimension of length n.
func (s Selection) positions(n int64) (ids []int64, one bool, err error) {
	bad := func() ([]int64, bool, error) {
		return nil, false, fmt.Errorf("ndarray: selection %q: want positions such as @3, @-1, @0:10, @0:10:2 or @1,4", s)
	}
	if strings.Contains(s.text, ":") {
		parts := strings.Split(s.text, ":")
		if len(parts) > 3 {
			return bad()
		}
		var p [3]*int64
		for i, t := range parts {
			if t = strings.TrimSpace(t); t == "" {
				continue
			}
			x, err := strconv.ParseInt(t, 10, 64)
			if err != nil || i == 2 && x == 0 {
				return bad()
			}
			p[i] = &x
		}
		if n == math.MaxInt32 {
			return nil, false, nil // only the form is looked at
		}
		at, _, err := Slice(p[0], p[1], p[2]).resolve(0, n)
		if err != nil {
			return nil, false, fmt.Errorf("ndarray: selection %q: %w", s, err)
		}
		for i := range at.Len {
			ids = append(ids, at.Start+i*at.Step)
		}
		return ids, false, nil
	}
	for t := range strings.SplitSeq(s.text, ",") {
		x, err := strconv.ParseInt(strings.TrimSpace(t), 10, 64)
		if err != nil {
			return bad()
		}
		if n != math.MaxInt32 && (x >= n || x < -n) {
			return nil, false, fmt.Errorf("ndarray: selection %q: position %d is outside dimension %q of length %d: %w", s, x, s.dim, n, chunk.ErrShape)
		}
		if x < 0 {
			x += n
		}
		ids = append(ids, x)
	}
	return ids, len(ids) == 1 && !strings.Contains(s.text, ","), nil
}

// dateLabel matches a date, or the beginning of one, with a time or without.
var dateLabel = regexp.MustCompile(`^[-+]?\d{1,6}(-\d{1,2}(-\d{1,2}([T ]\d{1,2}(:\d{1,2}(:\d{1,2}(\.\d+)?)?)?Z?)?)?)?$`)

// selector returns the selection of labels, as times or numbers or texts.
func (s Selection) selector(time, text bool) (Selector, error) {
	label := func(t string) (any, bool) {
		switch t = strings.TrimSpace(t); {
		case time:
			return t, dateLabel.MatchString(t)
		case text:
			return t, t != ""
		}
		x, err := strconv.ParseFloat(t, 64)
		return x, err == nil && !math.IsNaN(x)
	}
	if x, ok := label(s.text); ok && !(text && strings.ContainsAny(s.text, ":,")) {
		return Label(s.dim, x), nil
	}
	for i, r := range s.text {
		if r != ':' {
			continue
		}
		lo, okLo := label(s.text[:i])
		hi, okHi := label(s.text[i+1:])
		if strings.TrimSpace(s.text[:i]) == "" {
			lo, okLo = nil, true
		}
		if strings.TrimSpace(s.text[i+1:]) == "" {
			hi, okHi = nil, true
		}
		if okLo && okHi {
			return Between(s.dim, lo, hi), nil
		}
	}
	var list []any
	for t := range strings.SplitSeq(s.text, ",") {
		x, ok := label(t)
		if !ok {
			want := map[bool]string{true: "dates such as 2001-03", false: "numbers"}[time]
			return Selector{}, fmt.Errorf("ndarray: selection %q: the labels of %q are %s; want one, FROM:TO or a list; @3 is a position", s, s.dim, want)
		}
		list = append(list, x)
	}
	return AnyLabel(s.dim, list...), nil
}

// selections finds the positions that the selections pick of a group's own dimensions.
func (c *copier) selections(dims scope, at string) error {
	for i, s := range c.opts.Select {
		d := dims[s.dim]
		if d == nil || d.parent {
			continue
		}
		ids, one, err := c.resolve(s, d, at)
		if err != nil {
			return err
		}
		if d.ids != nil {
			return fmt.Errorf("dimension %q is selected twice", s.dim)
		}
		if c.taken == nil {
			c.taken = map[int]bool{}
		}
		if c.taken[i] = true; len(ids) == 0 {
			return fmt.Errorf("selection %q takes nothing of dimension %q of length %d: %w", s, s.dim, d.Size, chunk.ErrShape)
		}
		d.ids, d.gone = ids, one
	}
	return nil
}

func (c *copier) resolve(s Selection, d *scopeDim, at string) ([]int64, bool, error) {
	if s.places {
		return s.positions(d.Size)
	}
	memory := c.opts.Memory
	if memory <= 0 {
		memory = defaultBudget
	}
	ds, err := OpenGroup(c.ctx, c.root, at, Budget(memory))
	if err != nil {
		return nil, false, err
	}
	for _, v := range ds.vars {
		if v.dimLen(s.dim) != d.Size || v.Err() != nil {
			continue
		}
		co, err := v.CoordOf(s.dim).held()
		if err != nil {
			return nil, false, err
		}
		sel, err := s.selector(co != nil && co.isTime(), co != nil && co.host != nil && co.host.Str != nil)
		if err != nil {
			return nil, false, err
		}
		return v.resolve(sel)
	}
	return nil, false, fmt.Errorf("no variable of %s has dimension %q; select by position: %s=@3", c.label(at), s.dim, s.dim)
}

// check refuses what no part of the copy has: selections and chunks of unknown dimensions, and what the format has no place for.
func (c *copier) check() error {
	known := map[string]bool{}
	rank := 0
	for _, v := range c.out.Spec.Vars {
		rank = max(rank, len(v.Shape))
		for _, d := range v.Dims {
			known[d] = true
		}
	}
	for i, s := range c.opts.Select {
		if !c.taken[i] {
			return fmt.Errorf("selection %q: there is no dimension %q; there are %s: %w", s, s.dim, quoted(allDims(c.root, nil)), chunk.ErrShape)
		}
	}
	for _, chunks := range []Chunks{c.opts.Chunks, c.opts.Shards} {
		for d := range chunks {
			if !known[d] {
				return fmt.Errorf("chunks are given for %q, which is not a dimension of what is copied: %w", d, chunk.ErrShape)
			}
		}
	}
	for _, steps := range [][]int64{c.opts.Steps, c.opts.ShardSteps} {
		if len(steps) > rank || len(steps) > 0 && !slices.ContainsFunc(c.out.Spec.Vars, func(v formats.VarSpec) bool { return len(v.Shape) == len(steps) }) {
			return fmt.Errorf("chunks are given for %d axes, which no variable has: %w", len(steps), chunk.ErrShape)
		}
	}
	return c.fit()
}

func allDims(g *formats.Group, out []string) []string {
	for _, d := range g.Dims {
		if !slices.Contains(out, d.Name) {
			out = append(out, d.Name)
		}
	}
	for _, s := range g.Groups {
		out = allDims(s.Group, out)
	}
	return out
}

// fit makes the specification one that the format has a place for.
func (c *copier) fit() error {
	spec := &c.out.Spec
	if c.rules.noNames {
		for i := range spec.Vars {
			c.dropped(len(spec.Vars[i].Dims) > 0, "names of dimensions")
			spec.Vars[i].Dims = nil
		}
		spec.Dims = nil
	}
	if c.rules.noGroups {
		spec.Groups = nil
	}
	if c.rules.unnamed {
		if err := c.nameAxes(); err != nil {
			return err
		}
	}
	if c.rules.oneGrows {
		if err := c.oneUnlimited(); err != nil {
			return err
		}
	}
	return nil
}

// oneArray refuses several variables for a format that holds one.
func (c *copier) oneArray() error {
	if c.dest != "npy" {
		return nil
	}
	names := listVars(c.root, "", nil)
	if c.chosen != nil {
		names = slices.DeleteFunc(names, func(n string) bool { return !c.chosen[n] })
	}
	if len(names) != 1 {
		return fmt.Errorf("a .npy file holds one array: choose one of %s with --var, or write .npz: %w", quoted(names), ErrCannotHold)
	}
	return nil
}

// listVars appends the paths of the variables of a group and of those below.
func listVars(g *formats.Group, at string, out []string) []string {
	for _, v := range g.Vars {
		out = append(out, joinPath(at, v.Name))
	}
	for _, s := range g.Groups {
		out = listVars(s.Group, joinPath(at, s.Name), out)
	}
	return out
}

// nameAxes names the axes without a name, and finds names that stand for several lengths: Zarr allows both.
func (c *copier) nameAxes() error {
	spec := &c.out.Spec
	for i := range spec.Vars {
		v := &spec.Vars[i]
		at := v.Name[:max(0, strings.LastIndexByte(v.Name, '/'))]
		for axis, d := range v.Dims {
			base := v.Name[strings.LastIndexByte(v.Name, '/')+1:]
			if d == "" {
				v.Dims[axis] = fmt.Sprintf("%s_axis_%d", base, axis)
				continue
			}
			size, ok := dimSize(spec, at, d)
			if !ok || size == v.Shape[axis] {
				continue
			}
			if err := c.refuse(fmt.Sprintf("the name %q of axis %d of variable %q", d, axis, v.Name),
				fmt.Sprintf("the axis has length %d, the dimension of that name %d", v.Shape[axis], size)); err != nil {
				return err
			}
			v.Dims[axis] = fmt.Sprintf("%s_axis_%d", base, axis)
		}
	}
	return nil
}

// dimSize returns the length of the dimension that variables of a group see.
func dimSize(spec *formats.Spec, at, name string) (int64, bool) {
	for {
		dims := spec.Dims
		if at != "" {
			dims = nil
			for _, g := range spec.Groups {
				if g.Path == at {
					dims = g.Dims
				}
			}
		}
		for _, d := range dims {
			if d.Name == name {
				return d.Size, true
			}
		}
		if at == "" {
			return 0, false
		}
		at = at[:max(0, strings.LastIndexByte(at, '/'))]
	}
}

// oneUnlimited lets the one dimension grow that NetCDF-3 allows.
func (c *copier) oneUnlimited() error {
	spec := &c.out.Spec
	grows := ""
	for i := range spec.Dims {
		d := &spec.Dims[i]
		if !d.Unlimited {
			continue
		}
		first := true
		for _, v := range spec.Vars {
			first = first && slices.Index(v.Dims, d.Name) <= 0
		}
		if grows == "" && first {
			grows = d.Name
			continue
		}
		why := fmt.Sprintf("%q is unlimited already", grows)
		if !first {
			why = "it is not the first dimension of each variable that has it"
		}
		if err := c.refuse(fmt.Sprintf("that dimension %q is unlimited", d.Name), why); err != nil {
			return err
		}
		d.Unlimited = false
	}
	return c.oneEmpty(grows)
}

// oneEmpty leaves one dimension without elements, the one that grows if there is such: NetCDF-3 tells both from others by their length alone.
func (c *copier) oneEmpty(grows string) error {
	spec := &c.out.Spec
	var gone []string
	for _, d := range spec.Dims {
		first := !slices.ContainsFunc(spec.Vars, func(v formats.VarSpec) bool { return slices.Index(v.Dims, d.Name) > 0 })
		switch {
		case d.Size > 0 || d.Name == grows:
			continue
		case grows == "" && first:
			grows = d.Name
			continue
		}
		why := "one such dimension is all it has, and the first of each variable that has it"
		if err := c.refuse(fmt.Sprintf("dimension %q, which is empty, with its variables", d.Name), why); err != nil {
			return err
		}
		gone = append(gone, d.Name)
	}
	isGone := func(name string) bool { return slices.Contains(gone, name) }
	spec.Dims = slices.DeleteFunc(spec.Dims, func(d formats.Dim) bool { return isGone(d.Name) })
	for i := len(spec.Vars) - 1; i >= 0; i-- {
		if slices.ContainsFunc(spec.Vars[i].Dims, isGone) {
			spec.Vars, c.out.Arrays = slices.Delete(spec.Vars, i, i+1), slices.Delete(c.out.Arrays, i, i+1)
		}
	}
	return nil
}

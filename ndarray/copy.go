// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// CopyOptions say what a copy takes and how it is stored. The zero value copies everything on the chunks it has.
type CopyOptions struct {
	Format     string   // the member of a family to write ("zarr2", "netcdf3-64bit"); "": what the ending says
	Vars       []string // paths of variables and groups; coordinates, bounds and grid mappings go with them. nil: everything
	Select     []Selection
	Chunks     Chunks  // by dimension; those left out keep their length
	Steps      []int64 // or by axis
	Shards     Chunks  // of Zarr 3, by dimension
	ShardSteps []int64 // or by axis
	Codec      string  // "": the source's kind of compression in the words of the format
	History    string  // a line for the history attribute; "": it stays as it is
	Lossy      bool    // leave out what the format cannot hold, with a warning, where it is an error otherwise
	Overwrite  bool
	AppendTo   string       // the dimension of an output that is there to append along, as the option AppendTo
	Region     Region       // the part of an output that is there to write
	Memory     int64        // the budget of the engine, for labels; 0: the default
	Warn       func(string) // gets the warnings; nil: nobody does
}

// Copying is a copy that is laid out: values as they are stored, nothing decoded.
type Copying struct {
	URI    string
	Spec   formats.Spec
	Arrays []Array // of Spec.Vars

	opts CopyOptions
}

// PlanCopy lays out a copy of everything in an open group, as stored, at a URI, without creating anything. What the
// format cannot hold is an error naming it that wraps formats.ErrFormat.
func PlanCopy(ctx context.Context, g *formats.Group, uri string, o CopyOptions) (*Copying, error) {
	f, err := all.Target(uri, o.Format)
	if err != nil {
		return nil, err
	}
	if o.Warn == nil {
		o.Warn = func(string) {}
	}
	family := strings.TrimSuffix(f.Name, ".zip") // an archive holds what a folder does
	c := &copier{ctx: ctx, opts: o, root: g, rules: rulesOf(family, o.Format), dest: family}
	c.out = &Copying{URI: uri, Spec: formats.Spec{Overwrite: o.Overwrite, Format: o.Format}, opts: o}
	if err := c.choose(); err != nil {
		return nil, fmt.Errorf("ndarray: copy to %s: %w", uri, err)
	}
	if err := c.oneArray(); err != nil {
		return nil, fmt.Errorf("ndarray: copy to %s: %w", uri, err)
	}
	if err := c.group(g, "", nil); err != nil {
		return nil, fmt.Errorf("ndarray: copy to %s: %w", uri, err)
	}
	if err := c.check(); err != nil {
		return nil, fmt.Errorf("ndarray: copy to %s: %w", uri, err)
	}
	return c.out, nil
}

// copier lays out one copy.
type copier struct {
	ctx    context.Context
	opts   CopyOptions
	root   *formats.Group
	chain  []*formats.Group // from the root to the group at hand
	rules  *copyRules
	dest   string // name of the format's family
	out    *Copying
	chosen map[string]bool // paths of variables, nil for all
	taken  map[int]bool    // selections that found their dimension
	kinds  map[string]bool // kinds of metadata that the format drops, warned of once
}

// scopeDim is a dimension as the variables of a group see it.
type scopeDim struct {
	formats.Dim
	ids    []int64 // selected positions, nil for all
	gone   bool    // selected by one label: variables lose it
	parent bool    // a group above has it
}

// scope are the dimensions that the variables of a group see.
type scope map[string]*scopeDim

// group lays out a group and those below it.
func (c *copier) group(g *formats.Group, at string, above scope) error {
	c.chain = append(c.chain, g)
	defer func() { c.chain = c.chain[:len(c.chain)-1] }()
	dims := scope{}
	for name, d := range above {
		x := *d
		x.parent = true
		dims[name] = &x
	}
	for _, d := range g.Dims {
		dims[d.Name] = &scopeDim{Dim: d}
	}
	if err := c.selections(dims, at); err != nil {
		return err
	}
	spec := formats.GroupSpec{Path: at, Types: c.types(g)}
	vars := len(c.out.Spec.Vars)
	place := len(c.out.Spec.Groups)
	var err error
	if spec.Attrs, err = c.attributes(g.Attrs, c.label(at), c.rules.ofGroups); err != nil {
		return err
	}
	if at == "" {
		if c.opts.History != "" {
			spec.Attrs = withHistory(spec.Attrs, c.opts.History)
		}
		c.out.Spec.Attrs, c.out.Spec.Types = spec.Attrs, spec.Types
	} else {
		c.out.Spec.Groups = append(c.out.Spec.Groups, spec)
	}
	for i := range g.Vars {
		if err := c.variable(&g.Vars[i], at, dims); err != nil {
			return err
		}
	}
	own := c.ownDims(g, dims, c.out.Spec.Vars[vars:])
	if at == "" {
		c.out.Spec.Dims = own
	} else {
		c.out.Spec.Groups[place].Dims = own
	}
	for _, s := range g.Groups {
		sub := joinPath(at, s.Name)
		if !c.wantsGroup(sub) {
			continue
		}
		if c.rules.noGroups {
			if err := c.refuse(c.label(sub), "there are no groups in it"); err != nil {
				return err
			}
			continue
		}
		if err := c.group(s.Group, sub, dims); err != nil {
			return err
		}
	}
	return nil
}

func joinPath(at, name string) string {
	if at == "" {
		return name
	}
	return at + "/" + name
}

// label names a group for messages.
func (c *copier) label(at string) string {
	if at == "" {
		return "the file"
	}
	return fmt.Sprintf("group %q", at)
}

// ownDims returns the dimensions a group of the output has: its own that stay, those of chosen variables only where variables are chosen.
func (c *copier) ownDims(g *formats.Group, dims scope, vars []formats.VarSpec) []formats.Dim {
	var out []formats.Dim
	for _, d := range g.Dims {
		x := dims[d.Name]
		if x.gone || c.chosen != nil && !slices.ContainsFunc(vars, func(v formats.VarSpec) bool { return slices.Contains(v.Dims, d.Name) }) && !c.usedBelow(g, d.Name) {
			continue
		}
		d.Size = x.length()
		out = append(out, d)
	}
	return out
}

// usedBelow reports whether groups below g may use a dimension of its own.
func (c *copier) usedBelow(g *formats.Group, name string) bool {
	for _, s := range g.Groups {
		if slices.ContainsFunc(s.Group.Dims, func(d formats.Dim) bool { return d.Name == name }) {
			continue
		}
		for _, v := range s.Group.Vars {
			if slices.Contains(v.Dims, name) {
				return true
			}
		}
		if c.usedBelow(s.Group, name) {
			return true
		}
	}
	return false
}

func (d *scopeDim) length() int64 {
	if d.ids != nil {
		return int64(len(d.ids))
	}
	return d.Size
}

// choose finds the variables that were asked for, with what belongs to them.
func (c *copier) choose() error {
	if c.opts.Vars == nil {
		return nil
	}
	c.chosen = map[string]bool{}
	for _, name := range c.opts.Vars {
		name = strings.Trim(path.Clean("/"+name), "/")
		g, at := c.root, ""
		parts := strings.Split(name, "/")
		for len(parts) > 0 {
			sub := subGroup(g, parts[0])
			if sub == nil {
				break
			}
			g, at, parts = sub, joinPath(at, parts[0]), parts[1:]
		}
		switch {
		case len(parts) == 0:
			c.chooseAll(g, at)
		case len(parts) == 1 && groupVar(g, parts[0]) != nil:
			c.chooseVar(g, at, parts[0], !c.rules.valuesOnly)
		default:
			return fmt.Errorf("there is no variable or group %q; %s has %s: %w", name, c.label(at), quoted(groupNames(g)), formats.ErrFormat)
		}
	}
	return nil
}

func (c *copier) chooseAll(g *formats.Group, at string) {
	for _, v := range g.Vars {
		c.chosen[joinPath(at, v.Name)] = true
	}
	for _, s := range g.Groups {
		c.chooseAll(s.Group, joinPath(at, s.Name))
	}
}

// chooseVar adds a variable, and with others the variables of its group that its attributes and dimensions name.
func (c *copier) chooseVar(g *formats.Group, at, name string, others bool) {
	p := joinPath(at, name)
	v := groupVar(g, name)
	if v == nil || c.chosen[p] {
		return
	}
	if c.chosen[p] = true; !others {
		return
	}
	for _, n := range append(relatedNames(v.Attrs), v.Dims...) {
		c.chooseVar(g, at, n, true)
	}
}

// relatedNames returns the variables that CF attributes name.
func relatedNames(attrs formats.Attrs) []string {
	var out []string
	for _, a := range []string{"coordinates", "bounds", "climatology", "ancillary_variables"} {
		if v, ok := attrs.Get(a); ok {
			s, _ := v.(string)
			out = append(out, strings.Fields(s)...)
		}
	}
	return append(out, mappingNames(attrs)...)
}

// wantsGroup reports whether anything of a group is chosen.
func (c *copier) wantsGroup(at string) bool {
	if c.chosen == nil {
		return true
	}
	for p := range c.chosen {
		if strings.HasPrefix(p, at+"/") {
			return true
		}
	}
	return false
}

// variable lays out one variable.
func (c *copier) variable(v *formats.Var, at string, dims scope) error {
	name := joinPath(at, v.Name)
	if c.chosen != nil && !c.chosen[name] {
		return nil
	}
	if v.Err != nil || v.Source == nil {
		err := v.Err
		if err == nil {
			err = fmt.Errorf("it has no values: %w", formats.ErrFormat)
		}
		if !c.opts.Lossy {
			return fmt.Errorf("variable %q: %w", name, err)
		}
		c.opts.Warn(fmt.Sprintf("variable %q is left out: %v", name, err))
		return nil
	}
	if src := formats.Texts(v.Source); src != nil && c.rules.texts {
		text, was := *v, v.Source.Meta().Stored
		text.Source = src
		if fill, ok := v.Attrs.Get("_FillValue"); ok && fill == "" {
			text.Attrs = v.Attrs.Without("_FillValue")
		}
		v = &text
		c.opts.Warn(fmt.Sprintf("variable %q: texts of type %v become texts of any length", name, was))
	}
	m, units := c.moments(v, name)
	s := formats.VarSpec{Name: name, DType: m.DType, ItemBytes: m.ItemBytes, Fill: c.fill(v), Stored: m.Stored}
	if why := c.rules.holds(v.Name, m); why != "" {
		return c.refuse(fmt.Sprintf("variable %q", name), why)
	}
	if err := c.plainNumbers(&s, name); err != nil {
		return err
	}
	attrs := withUnits(c.usableFill(c.fillAttr(v), m, name), units)
	a := FromSource(v.Source, name)
	a, axes := c.cut(a, v, dims)
	if v.Dims != nil {
		s.Dims = []string{}
		for _, i := range axes {
			s.Dims = append(s.Dims, v.Dims[i])
		}
	}
	if a.Err() != nil {
		return a.Err()
	}
	s.Shape = a.Shape()
	if !c.rules.noNames {
		attrs = c.scalars(v, attrs, dims)
	}
	var err error
	if s.Attrs, err = c.attributes(attrs, fmt.Sprintf("variable %q", name), c.rules.reserved); err != nil {
		return err
	}
	c.store(&s, m, axes)
	c.out.Spec.Vars = append(c.out.Spec.Vars, s)
	c.out.Arrays = append(c.out.Arrays, a)
	return nil
}

// cut returns the selected part of a variable with the axes it keeps.
func (c *copier) cut(a Array, v *formats.Var, dims scope) (Array, []int) {
	var axes []int
	idx := make([]Index, a.Rank())
	some := false
	for i := range idx {
		idx[i] = All()
		if i < len(v.Dims) {
			if d := dims[v.Dims[i]]; d != nil && d.ids != nil && d.Size == a.Shape()[i] {
				some = true
				if d.gone {
					idx[i] = At(d.ids[0])
					continue
				}
				idx[i] = indexOf(d.ids)
			}
		}
		axes = append(axes, i)
	}
	if some {
		a = a.Index(idx...)
	}
	return a, axes
}

// indexOf returns positions as a slice where they are one: slices are read by regions, lists by gathering.
func indexOf(ids []int64) Index {
	step := int64(1)
	if len(ids) > 1 {
		step = ids[1] - ids[0]
	}
	for i := 1; i < len(ids); i++ {
		if ids[i]-ids[i-1] != step || step <= 0 {
			return Take(ids)
		}
	}
	return Step(ids[0], ids[len(ids)-1]+1, step)
}

// scalars names the coordinates that a selection has made scalars in the coordinates attribute, where the variable lost their dimension.
func (c *copier) scalars(v *formats.Var, attrs formats.Attrs, dims scope) formats.Attrs {
	g := c.chain[len(c.chain)-1]
	var lost []string
	for _, n := range v.Dims {
		if d := dims[n]; d != nil && d.gone && n != v.Name && groupVar(g, n) != nil && !isBoundsOf(g, v.Name) {
			lost = append(lost, n)
		}
	}
	if lost == nil || len(v.Dims) == 1 && slices.Contains(relatedTo(g), v.Name) {
		return attrs
	}
	old, _ := attrs.Get("coordinates")
	if s, ok := old.(string); ok && s != "" {
		lost = append(strings.Fields(s), lost...)
	}
	return attrs.With("coordinates", strings.Join(lost, " "))
}

// relatedTo lists the variables of a group that others name: coordinates, bounds, grid mappings.
func relatedTo(g *formats.Group) []string {
	var out []string
	for _, v := range g.Vars {
		out = append(out, relatedNames(v.Attrs)...)
	}
	return out
}

func isBoundsOf(g *formats.Group, name string) bool {
	return slices.ContainsFunc(g.Vars, func(v formats.Var) bool { return boundsOf(v.Attrs) == name })
}

// store decides chunks, shards and compression.
func (c *copier) store(s *formats.VarSpec, m *formats.ArrayMeta, axes []int) {
	s.Codec = c.codec(m)
	if len(s.Shape) == 0 {
		return
	}
	hint := c.ownGrid(m, axes)
	asked := false
	steps := make([]int64, len(s.Shape))
	shards := make(chunk.Shape, len(s.Shape))
	sharded := false
	for i, n := range s.Shape {
		steps[i] = n
		if hint != nil {
			steps[i] = hint[i]
		}
		if k, ok := lengthFor(c.opts.Chunks, c.opts.Steps, s, i); ok {
			asked, steps[i] = true, k
		}
		if n > 0 {
			steps[i] = min(steps[i], n)
		}
		if steps[i] < 1 {
			steps[i] = max(n, 1)
		}
		shards[i] = steps[i]
		if k, ok := lengthFor(c.opts.Shards, c.opts.ShardSteps, s, i); ok {
			if sharded = true; k < 0 {
				k = max(n, 1)
			}
			shards[i] = k
		}
	}
	if hint != nil || asked {
		g := chunk.Regular(s.Shape, steps...)
		s.Grid = &g
	}
	switch {
	case sharded:
		s.Shards = shards
	case m.Shards != nil && !asked && c.dest == "zarr" && c.opts.Format != "zarr2" && len(m.Shards) == len(s.Shape) && c.opts.Shards == nil && c.opts.ShardSteps == nil:
		s.Shards = m.Shards.Clone()
	}
}

// lengthFor returns the length asked for along an axis.
func lengthFor(byName Chunks, steps []int64, s *formats.VarSpec, axis int) (int64, bool) {
	if axis < len(s.Dims) {
		if n, ok := byName[s.Dims[axis]]; ok {
			return n, true
		}
	}
	if axis < len(steps) && len(steps) == len(s.Shape) {
		return steps[axis], true
	}
	return 0, false
}

// A grid of more chunks than manyChunks, each smaller than tinyChunk bytes, is not worth keeping.
const (
	tinyChunk  = 4 << 10
	manyChunks = 1000
)

// ownGrid returns the chunk lengths that the variable has in its file, nil where the format's own choice is better:
// contiguous storage, irregular grids, very many tiny chunks.
func (c *copier) ownGrid(m *formats.ArrayMeta, axes []int) []int64 {
	if !m.Chunked || m.Grid.Len() > manyChunks && m.Grid.MaxChunk().Size()*int64(max(m.ItemBytes, 1)) < tinyChunk {
		return nil
	}
	var steps []int64
	for _, i := range axes {
		if m.Grid.Axes[i].Edges != nil {
			return nil
		}
		steps = append(steps, m.Grid.Axes[i].Step)
	}
	return steps
}

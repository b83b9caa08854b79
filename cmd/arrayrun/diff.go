// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

func diffCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "diff [flags] A B",
		Short: "compare the values of two files",
		Long: `Compares every variable of two files of any formats, decoded unless --raw is given: how many elements differ, the
largest absolute and relative difference (to B) and where the largest lies. NaN equals NaN. A variable that one file lacks, another
shape and another data type are differences. One variable of each, as A#t2m and B#tas, is compared whatever the names are. The exit
code is 0 for none and 1 for some.`,
		Example: `  arrayrun diff era5.nc era5.zarr
  arrayrun diff dem.nc#height dem.tif
  arrayrun diff old.nc new.nc --rtol 1e-6 --attrs`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			d := &differ{app: a}
			d.rtol, _ = c.Flags().GetFloat64("rtol")
			d.atol, _ = c.Flags().GetFloat64("atol")
			d.attrs, _ = c.Flags().GetBool("attrs")
			if !(d.rtol >= 0) || !(d.atol >= 0) {
				return usagef("--rtol and --atol: got %v and %v, want numbers from 0 on", d.rtol, d.atol)
			}
			asJSON, _ := c.Flags().GetBool("json")
			return d.run(c.Context(), args[0], args[1], asJSON)
		},
	}
	f := c.Flags()
	f.Float64("rtol", 0, "elements within ATOL + RTOL * |B| of each other are equal")
	f.Float64("atol", 0, "see --rtol")
	f.Bool("attrs", false, "compare attributes and names of dimensions too")
	f.Bool("json", false, "print one JSON document")
	addSettings(c, "run")
	return c
}

// differ compares two files.
type differ struct {
	app        *app
	eng        *sched.Engine
	rtol, atol float64
	attrs      bool
	single     bool // each side is one array: names do not matter
	out        []difference
	same       []difference // variables without a difference
	unread     error        // the first variable that cannot be read
	narrow     [2]func(b []byte)
	vars       [2]*formats.Var // the two that are compared, as their files have them
}

// difference is what differs of a variable, or of a group's attributes.
type difference struct {
	name string // of the variable; of a group with a slash at its end
	text string // what kind of difference, "" for values
	values
}

// values says how the values of two arrays differ.
type values struct {
	count, of int64
	abs, rel  float64 // of the largest; below 0: there are no numbers to subtract
	where     []int64
}

func (d *differ) run(ctx context.Context, uriA, uriB string, asJSON bool) (err error) {
	a, err := d.app.open(ctx, uriA)
	if err != nil {
		return err
	}
	defer closeGroup(a)
	b, err := d.app.open(ctx, uriB)
	if err != nil {
		return err
	}
	defer closeGroup(b)
	tellApart(a)
	tellApart(b)
	if d.eng, err = d.app.engine(); err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(d.eng, d.app.err)
	d.single = one(a, uriA) && one(b, uriB)
	rawA, rawB := strings.HasSuffix(uriA, "?raw"), strings.HasSuffix(uriB, "?raw")
	if err := d.groups(ctx, side{a, rawA}, side{b, rawB}, ""); err != nil {
		return err
	}
	if err := d.print(asJSON); err != nil {
		return err
	}
	if err := d.app.writeStats(d.eng.Stats()); err != nil {
		return err
	}
	switch {
	case d.unread != nil:
		return at(exitInput, d.unread)
	case len(d.out) > 0:
		return &quietError{exitFailed}
	}
	return nil
}

// tellApart gives every axis of a variable a name of its own: labelled arrays cannot have one dimension twice, as covariances do, and comparing needs no labels.
func tellApart(g *formats.Group) {
	for i := range g.Vars {
		v := &g.Vars[i]
		for k, name := range v.Dims {
			if slices.Contains(v.Dims[:k], name) {
				v.Dims = slices.Clone(v.Dims)
				v.Dims[k] = fmt.Sprintf("%s (axis %d)", name, k)
			}
		}
	}
	for _, s := range g.Groups {
		tellApart(s.Group)
	}
}

// one reports whether a URI stands for one array whatever its name is: it was picked by name, or the file does not name it.
func one(g *formats.Group, uri string) bool {
	return len(g.Vars) == 1 && len(g.Groups) == 0 && (strings.Contains(uri, "#") || g.Bare)
}

// side is one of the two files.
type side struct {
	root *formats.Group
	raw  bool
}

// dataset opens the group at a path of the file.
func (s side) dataset(ctx context.Context, d *differ, path string) (*ndarray.Dataset, error) {
	var o []ndarray.OpenOption
	if n := d.app.settings.bytes("memory"); n > 0 {
		o = append(o, ndarray.Budget(n))
	}
	if s.raw || d.app.settings.on("raw") {
		o = append(o, ndarray.Raw())
	}
	ds, err := ndarray.OpenGroup(ctx, s.root, path, o...)
	return ds, at(exitInput, err)
}

func groupAt(g *formats.Group, path string) *formats.Group {
	for part := range strings.FieldsFuncSeq(path, func(r rune) bool { return r == '/' }) {
		i := slices.IndexFunc(g.Groups, func(s formats.NamedGroup) bool { return s.Name == part })
		if i < 0 {
			return nil
		}
		g = g.Groups[i].Group
	}
	return g
}

// groups compares the groups at a path, which both files have, and those below.
func (d *differ) groups(ctx context.Context, a, b side, path string) error {
	ga, gb := groupAt(a.root, path), groupAt(b.root, path)
	if d.attrs {
		d.attributes(path, ga.Attrs, gb.Attrs)
	}
	dsA, err := a.dataset(ctx, d, path)
	if err != nil {
		return err
	}
	dsB, err := b.dataset(ctx, d, path)
	if err != nil {
		return err
	}
	for i := range ga.Vars {
		name := ga.Vars[i].Name
		k := slices.IndexFunc(gb.Vars, func(v formats.Var) bool { return v.Name == name })
		if d.single {
			k = 0
		}
		if k < 0 {
			d.note(path+name, "only in A")
			continue
		}
		if d.attrs {
			d.attributes(path+name, ndarray.StoredAttrs(&ga.Vars[i], a.root), ndarray.StoredAttrs(&gb.Vars[k], b.root))
			if x, y := fmt.Sprint(ga.Vars[i].Dims), fmt.Sprint(gb.Vars[k].Dims); x != y {
				d.note(path+name, fmt.Sprintf("dimensions %s and %s", x, y))
			}
		}
		d.narrow = narrowers(&ga.Vars[i], &gb.Vars[k])
		d.vars = [2]*formats.Var{&ga.Vars[i], &gb.Vars[k]}
		if err := d.variable(ctx, path+name, dsA.Var(name), dsB.Var(gb.Vars[k].Name)); err != nil {
			return err
		}
	}
	for _, v := range gb.Vars {
		if !d.single && !slices.ContainsFunc(ga.Vars, func(x formats.Var) bool { return x.Name == v.Name }) {
			d.note(path+v.Name, "only in B")
		}
	}
	for _, s := range ga.Groups {
		if groupAt(gb, s.Name) == nil {
			d.note(path+s.Name+"/", "only in A")
		} else if err := d.groups(ctx, a, b, path+s.Name+"/"); err != nil {
			return err
		}
	}
	for _, s := range gb.Groups {
		if groupAt(ga, s.Name) == nil {
			d.note(path+s.Name+"/", "only in B")
		}
	}
	return nil
}

func (d *differ) note(name, text string) { d.out = append(d.out, difference{name: name, text: text}) }

// attributes compares attributes by value: the type of a number does not matter, nor does their order.
func (d *differ) attributes(name string, a, b formats.Attrs) {
	if name == "" {
		name = "/"
	}
	for _, x := range a {
		v, ok := b.Get(x.Name)
		if !ok {
			d.note(name, fmt.Sprintf("attribute %s: only in A", x.Name))
			continue
		}
		if s, t := attrKey(x.Value), attrKey(v); s != t {
			d.note(name, fmt.Sprintf("attribute %s: %s and %s", x.Name, s, t))
		}
	}
	for _, x := range b {
		if _, ok := a.Get(x.Name); !ok {
			d.note(name, fmt.Sprintf("attribute %s: only in B", x.Name))
		}
	}
}

// attrKey is an attribute's value as text, equal for equal numbers of any types.
func attrKey(v any) string {
	return strings.TrimSuffix(strings.ReplaceAll(attrText(jsonValue(v))+",", ".0,", ","), ",")
}

// variable compares the values of two variables.
func (d *differ) variable(ctx context.Context, name string, a, b ndarray.Variable) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if ea, eb := a.Err(), b.Err(); ea != nil || eb != nil {
		if ea == nil {
			ea = eb
		}
		d.note(name, fmt.Sprintf("it cannot be read: %v", ea))
		if d.unread == nil {
			d.unread = fmt.Errorf("variable %q: %w", name, ea)
		}
		return nil
	}
	x, y := a.Array(), b.Array()
	switch {
	case !x.Shape().Equal(y.Shape()):
		d.note(name, fmt.Sprintf("shapes %v and %v", x.Shape(), y.Shape()))
		return nil
	case x.DType() != y.DType() || x.Node().ItemBytes != y.Node().ItemBytes:
		d.note(name, fmt.Sprintf("data types %s and %s", d.typeOf(x, 0), d.typeOf(y, 1)))
		return nil
	case x.Size() == 0:
		d.same = append(d.same, difference{name: name, values: values{abs: -1, rel: -1}})
		return nil
	}
	compare := d.numbers
	if !x.DType().IsNumeric() {
		compare = d.pieces
	}
	v, err := compare(ctx, x, y)
	if err != nil {
		return fmt.Errorf("variable %q: %w", name, err)
	}
	if v.count > 0 {
		d.out = append(d.out, difference{name: name, values: v})
	} else {
		d.same = append(d.same, difference{name: name, values: v})
	}
	return nil
}

// typeOf names a data type; of elements that are only carried, as the file of a side does.
func (d *differ) typeOf(x ndarray.Array, side int) string {
	if v := d.vars[side]; x.DType() == dtype.Raw && v.Source != nil {
		return formats.TypeText(v.Source.Meta().Stored, dtype.Raw)
	}
	return x.DType().String()
}

// print writes the differences.
func (d *differ) print(asJSON bool) error {
	if asJSON {
		return d.app.printJSON(d.json())
	}
	for _, x := range d.out {
		text := x.text
		if text == "" {
			text = fmt.Sprintf("%d of %d elements differ", x.count, x.of)
			if x.abs >= 0 {
				text += fmt.Sprintf(", largest absolute difference %.6g, relative %.6g", x.abs, x.rel)
			}
			text += fmt.Sprintf(", at %v", chunk.Shape(x.where))
		}
		if _, err := fmt.Fprintf(d.app.out, "%s: %s\n", x.name, text); err != nil {
			return err
		}
	}
	return nil
}

// json lists every variable that was compared, and what differs beside values.
func (d *differ) json() object {
	vars, others := object{}, []object{}
	for _, x := range append(slices.Clone(d.same), d.out...) {
		if x.text != "" {
			others = append(others, object{{"name", x.name}, {"difference", x.text}})
			continue
		}
		o := object{{"elements", x.of}, {"differing", x.count}, {"max_abs", number(max(x.abs, 0))}, {"max_rel", number(max(x.rel, 0))}, {"where", nil}}
		if x.count > 0 {
			o[4].value = intsJSON(x.where)
			if x.abs < 0 { // texts, or numbers beside NaN
				o[2].value, o[3].value = nil, nil
			}
		}
		vars.set(x.name, o)
	}
	return object{{"equal", len(d.out) == 0}, {"variables", vars}, {"differences", others}}
}

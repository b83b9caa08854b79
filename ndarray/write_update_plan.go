// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// openUpdates opens the outputs that targets change, by URI.
func openUpdates(ctx context.Context, targets []Target) (map[string]*updating, error) {
	updates := map[string]*updating{}
	fail := func(err error) (map[string]*updating, error) {
		for _, u := range updates {
			if u != nil {
				_ = u.close() // opened for reading: nothing is lost
			}
		}
		return nil, err
	}
	for i := range targets {
		t := &targets[i]
		first := &targets[slices.IndexFunc(targets, func(x Target) bool { return x.URI == t.URI })]
		if t.opts.grow != first.opts.grow || !maps.Equal(t.opts.region, first.opts.region) {
			return fail(fmt.Errorf("ndarray: write %s: some variables are appended or written to a region and others not; give all of them the same options", t.URI))
		}
		if _, ok := updates[t.URI]; ok || !t.opts.changes() {
			continue
		}
		if t.opts.overwrite {
			return fail(fmt.Errorf("ndarray: write %s: it cannot be overwritten and appended to", t.URI))
		}
		u, err := openUpdate(ctx, t.URI, t.opts.grow, t.opts.region, 0)
		if err != nil {
			return fail(err)
		}
		updates[t.URI] = u
	}
	maps.DeleteFunc(updates, func(_ string, u *updating) bool { return u == nil })
	return updates, nil
}

// into lays out what goes into an output that is there, and starts writing it.
func (o *outline) into(w *Writing) error {
	u := o.update
	for i, s := range o.spec.Vars {
		r, labels := isData, (func() (*Labels, error))(nil)
		for _, c := range o.coords {
			switch {
			case c.name == s.Name && o.isTarget(i):
				labels = c.read
			case c.name == s.Name:
				r, labels = isCoordinate, c.read
				if len(c.dims) == 0 && o.maps(c.name) {
					r = isGridMapping
				}
			case c.bounds != nil && c.bounds.name == s.Name:
				r, labels = isCoordinate, c.bounds.read
				s.Attrs = inUnitsOf(s.Attrs, c.attrs)
			}
		}
		if err := u.put(s, o.arrays[i], labels, r); err != nil {
			return err
		}
	}
	wr, outs, err := u.open()
	if err != nil {
		return err
	}
	w.writers, w.uris, w.Outputs = append(w.writers, wr), append(w.uris, u.uri), append(w.Outputs, outs...)
	return nil
}

// inUnitsOf returns the attributes of bounds with the units of time of their coordinate, which are theirs too.
func inUnitsOf(bounds, coordinate formats.Attrs) formats.Attrs {
	for _, name := range []string{"units", "calendar"} {
		if x, ok := coordinate.Get(name); ok {
			bounds = bounds.With(name, x)
		}
	}
	return bounds
}

// isTarget reports whether variable i of the output was asked for by itself.
func (o *outline) isTarget(i int) bool { return i < o.data }

// maps reports whether a variable of the output names a grid mapping.
func (o *outline) maps(name string) bool {
	return slices.ContainsFunc(o.spec.Vars, func(v formats.VarSpec) bool { return slices.Contains(mappingNames(v.Attrs), name) })
}

// update starts writing a copy to an output that is there; nil where nothing is there that could be appended to.
func (c *Copying) update(ctx context.Context) (*Writing, error) {
	u, err := openUpdate(ctx, c.URI, c.opts.AppendTo, c.opts.Region, c.opts.Memory)
	if u == nil || err != nil {
		return nil, err
	}
	u.raw = true
	w, err := c.into(u)
	if err != nil {
		_ = u.close() // the first error is the one that counts
	}
	return w, err
}

func (c *Copying) into(u *updating) (*Writing, error) {
	if f := c.opts.Format; f != "" && f != "zarr" && f != u.root.Format {
		return nil, u.errorf("it is %s, got format %q; leave the format out, an output that is there keeps its own: %w", u.root.Format, f, formats.ErrFormat)
	}
	for i, s := range c.Spec.Vars {
		r := isData
		for _, other := range c.Spec.Vars {
			switch {
			case slices.Contains(mappingNames(other.Attrs), s.Name) && len(s.Shape) == 0:
				r = isGridMapping
			case boundsOf(other.Attrs) == s.Name:
				s.Attrs = inUnitsOf(s.Attrs, other.Attrs)
			}
		}
		if err := u.put(s, c.Arrays[i], nil, r); err != nil {
			return nil, err
		}
	}
	wr, outs, err := u.open()
	if err != nil {
		return nil, err
	}
	return &Writing{Outputs: outs, writers: []formats.Writer{wr}, uris: []string{c.URI}}, nil
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// PlanWrite lays out the targets and opens a writer for each output, under a partial name beside
// its place. Coordinates, bounds, grid mappings and attributes go with the variables; a line is added to history.
// An output that exists is an error wrapping formats.ErrExists unless Overwrite is set. After an error nothing is left behind.
func PlanWrite(ctx context.Context, targets []Target) (*Writing, error) {
	return planWrite(ctx, targets, all.Create)
}

// Create opens the writer: under a partial name beside the output's place, or of what is there where the copy is appended to it or
// written to a region of it.
func (c *Copying) Create(ctx context.Context) (*Writing, error) {
	if c.opts.AppendTo != "" || c.opts.Region != nil {
		w, err := c.update(ctx)
		if w != nil || err != nil {
			return w, err
		}
	}
	w, err := c.create(ctx)
	if err != nil {
		return nil, err
	}
	out := &Writing{writers: []formats.Writer{w}, uris: []string{c.URI}}
	for i, a := range c.Arrays {
		out.Outputs = append(out.Outputs, Output{Array: a, Name: c.Spec.Vars[i].Name, To: w.Sink(i)})
	}
	return out, nil
}

// create begins the output. A lossy copy leaves out, with a warning, variables for which there is no place beside the others.
func (c *Copying) create(ctx context.Context) (formats.Writer, error) {
	for {
		w, err := all.Create(ctx, c.URI, c.Spec)
		var m *formats.Misfit
		if !errors.As(err, &m) {
			return w, err
		}
		i := slices.IndexFunc(c.Spec.Vars, func(v formats.VarSpec) bool { return v.Name == m.Var })
		if !c.opts.Lossy || i < 0 || len(c.Spec.Vars) == 1 {
			return nil, fmt.Errorf("%w; %w", err, ErrCannotHold)
		}
		c.opts.Warn(fmt.Sprintf("variable %q is left out: %v", m.Var, strings.TrimSuffix(m.Err.Error(), ": "+formats.ErrFormat.Error())))
		c.Spec.Vars, c.Arrays = slices.Delete(c.Spec.Vars, i, i+1), slices.Delete(c.Arrays, i, i+1)
	}
}

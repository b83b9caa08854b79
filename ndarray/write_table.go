// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"context"
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// writingTable is a table that is written once its rows are known.
type writingTable struct {
	target  Target
	columns []Array
	written bool
}

// TableRows returns the numbers of rows of the outputs that are tables, in the order of their targets. It is for after the run.
func (w *Writing) TableRows() []int64 {
	list := make([]int64, len(w.tables))
	for i, t := range w.tables {
		if len(t.columns) > 0 {
			list[i] = t.columns[0].Size()
		}
	}
	return list
}

// targets returns the targets of the table's columns.
func (w *writingTable) targets(columns []Array) []Target {
	list := make([]Target, len(columns))
	for i, c := range w.target.table.columns {
		t := w.target
		t.table = nil
		t.Value = NewVariable(c.Name, columns[i], []string{w.target.table.rows}, c.Attrs)
		t.opts.named, t.opts.steps, t.opts.chunks = true, nil, nil
		if n, ok := w.target.opts.chunks[w.target.table.rows]; ok {
			t.opts.chunks = Chunks{w.target.table.rows: n}
		}
		list[i] = t
	}
	return list
}

// sample returns columns of one row: what can be checked of the table before a run.
func (t *Table) sample() []Array {
	list := make([]Array, len(t.columns))
	for i, c := range t.columns {
		list[i] = Zeros(chunk.Shape{1}, c.DType)
	}
	return list
}

// planTables plans the targets that are tables and returns the others. That a table can be written where it is to go is tried with one row.
func (w *Writing) planTables(ctx context.Context, targets []Target, create createFunc) (rest []Target, err error) {
	for i, t := range targets {
		if t.table == nil {
			rest = append(rest, t)
			continue
		}
		if err := t.table.err; err != nil {
			return nil, err
		}
		if slices.ContainsFunc(targets, func(o Target) bool { return o.URI == t.URI && o.table != targets[i].table }) {
			return nil, fmt.Errorf("ndarray: write %s: a table is an output of its own: got other results beside it", t.URI)
		}
		if t.opts.grow != "" || t.opts.region != nil {
			return nil, fmt.Errorf("ndarray: write %s: a table cannot be appended to an output or written to a region of one", t.URI)
		}
		wt := &writingTable{target: t}
		outs, err := layOut(wt.targets(t.table.sample()), nil)
		if err != nil {
			return nil, err
		}
		outs[0].spec.Rows = t.table.rows
		trial, err := create(ctx, t.URI, outs[0].spec)
		if err != nil {
			return nil, err
		}
		if err := trial.Abort(); err != nil {
			return nil, err
		}
		w.tables = append(w.tables, wt)
		w.Outputs = append(w.Outputs, t.table.output(t.URI, func(columns []Array) error { wt.columns = columns; return nil }))
	}
	return rest, nil
}

// TableOutputs returns what an engine computes for those of the targets that are tables: for plans, which do not run.
func TableOutputs(targets []Target) []Output {
	var list []Output
	for _, t := range targets {
		if t.table != nil && t.table.err == nil {
			list = append(list, t.table.output(t.URI, nil))
		}
	}
	return list
}

// writeTables writes the tables, whose rows are known now, without making them visible.
func (w *Writing) writeTables(ctx context.Context) error {
	for _, t := range w.tables {
		if t.written {
			continue
		}
		t.written = true
		outs, err := layOut(t.targets(t.columns), nil)
		if err != nil {
			return err
		}
		o := outs[0]
		o.spec.Rows = t.target.table.rows
		wr, err := w.create(ctx, o.uri, o.spec)
		if err != nil {
			return err
		}
		w.writers, w.uris = append(w.writers, wr), append(w.uris, o.uri)
		for i, a := range o.arrays {
			if err := writeHost(ctx, wr.Sink(i), a); err != nil {
				return fmt.Errorf("ndarray: write %s: column %q: %w", o.uri, o.spec.Vars[i].Name, err)
			}
		}
	}
	return nil
}

// writeHost gives the chunks of an array in host memory to a sink.
func writeHost(ctx context.Context, to formats.Sink, a Array) error {
	c := hostOf(a)
	if c == nil {
		return fmt.Errorf("%v is not in memory: %w", a, dtype.ErrPromote)
	}
	g := to.Grid()
	for k := range g.Covering(chunk.Whole(c.Shape)) {
		if _, err := to.WriteChunk(ctx, k, c.Sub(g.Region(k))); err != nil {
			return err
		}
	}
	return nil
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// Table is named columns of one length, which is known only after a run: what is measured of each label of an image, say. It is an immutable
// value, and lazy: columns are found out in one sweep over the arrays that the table is about, with whatever else is computed of these in the same run.
//
// To writes it, to .parquet, .arrow, .csv or any other format. Column gives one column as an Array, whose values Values brings to Go.
type Table struct {
	rows    string // the name of the dimension along which rows lie
	on      []Array
	sweep   *graph.Sweep
	columns []TableColumn
	err     error
}

// TableColumn is a column of a Table: Of makes it, in host memory and one-dimensional, of what the table's sweep has found.
type TableColumn struct {
	Name  string
	DType dtype.DType
	Attrs formats.Attrs
	Of    func(found any) Array
}

// NewTable returns the table whose columns are made of what a sweep over arrays, one at least and all of one shape, finds. rows names the dimension along which the rows
// lie. It is for packages that measure; columns of one name, arrays of other shapes and no columns are errors.
func NewTable(rows string, columns []TableColumn, sweep *graph.Sweep, on ...Array) Table {
	if len(on) == 0 || len(columns) == 0 {
		return FailedTable(fmt.Errorf("ndarray: table: got %d arrays and %d columns, want one at least", len(on), len(columns)))
	}
	for i, a := range on {
		if a.Err() != nil {
			return Table{err: a.Err()}
		}
		if !a.unknown() && !on[0].unknown() && !a.Shape().Equal(on[0].Shape()) {
			return FailedTable(fmt.Errorf("ndarray: table: array %d: got shape %v, want %v as the first has", i+1, a.Shape(), on[0].Shape()))
		}
	}
	for i, c := range columns {
		if slices.ContainsFunc(columns[:i], func(o TableColumn) bool { return o.Name == c.Name }) {
			return FailedTable(fmt.Errorf("ndarray: table: column %q occurs twice", c.Name))
		}
	}
	return Table{rows: rows, on: slices.Clone(on), sweep: sweep, columns: slices.Clone(columns)}
}

// FailedTable returns a table that carries an error.
func FailedTable(err error) Table { return Table{err: err} }

// Err returns the first error of the calls that made the table.
func (t Table) Err() error { return t.err }

// Columns returns the names of the columns, in order.
func (t Table) Columns() []string {
	names := make([]string, len(t.columns))
	for i, c := range t.columns {
		names[i] = c.Name
	}
	return names
}

// Column returns a column, or an array that carries the error that there is none of the name. Its length is known after a run; columns that are computed in one run
// (ComputeAll) are found out in one sweep.
func (t Table) Column(name string) Array {
	if t.err != nil {
		return Failed(t.err, string(here()))
	}
	i := slices.IndexFunc(t.columns, func(c TableColumn) bool { return c.Name == name })
	if i < 0 {
		return failf("ndarray: table: there is no column %q; it has %s", name, strings.Join(t.Columns(), ", "))
	}
	c := t.columns[i]
	nodes := make([]*graph.Node, len(t.on))
	for k, a := range t.on {
		nodes[k] = a.Node()
	}
	return Array{here().Later(graph.LaterArg{Key: "column " + name, Sweep: t.sweep, Build: func(_ []*graph.Node, found any) *graph.Node {
		return c.Of(found).Node()
	}}, c.DType, unknownAxis(), nodes...)}
}

// Select returns the table of the named columns only, in that order.
func (t Table) Select(names ...string) Table {
	if t.err != nil {
		return t
	}
	out := t
	out.columns = nil
	for _, n := range names {
		i := slices.IndexFunc(t.columns, func(c TableColumn) bool { return c.Name == n })
		if i < 0 {
			return FailedTable(fmt.Errorf("ndarray: table: there is no column %q; it has %s", n, strings.Join(t.Columns(), ", ")))
		}
		out.columns = append(out.columns, t.columns[i])
	}
	return NewTable(t.rows, out.columns, t.sweep, t.on...)
}

// output returns what an engine sweeps over for the table; done is given its columns, in order.
func (t Table) output(name string, done func(columns []Array) error) Output {
	return Output{Name: name, Array: t.on[0], With: t.on[1:], Sweep: t.sweep, Done: func(found any) error {
		columns := make([]Array, len(t.columns))
		for i, c := range t.columns {
			if columns[i] = c.Of(found); columns[i].Err() != nil {
				return columns[i].Err()
			}
		}
		return done(columns)
	}}
}

// Output returns what an engine computes for the table beside other outputs: done is given its columns as chunks in host memory, in order.
func (t Table) Output(name string, done func(columns []*chunk.Chunk) error) Output {
	return t.output(name, func(columns []Array) error {
		chunks := make([]*chunk.Chunk, len(columns))
		for i, a := range columns {
			chunks[i] = hostOf(a)
		}
		return done(chunks)
	})
}

// hostOf returns the elements of an array in host memory.
func hostOf(a Array) *chunk.Chunk {
	if a.Node().Kind == graph.Load {
		if m, ok := a.Node().Arg.(graph.LoadArg).Source.(*memSource); ok {
			return m.data
		}
	}
	return nil
}

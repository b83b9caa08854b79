// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// evaluated is what an evaluation gave: what went where, and the text for stdout.
type evaluated struct {
	results []result
	prints  []*printing
	tables  []*printedTable
	targets []ndarray.Target
	text    string
}

// result is one array that was computed.
type result struct {
	shape chunk.Shape
	dtype string
}

// tableType is what answers say of a table in the place of a dtype.
const tableType = "table"

// tableResult returns the result that a table is, whose rows are filled in after the run.
func tableResult(t ndarray.Table) result {
	return result{shape: chunk.Shape{-1, int64(len(t.Columns()))}, dtype: tableType}
}

// printing is an array that becomes text.
type printing struct {
	title string // of a variable of a data set, else ""
	full  chunk.Shape
	array ndarray.Array // what the text shows: all of it, or its corners
	host  *chunk.Chunk
}

// evaluate opens the inputs, builds the arrays, plans and runs them in one
// sweep, and writes the outputs: all of them complete, or none.
func (a *app) evaluate(ctx context.Context, eng *sched.Engine, e evaluation) (*evaluated, error) {
	files := files{lost: a.missing()}
	defer files.close()
	env := expr.Env{}
	for _, in := range e.inputs {
		if err := files.bind(ctx, env, in, e.raw, a.settings.bytes("memory")); err != nil {
			return nil, at(exitInput, err)
		}
	}
	values, err := expr.Eval(e.expr, env)
	if err != nil {
		return nil, atExpression(err)
	}
	outputs := e.outputs
	if len(outputs) == 0 {
		outputs = []output{{uri: "-"}}
	}
	r := &evaluated{}
	picked := make([]expr.Named, len(outputs))
	for i, o := range outputs {
		if picked[i], err = pick(values, o); err != nil {
			return nil, err
		}
	}
	if err := known(ctx, eng, picked); err != nil {
		return nil, at(exitRunning, err)
	}
	for i, o := range outputs {
		v := picked[i]
		if o.uri == "-" {
			err = r.addText(v.Value)
		} else {
			err = r.addFile(o, v, e)
		}
		if err != nil {
			return nil, at(exitUsage, err)
		}
	}
	if e.explain != "" {
		return r, a.explain(ctx, eng, r, e)
	}
	if err := a.compute(ctx, eng, r); err != nil {
		return r, err
	}
	a.warnMissing(files.lost)
	return r, nil
}

// pick finds the value that an output wants. NAME=URI names the expression's
// result when that has no name of its own and none is assigned.
func pick(values *expr.Result, o output) (expr.Named, error) {
	if o.name == "" {
		return values.Last, nil
	}
	if v, ok := values.Lookup(o.name); ok {
		return expr.Named{Name: o.name, Value: v}, nil
	}
	if o.lone || values.Last.Name == "" {
		return expr.Named{Name: o.name, Value: values.Last.Value}, nil
	}
	names := make([]string, len(values.Named))
	for i, v := range values.Named {
		names[i] = v.Name
	}
	return expr.Named{}, usagef("-o %s=%s: the expression names no %q, it names %s", o.name, o.uri, o.name, strings.Join(names, ", "))
}

// known fills in lengths that only a run tells, of all arrays in one: they may wait for the same passes.
func known(ctx context.Context, eng *sched.Engine, values []expr.Named) error {
	var list []ndarray.Array
	var at []int
	waits := false
	for i, v := range values {
		if x, ok := v.Value.(ndarray.Array); ok && x.Err() == nil {
			list, at = append(list, x), append(at, i)
			waits = waits || slices.Contains(x.Shape(), -1)
		}
	}
	if !waits {
		return nil
	}
	list, err := eng.Resolve(ctx, list...)
	if err != nil {
		return err
	}
	for k, i := range at {
		values[i].Value = list[k]
	}
	return nil
}

// addText adds a value that is printed.
func (r *evaluated) addText(v any) error {
	switch x := v.(type) {
	case *ndarray.Dataset:
		for _, n := range x.Vars() {
			if err := r.addPrint(n, x.Var(n).Array()); err != nil {
				return err
			}
		}
		return nil
	case ndarray.Variable:
		return r.addPrint("", x.Array())
	case ndarray.Array:
		return r.addPrint("", x)
	case ndarray.Table:
		r.tables = append(r.tables, &printedTable{table: x})
		r.results = append(r.results, tableResult(x))
		return x.Err()
	}
	return fmt.Errorf("the result is a %T, want an array", v)
}

func (r *evaluated) addPrint(title string, x ndarray.Array) error {
	if err := r.note(x); err != nil {
		return err
	}
	p := &printing{title: title, full: x.Shape(), array: x}
	if at := printPositions(x.Shape()); at != nil {
		idx := make([]ndarray.Index, len(at))
		for i := range at {
			idx[i] = ndarray.Take(at[i])
		}
		p.array = x.Index(idx...)
	}
	r.prints = append(r.prints, p)
	return p.array.Err()
}

// addFile adds a value that is written: a variable, an array, or every variable of a data set.
func (r *evaluated) addFile(o output, v expr.Named, e evaluation) error {
	options := append(slices.Clone(e.options), ndarray.History("arrayrun eval "+e.expr))
	switch x := v.Value.(type) {
	case *ndarray.Dataset:
		for _, n := range x.Vars() {
			if err := r.note(x.Var(n).Array()); err != nil {
				return err
			}
			r.targets = append(r.targets, ndarray.To(o.uri, x.Var(n), options...))
		}
		if len(x.Vars()) == 0 {
			return fmt.Errorf("-o %s: the data set has no variables", o.uri)
		}
		return nil
	case ndarray.Variable:
		if err := r.note(x.Array()); err != nil {
			return err
		}
	case ndarray.Array:
		if err := r.note(x); err != nil {
			return err
		}
	case ndarray.Table:
		if x.Err() != nil {
			return x.Err()
		}
		r.results = append(r.results, tableResult(x))
	default:
		return fmt.Errorf("-o %s: the result is a %T, want an array", o.uri, v.Value)
	}
	if v.Name != "" {
		options = append(options, ndarray.As(v.Name))
	}
	r.targets = append(r.targets, ndarray.To(o.uri, v.Value, options...))
	return nil
}

// note remembers an array for the answer of a batch, or returns its error.
func (r *evaluated) note(x ndarray.Array) error {
	if err := x.Err(); err != nil {
		return err
	}
	r.results = append(r.results, result{x.Shape(), x.DType().String()})
	return nil
}

// outputs returns what the engine computes for the texts.
func (r *evaluated) outputs() []ndarray.Output {
	var list []ndarray.Output
	for i, p := range r.prints {
		item := int64(max(p.array.Node().ItemBytes, p.array.DType().Size()))
		shape := p.array.Shape()
		data := make([]byte, shape.Size()*item, shape.Size()*item+mem.Align)
		p.host = &chunk.Chunk{DType: p.array.DType(), ItemBytes: int32(item), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(data)}
		list = append(list, ndarray.Output{Array: p.array, Name: fmt.Sprintf("text %d", i+1), Each: func(at chunk.Region, c *chunk.Chunk) error {
			to := p.host.Sub(at)
			formats.CopyElems(to, c)
			p.host.Heap = to.Heap
			return nil
		}})
	}
	for _, t := range r.tables {
		list = append(list, t.output())
	}
	return list
}

// compute runs everything in one sweep and makes the outputs visible.
func (a *app) compute(ctx context.Context, eng *sched.Engine, r *evaluated) (err error) {
	w, err := ndarray.PlanWrite(ctx, r.targets)
	if err != nil {
		return atOutput(err)
	}
	defer func() {
		if err != nil {
			_ = w.Abort() // the first error is the one that counts
		}
	}()
	p, err := eng.PlanOutputs(ctx, append(w.Outputs, r.outputs()...))
	if err != nil {
		return at(exitUsage, err)
	}
	if err := a.run(ctx, eng, p); err != nil {
		return err
	}
	if err := w.Commit(ctx); err != nil {
		return atWriting(err)
	}
	var b strings.Builder
	for _, p := range r.prints {
		if p.title != "" {
			fmt.Fprintf(&b, "%s:\n", p.title)
		}
		b.WriteString(arrayText(p.full, p.host) + "\n")
	}
	rows := w.TableRows()
	for _, t := range r.tables {
		b.WriteString(t.text)
		rows = append(rows, t.rows)
	}
	for i := range r.results {
		if x := &r.results[i]; x.dtype == tableType {
			x.shape[0], rows = rows[0], rows[1:]
		}
	}
	r.text = b.String()
	return nil
}

// run starts a plan, reports its progress and waits for its end.
func (a *app) run(ctx context.Context, eng *sched.Engine, p *sched.Plan) error {
	if err := unwritten(ctx, p.Physical()); err != nil {
		return at(exitInput, errors.Join(err, p.Close()))
	}
	rep := reporterFor(a.settings.text("progress"), a.err)
	job := eng.Start(ctx, p)
	for e := range job.Progress() {
		rep.event(e)
	}
	err := job.Wait()
	rep.end(err)
	if cause := context.Cause(ctx); err != nil && cause != nil {
		return cause
	}
	return at(exitRunning, err)
}

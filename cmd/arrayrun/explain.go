// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"os"
	"path"
	"path/filepath"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// explain plans the results and sets the text to the plan; no output is touched.
func (a *app) explain(ctx context.Context, eng *sched.Engine, r *evaluated, e evaluation) (err error) {
	uris, specs, arrays, err := ndarray.PlanSpecs(r.targets)
	if err != nil {
		return atOutput(err)
	}
	there := false
	for _, uri := range uris {
		if e.update && !there {
			if there, err = all.Updatable(ctx, uri); err != nil {
				return atOutput(err)
			}
		}
	}
	var outputs []ndarray.Output
	if there { // what is stored says whether, and how, it can be written to
		w, refused := ndarray.PlanWrite(ctx, r.targets)
		if refused != nil {
			return atOutput(refused)
		}
		defer func() { err = errors.Join(err, w.Abort()) }()
		outputs = w.Outputs
	} else {
		for i, spec := range specs {
			list, drop, refused := a.plannedOutputs(ctx, uris[i], spec, arrays[i], func(ctx context.Context, name string) (list []ndarray.Output, abort func() error, err error) {
				w, err := all.Create(ctx, name, spec)
				if err != nil {
					return nil, nil, err
				}
				for k, v := range spec.Vars {
					list = append(list, ndarray.Output{Array: arrays[i][k], Name: v.Name, To: w.Sink(k)})
				}
				return list, w.Abort, nil
			})
			if refused != nil {
				return atOutput(refused)
			}
			defer func() { err = errors.Join(err, drop()) }()
			outputs = append(outputs, list...)
		}
	}
	outputs = append(outputs, ndarray.TableOutputs(r.targets)...)
	p, err := eng.PlanOutputs(ctx, append(outputs, r.outputs()...))
	if err != nil {
		return at(exitUsage, err)
	}
	defer p.Close()
	if e.dump != nil {
		r.text, err = e.dump.text(p.Physical())
		return err
	}
	if e.explain == "json" {
		b, err := p.ExplainJSON()
		r.text = string(b) + "\n"
		return err
	}
	r.text = p.Explain()
	return nil
}

// aside returns the name of an output in a new folder, for the plan of one that is not to be touched: its chunks, and what writing one takes, are
// those of the output that is begun there. drop removes the folder.
func (a *app) aside(uri string) (name string, drop func() error, err error) {
	if !all.Remote(uri) {
		if uri, err = all.Path(uri); err != nil {
			return "", nil, err
		}
	}
	dir, err := os.MkdirTemp(a.settings.text("tmpdir"), "arrayrun-plan-")
	if err != nil {
		return "", nil, err
	}
	return filepath.Join(dir, path.Base(uri)), func() error { return os.RemoveAll(dir) }, nil
}

// plannedOutputs are the outputs of a plan of what would be written to uri, with what drops them after it. What has no chunks is not begun: it
// would be as large as its values.
func (a *app) plannedOutputs(ctx context.Context, uri string, spec formats.Spec, arrays []ndarray.Array, create func(ctx context.Context, name string) ([]ndarray.Output, func() error, error)) (list []ndarray.Output, drop func() error, err error) {
	if all.Free(uri) {
		for k, v := range spec.Vars {
			list = append(list, ndarray.Output{Array: arrays[k], Name: v.Name, To: plannedSink{v}})
		}
		return list, func() error { return nil }, nil
	}
	name, remove, err := a.aside(uri)
	if err != nil {
		return nil, nil, err
	}
	list, abort, err := create(ctx, name)
	if err != nil {
		return nil, nil, errors.Join(err, remove())
	}
	return list, func() error { return errors.Join(abort(), remove()) }, nil
}

// plannedSink stands for an output without chunks that is only planned.
type plannedSink struct{ spec formats.VarSpec }

// Regrid does nothing: nothing is written.
func (plannedSink) Regrid(chunk.Grid) {}

// Grid returns the chunks the output would have.
func (s plannedSink) Grid() chunk.Grid {
	if s.spec.Grid != nil {
		return *s.spec.Grid
	}
	return chunk.DefaultGrid(s.spec.Shape, max(s.spec.ItemBytes, s.spec.DType.Size()))
}

// ScratchBytes returns 0: nothing is written.
func (plannedSink) ScratchBytes() int64 { return 0 }

// WriteChunk refuses: the plan is not for running.
func (plannedSink) WriteChunk(context.Context, chunk.Key, *chunk.Chunk) (int64, error) {
	return 0, errors.New("arrayrun: a plan that is only explained was run")
}

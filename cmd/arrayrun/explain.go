// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"

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
			for k, v := range spec.Vars {
				outputs = append(outputs, ndarray.Output{Array: arrays[i][k], Name: v.Name, To: planned(uris[i], v)})
			}
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

// plannedSink stands for an output that is only planned.
type plannedSink struct{ spec formats.VarSpec }

// freePlannedSink is one of an output that has no chunks.
type freePlannedSink struct{ plannedSink }

// Regrid does nothing: nothing is written.
func (freePlannedSink) Regrid(chunk.Grid) {}

// planned returns a sink for a variable of an output that is only planned.
func planned(uri string, v formats.VarSpec) formats.Sink {
	if all.Free(uri) {
		return freePlannedSink{plannedSink{v}}
	}
	return plannedSink{v}
}

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

// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"

	"github.com/arrayrun/arrayrun/ndarray"
)

// Store computes the targets and writes them, in as few sweeps as possible. Either all
// outputs are complete, or none of them exists and the error says why. An output that exists and may
// not be replaced gives an error wrapping formats.ErrExists, a plan that cannot fit one wrapping ErrBudget,
// both before anything is computed.
func (e *Engine) Store(ctx context.Context, targets ...ndarray.Target) error {
	p, err := e.Plan(ctx, targets...)
	if err != nil {
		return err
	}
	return e.Start(ctx, p).Wait()
}

// Plan plans what Store would do. It opens the outputs, under partial names;
// Close removes them when the plan is not started.
func (e *Engine) Plan(ctx context.Context, targets ...ndarray.Target) (*Plan, error) {
	w, err := ndarray.PlanWrite(ctx, targets)
	if err != nil {
		return nil, err
	}
	p, err := e.PlanOutputs(ctx, w.Outputs)
	if err != nil {
		return nil, errors.Join(err, w.Abort())
	}
	p.commit, p.abort = w.Commit, w.Abort
	return p, nil
}

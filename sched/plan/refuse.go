// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"context"
	"errors"
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
)

// refusal is the error of a stage whose smallest task does not fit the budget; it wraps ErrBudget.
type refusal struct {
	stage  string
	id     int
	tile   chunk.Shape
	need   int64 // bytes of this stage
	budget int64
	works  int64 // a budget in which the whole plan fits, in whole MiB
	advice string
}

func (r *refusal) Error() string {
	return fmt.Sprintf("sched: %s stage %d needs %s of host memory for one task of shape %v, budget is %s; %sraise --memory to %dMiB: %v",
		r.stage, r.id, Bytes(r.need), r.tile, Bytes(r.budget), r.advice, r.works>>20, ErrBudget) // exact: 1.5 GiB may be rounded down
}

func (r *refusal) Unwrap() error { return ErrBudget }

// refuse returns the error of a stage whose smallest task does not fit.
func (pl *planner) refuse(s *Stage) error {
	need := s.Run + s.Hold + pl.floor(s) + pl.opt.Beside
	return &refusal{stage: pl.plan.StageName(s), id: len(pl.plan.Stages), tile: s.Tiles.MaxChunk(),
		need: need, budget: pl.opt.Budget + pl.opt.Beside, works: roundUp(need), advice: pl.advice(s)}
}

// maxRetries bounds the budgets that are tried: each is what one more stage needs.
const maxRetries = 32

// withWorking gives a refusal a budget that works. What one stage needs may be too little for the
// next, and with more room tiles are cut in another way, so the plan is made again until it fits.
func withWorking(ctx context.Context, err error, outs []Output, opt Options) error {
	var first *refusal
	if !errors.As(err, &first) {
		return err
	}
	for range maxRetries {
		opt.Budget = first.works
		_, err := fit(ctx, outs, opt)
		var next *refusal
		if !errors.As(err, &next) {
			break
		}
		first.works = max(next.works, roundUp(first.works+1))
	}
	return err
}

// advice names what makes the task large: the memory of the GPU's driver where that is the most of it, else the axis with the longest
// chunks, where there is one; other chunks are no help where a function takes all of the axis.
func (pl *planner) advice(s *Stage) string {
	if pl.opt.Far && pl.opt.Beside > s.Run+s.Hold {
		return fmt.Sprintf("use --device cpu, as %s of that are for the GPU's driver and transfers, or ", Bytes(pl.opt.Beside))
	}
	worst, most := -1, int64(1)
	t := s.Tiles.MaxChunk()
	for i, n := range t {
		if n > most {
			worst, most = i, n
		}
	}
	if worst < 0 {
		return ""
	}
	if s.Body.whole(worst) {
		return fmt.Sprintf("select a part of axis %d, of which a task needs all %d, or ", worst, most)
	}
	return fmt.Sprintf("rechunk axis %d from %d to %d or ", worst, most, max(1, most/2))
}

// roundUp rounds bytes up to a number people type: a multiple of 16 MiB, below that of 1 MiB.
func roundUp(n int64) int64 {
	step := int64(1 << 20)
	if n > 64<<20 {
		step = 16 << 20
	}
	return (n + step - 1) / step * step
}

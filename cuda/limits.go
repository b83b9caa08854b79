// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/kernels"
)

// The limits of a kernel. What compilers accept goes further; beyond these a device runs it badly or not at all.
const (
	maxParams       = 448      // of the 512 that fit the 4 KiB of every architecture's parameter space
	maxBuffers      = 40       // inputs and outputs of one kernel
	maxInstructions = 4096     // slow programs included: NVRTC takes seconds for more
	maxShared       = 24 << 10 // bytes of a block, half of what every device has: two blocks at once
	maxLive         = 120      // 64-bit values at once: 240 of the 255 registers of a thread
)

// check reports a source that no device could launch.
func (s *Source) check() error {
	if n := len(s.params); n > maxParams {
		return fmt.Errorf("cuda: %s: %d parameters of 8 bytes, want at most %d: %w", s.What, n, maxParams, kernels.ErrUnsupported)
	}
	return nil
}

// check reports a part that is better left to the CPU, with the reason.
func (q *part) check() error {
	buffers := len(q.ret)
	for _, f := range q.folds {
		buffers += len(f.r.State(q.p.RegType(f.Args[0])))
	}
	for _, live := range q.in {
		if live {
			buffers++
		}
	}
	if buffers > maxBuffers {
		return fmt.Errorf("cuda: %d buffers, want at most %d: %w", buffers, maxBuffers, kernels.ErrUnsupported)
	}
	if n := q.instructions(); n > maxInstructions {
		return fmt.Errorf("cuda: %d instructions, want at most %d: %w", n, maxInstructions, kernels.ErrUnsupported)
	}
	if n := q.pressure(); n > maxLive {
		return fmt.Errorf("cuda: %d values live at once, want at most %d: %w", n, maxLive, kernels.ErrUnsupported)
	}
	return nil
}

// pressure returns how many values are live at once at most, counted in 64-bit registers (halves round up).
// Constants are parameters and cost none.
func (q *part) pressure() int {
	first := len(q.p.In) + len(q.p.Consts)
	size := func(r kernels.Reg) int { return max(1, q.p.RegType(r).Size()/4) }
	live := map[kernels.Reg]bool{}
	words := 0
	add := func(r kernels.Reg) {
		if int(r) >= len(q.p.In) && int(r) < first || live[r] {
			return
		}
		live[r] = true
		words += size(r)
	}
	for _, r := range q.ret {
		add(r)
	}
	for _, f := range q.folds {
		for _, r := range f.Args {
			add(r)
		}
		words += 2 * len(f.r.State(q.p.RegType(f.Args[0])))
	}
	most := words
	for i := len(q.p.Body) - 1; i >= 0; i-- {
		r := kernels.Reg(first + i)
		if !q.live[r] {
			continue
		}
		if live[r] {
			delete(live, r)
			words -= size(r)
		}
		for _, a := range q.p.Body[i].Args {
			if a >= 0 {
				add(a)
			}
		}
		most = max(most, words)
	}
	return (most + 1) / 2
}

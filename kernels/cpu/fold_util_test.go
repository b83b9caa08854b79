// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// executors returns a device of each mode, open until the test ends.
func executors(t *testing.T) (list []kernels.Device) {
	for _, m := range modes {
		d := cpu.New(cpu.Options{Mode: m})
		t.Cleanup(func() { d.Close() })
		list = append(list, d)
	}
	return list
}

// foldStates returns chunks, no byte longer than they must be, for the states of p's folds, which are all over the axes.
func foldStates(p *kernels.Program, shape chunk.Shape, axes kernels.AxisSet) (list []*chunk.Chunk) {
	out := chunk.Shape{kernels.FoldBlocks(shape, axes)}
	for i, n := range shape {
		if !axes.Has(i) {
			out = append(out, n)
		}
	}
	for _, f := range p.Folds {
		for _, s := range kernels.ReductionOf(f.Op).State(p.RegType(f.Args[0])) {
			n := out.Size() * int64(s.DType.Size())
			list = append(list, &chunk.Chunk{DType: s.DType, ItemBytes: int32(s.DType.Size()), Shape: out, Strides: out.RowMajor(), Block: mem.Wrap(make([]byte, n+mem.Align)[:n])})
		}
	}
	return list
}

// runInParts runs a call as several, cut at random along the first axis, each of which goes on from the one before.
func runInParts(t *testing.T, r *rand.Rand, dev kernels.Device, p *kernels.Program, call kernels.Call) {
	t.Helper()
	for lo := int64(0); lo < call.Shape[0]; {
		hi := lo + 1 + r.Int64N(call.Shape[0]-lo)
		part := chunk.Whole(call.Shape)
		part.Lo[0], part.Hi[0] = lo, hi
		c := kernels.Call{Out: call.Out, Shape: part.Shape(), Origin: part.Lo, Continue: lo > 0}
		for _, x := range call.In {
			c.In = append(c.In, x.Sub(part))
		}
		if err := run(dev, p, c); err != nil {
			t.Fatal(err)
		}
		lo = hi
	}
}

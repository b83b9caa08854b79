// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"errors"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// TestLimits renders programs at a limit and beyond it: those beyond are refused as not supported, with the reason.
func TestLimits(t *testing.T) {
	// inputs returns the sum of n inputs.
	inputs := func(n, rank int) *kernels.Program {
		b := kernels.NewBuilder(rank)
		var regs []kernels.Reg
		for range n {
			regs = append(regs, b.Input(kernels.In(dtype.Float64)))
		}
		sum := regs[0]
		for _, r := range regs[1:] {
			sum = b.Apply(kernels.OpAdd, sum, r)
		}
		b.Ret(sum)
		return build(t, b)
	}
	// live returns a program with n values alive at once: squares of one input, which are then added.
	live := func(n int) *kernels.Program {
		b := kernels.NewBuilder(1)
		x := b.Input(kernels.In(dtype.Float64))
		var regs []kernels.Reg
		for len(regs) < n {
			x = b.Apply(kernels.OpMultiply, x, x)
			regs = append(regs, x)
		}
		sum := regs[0]
		for _, r := range regs[1:] {
			sum = b.Apply(kernels.OpAdd, sum, r)
		}
		b.Ret(sum)
		return build(t, b)
	}
	long := func(n int) *kernels.Program {
		b := kernels.NewBuilder(1)
		x := b.Input(kernels.In(dtype.Float64))
		y := x
		for range n {
			y = b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, y, y), x)
		}
		b.Ret(y)
		return build(t, b)
	}
	grouped := func(gather bool) *kernels.Program {
		b := kernels.NewBuilder(2)
		x := b.Input(kernels.In(dtype.Float64))
		b.Input(kernels.In(dtype.Int32))
		port := kernels.In(dtype.Int32)
		if gather {
			port.Gather, port.GatherIDs = 0, 1
		}
		b.Input(port)
		r, _ := kernels.ReductionByName("sum")
		b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(0), Group: 2})
		return build(t, b)
	}
	for _, c := range []struct {
		name string
		p    *kernels.Program
		want string // of the reason, "" where the program is rendered
	}{
		{"39 inputs", inputs(maxBuffers-1, 1), ""},
		{"40 inputs", inputs(maxBuffers, 1), "41 buffers, want at most 40"},
		{"many values", live(maxLive - 20), ""},
		{"too many values", live(maxLive + 20), "values live at once, want at most 120"},
		{"long", long(maxInstructions/2 - 2), ""},
		{"too long", long(maxInstructions/2 + 2), "instructions, want at most 4096"},
		{"groups", grouped(false), ""},
		{"gathered groups", grouped(true), ""},
		{"many strides", inputs(30, 8), ""},
		{"too many strides", inputs(39, 16), "parameters of 8 bytes, want at most 448"},
	} {
		t.Run(c.name, func(t *testing.T) {
			shape := make(chunk.Shape, c.p.Rank)
			for i := range shape {
				shape[i] = int64(2 + i%2)
			}
			in := make([]*chunk.Chunk, len(c.p.In))
			for i, port := range c.p.In { // no axes of all inputs join
				s := shape.RowMajor()
				for a := range s {
					s[a] *= int64(2*a + 1)
				}
				in[i] = &chunk.Chunk{DType: port.DType, ItemBytes: int32(port.DType.Size()), Shape: shape, Strides: s}
			}
			var err error
			for _, q := range partsOf(c.p) {
				if err = q.check(); err == nil {
					_, err = stepOf(q, shape, in, 3).render()
				}
			}
			switch {
			case c.want == "" && err != nil:
				t.Errorf("refused: %v", err)
			case c.want != "" && (!errors.Is(err, kernels.ErrUnsupported) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one that is ErrUnsupported and says %q", err, c.want)
			}
		})
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestComplexFoldsContinue folds complex operands in any layout by one call and by several that go on from states: the
// bits are the same. Real ones are compared with ref by the conformance tests; ref folds no complex ones.
func TestComplexFoldsContinue(t *testing.T) {
	var devices []kernels.Device
	for _, m := range modes {
		d := cpu.New(cpu.Options{Mode: m})
		defer d.Close()
		devices = append(devices, d)
	}
	for _, red := range kernels.AllReductions() {
		for _, d := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
			if _, err := red.Result(d); err != nil || !red.Continues() {
				continue
			}
			for seed := range uint64(12) {
				r := rand.New(rand.NewPCG(seed, uint64(red.ID)))
				shape := chunk.Shape{1 + r.Int64N(40), 1 + r.Int64N(6), 1 + r.Int64N(50)}
				axes := kernels.Axes(0, r.IntN(2))
				b := kernels.NewBuilder(3)
				b.Fold(kernels.Fold{Op: red.ID, Args: []kernels.Reg{b.Input(kernels.In(d))}, Axes: axes, Group: -1})
				p, err := b.Build()
				if err != nil {
					t.Fatal(err)
				}
				x := view(r, d, shape, seed%3 == 0)
				out := chunk.Shape{1}
				for i, n := range shape {
					if !axes.Has(i) {
						out = append(out, n)
					}
				}
				states := func() (cs []*chunk.Chunk) {
					for _, s := range red.State(d) {
						c := newChunk(s.DType, out)
						c.Block = mem.Wrap(c.Block.Bytes()[:out.Size()*int64(s.DType.Size())])
						cs = append(cs, c)
					}
					return cs
				}
				var want []*chunk.Chunk
				for _, dev := range devices {
					whole, parts := states(), states()
					if err := run(dev, p, kernels.Call{In: []*chunk.Chunk{x}, Out: whole, Shape: shape, Origin: make(chunk.Shape, 3)}); err != nil {
						t.Fatal(err)
					}
					if want == nil {
						want = whole
					}
					for lo := int64(0); lo < shape[0]; {
						hi := lo + 1 + r.Int64N(shape[0]-lo)
						reg := chunk.Region{Lo: chunk.Shape{lo, 0, 0}, Hi: chunk.Shape{hi, shape[1], shape[2]}}
						if err := run(dev, p, kernels.Call{In: []*chunk.Chunk{x.Sub(reg)}, Out: parts, Shape: reg.Shape(), Origin: reg.Lo, Continue: lo > 0}); err != nil {
							t.Fatal(err)
						}
						lo = hi
					}
					for i := range want {
						what := fmt.Sprintf("%s(%v) over axes %b of %v, seed %d, %s, component %d", red.Name, d, axes, shape, seed, dev.Name(), i)
						same(t, what+", one call", whole[i], want[i])
						same(t, what+", several calls", parts[i], want[i])
					}
				}
			}
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// TestComplexFoldsContinue folds complex operands in any layout by one call and by several that go on from states: the
// bits are the same. Real ones are compared with ref by the conformance tests; ref folds no complex ones.
func TestComplexFoldsContinue(t *testing.T) {
	devices := executors(t)
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
				var want []*chunk.Chunk
				for _, dev := range devices {
					whole, parts := foldStates(p, shape, axes), foldStates(p, shape, axes)
					call := kernels.Call{In: []*chunk.Chunk{x}, Out: whole, Shape: shape, Origin: make(chunk.Shape, 3)}
					if err := run(dev, p, call); err != nil {
						t.Fatal(err)
					}
					if want == nil {
						want = whole
					}
					call.Out = parts
					runInParts(t, r, dev, p, call)
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

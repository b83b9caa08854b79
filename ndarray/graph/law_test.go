// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"flag"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

var seed = flag.Uint64("seed", 0, "first seed of the random graphs")

// randomGrid cuts shape at random, sometimes irregularly.
func randomGrid(rnd *rand.Rand, shape chunk.Shape) chunk.Grid {
	axes := make([]chunk.Axis, len(shape))
	for i, n := range shape {
		axes[i] = regular(n, 1+rnd.Int64N(max(n, 1)))
		if n > 2 && rnd.IntN(3) == 0 {
			edges := []int64{0}
			for p := 1 + rnd.Int64N(n-1); p < n; p += 1 + rnd.Int64N(n-p) {
				edges = append(edges, p)
			}
			axes[i] = normal(n, append(edges, n))
		}
	}
	return gridOf(axes)
}

// randomSelect selects from n at random: slices, steps, lists, missing, dropped and new axes.
func randomSelect(rnd *rand.Rand, n *Node) *Node {
	shape := n.Grid.Shape
	arg := SelectArg{Fixed: make([]int64, len(shape))}
	maybeNew := func() {
		if rnd.IntN(6) == 0 && len(arg.Axes) < 4 {
			arg.Axes = append(arg.Axes, New(1+rnd.Int64N(2)))
		}
	}
	for i, d := range shape {
		maybeNew()
		switch k := rnd.IntN(8); {
		case d == 0 || k < 3:
			arg.Axes = append(arg.Axes, All(i, d))
		case k == 3:
			arg.Fixed[i] = rnd.Int64N(d)
		case k == 4:
			ids := make([]int64, rnd.Int64N(d+2))
			for j := range ids {
				ids[j] = rnd.Int64N(d)
				if rnd.IntN(12) == 0 {
					ids[j] = -1
				}
			}
			arg.Axes = append(arg.Axes, AxisSel{In: i, IDs: ids, Len: int64(len(ids))})
		default:
			start, step := rnd.Int64N(d), 1+rnd.Int64N(3)
			count := (d-1-start)/step + 1
			if rnd.IntN(2) == 0 {
				step = -step
				count = start/-step + 1
			}
			arg.Axes = append(arg.Axes, AxisSel{In: i, Start: start, Step: step, Len: rnd.Int64N(count + 1)})
		}
	}
	maybeNew()
	return NewSelect(n, arg)
}

// randomNode makes a node of some of the nodes so far, nil when the dice did not fit.
func randomNode(t *testing.T, rnd *rand.Rand, pool []*Node) *Node {
	pick := func() *Node { return pool[rnd.IntN(len(pool))] }
	x := pick()
	rank := len(x.Grid.Axes)
	switch rnd.IntN(14) {
	case 0, 1, 2, 3:
		return randomSelect(rnd, x)
	case 4:
		return NewPermute(x, rnd.Perm(rank))
	case 5:
		return NewRechunk(x, randomGrid(rnd, x.Grid.Shape))
	case 6:
		if rank == 0 {
			return nil
		}
		parts := []*Node{x, randomSelect(rnd, x), x}
		return NewStack(rnd.IntN(rank), parts[:2+rnd.IntN(2)]...)
	case 7, 8:
		name := []string{"sum", "sum", "max", "count"}[rnd.IntN(4)]
		r, ok := kernels.ReductionByName(name)
		if !ok {
			t.Fatalf("no reduction %q", name)
		}
		arg := ReduceArg{Op: r.ID, KeepDims: rnd.IntN(3) == 0}
		for i := range rank {
			if rnd.IntN(2) == 0 {
				arg.Axes = append(arg.Axes, i)
			}
		}
		if len(arg.Axes) == 1 && rnd.IntN(2) == 0 && name != "max" {
			arg.KeepDims, arg.Groups = false, 3
			arg.IDs = make([]int32, x.Grid.Shape[arg.Axes[0]])
			for i := range arg.IDs {
				arg.IDs[i] = int32(rnd.IntN(4)) - 1
			}
		}
		return NewReduce(arg, x)
	case 9:
		c, _ := kernels.ConstOf(dtype.Float64, rnd.NormFloat64())
		if rnd.IntN(2) == 0 || rank == 0 {
			return NewFill(x.Grid, c, -1)
		}
		return NewFill(x.Grid, c, rnd.IntN(rank))
	case 10:
		if rnd.IntN(2) == 0 {
			return NewMap(kernels.OpIsNaN, x)
		}
		return NewCast(x, []dtype.DType{dtype.Int32, dtype.Float32, dtype.Float64}[rnd.IntN(3)])
	case 11:
		if rank == 0 {
			return nil
		}
		return NewScan(kernels.ScanID(1+rnd.IntN(len(kernels.AllScans()))), x, rnd.IntN(rank))
	default:
		ops := []kernels.OpID{kernels.OpAdd, kernels.OpMultiply, kernels.OpMaximum}
		return NewMap(ops[rnd.IntN(len(ops))], x, pick())
	}
}

// TestRewriteLaw: for random graphs the answer has the same bits with rewrites on
// and off, all of them and each left out.
func TestRewriteLaw(t *testing.T) {
	n := uint64(8000)
	if testing.Short() {
		n = 1000
	}
	used := map[string]int{}
	for s := *seed; s < *seed+n; s++ {
		rnd := rand.New(rand.NewPCG(s, 1))
		var pool []*Node
		shape := chunk.Shape{1 + rnd.Int64N(4), 1 + rnd.Int64N(6), 1 + rnd.Int64N(4)}
		for i, dt := range []dtype.DType{dtype.Float64, dtype.Float32, dtype.Int16, dtype.Float64} {
			sh := shape.Clone()[rnd.IntN(3):]
			if rnd.IntN(3) == 0 {
				sh[rnd.IntN(len(sh))] = 1
			}
			src := source(t, rnd, dt, randomGrid(rnd, sh))
			pool = append(pool, NewLoad(src, string(rune('a'+i)), src.meta.Grid))
		}
		for range 6 + rnd.IntN(10) {
			m := randomNode(t, rnd, pool)
			if m != nil && m.Err == nil && len(m.Grid.Axes) <= 5 && m.Grid.Shape.Size() < 3000 {
				pool = append(pool, m)
			}
		}
		outs := pool[len(pool)-3:]
		want := evalAll(t, outs)
		opt := RewriteOptions{Trace: func(rule string, _, _ *Node) { used[rule]++ }}
		if rnd.IntN(3) == 0 {
			all := rules()
			opt.Skip = []string{all[rnd.IntN(len(all))].name}
		}
		got := Rewrite(outs, opt)
		for i, m := range got {
			if err := Verify(m); err != nil {
				t.Fatalf("seed %d: output %d: %v\nbefore:\n%s\nafter:\n%s", s, i, err, Dump(outs...), Dump(got...))
			}
			if !sameOutside(outs[i], m) {
				t.Fatalf("seed %d: output %d: dtype or grid changed\nbefore:\n%s\nafter:\n%s", s, i, Dump(outs...), Dump(got...))
			}
		}
		for i, v := range evalAll(t, got) {
			if err := sameBits(want[i], v); err != nil {
				t.Fatalf("seed %d: output %d: %v\nbefore:\n%s\nafter:\n%s", s, i, err, Dump(outs...), Dump(got...))
			}
		}
		if again := Rewrite(got, RewriteOptions{Skip: opt.Skip}); !slices.Equal(again, got) {
			t.Fatalf("seed %d: rewriting twice changes more\nonce:\n%s\ntwice:\n%s", s, Dump(got...), Dump(again...))
		}
	}
	for _, r := range rules() {
		if used[r.name] == 0 && !testing.Short() {
			t.Errorf("rule %s was never used: the random graphs do not reach it", r.name)
		}
	}
}

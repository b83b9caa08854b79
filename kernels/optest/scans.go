// SPDX-License-Identifier: BSD-3-Clause

package optest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// scans compares scans of every dtype with the oracle, along each axis of loops of several shapes and layouts: in one
// call, and in several that go on from the carry.
func (s *suite) scans(t *testing.T) {
	oracle := ref.New()
	defer oracle.Close()
	shapes := []chunk.Shape{{1}, {97}, {3, 70}, {70, 3}, {13, 40}, {5, 3, 21}, {4, 9, 1}, {2, 3, 4, 5}, {0, 3}, {3, 0}}
	layouts := []layout{{}, {step: 2, lead: 3}, {turned: true}, {reverse: true}, {repeat: kernels.Axes(0)}}
	for _, o := range kernels.AllScans() {
		t.Run(o.Name, func(t *testing.T) {
			for _, d := range numeric {
				if out, err := o.Result(d); err != nil || out != d {
					continue
				}
				for i, shape := range shapes {
					for axis := range shape {
						rng := rand.New(rand.NewPCG(uint64(o.ID)<<8+uint64(d), uint64(i)<<8+uint64(axis)))
						u := &kernels.Scan{Op: o.ID, DType: d, Rank: len(shape), Axis: axis}
						s.scan(t, oracle, u, shape, layouts[rng.IntN(len(layouts))], rng)
					}
				}
			}
		})
	}
}

// scan compares one scan with the oracle.
func (s *suite) scan(t *testing.T, oracle kernels.Device, u *kernels.Scan, shape chunk.Shape, l layout, rng *rand.Rand) {
	t.Helper()
	k := s.compile(t, u, u.String())
	if k == nil {
		return
	}
	o, err := oracle.Compile(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	in := s.guards.place(u.DType, shape, l, func(int64) kernels.Const { return foldValue(rng, u.DType, rng.IntN(6)/3) })
	carry := shape.Clone()
	carry[u.Axis] = 1
	outputs := func() []*chunk.Chunk {
		return []*chunk.Chunk{s.guards.output(u.DType, shape), s.guards.output(u.DType, carry)}
	}
	want := outputs()
	if err := o.Run(context.Background(), &kernels.Call{In: []*chunk.Chunk{in}, Out: want, Shape: shape, Origin: make(chunk.Shape, u.Rank)}); err != nil {
		t.Fatal(err)
	}
	if shape.Size() == 0 {
		want = want[:1]
	}
	for _, pieces := range []bool{false, true} {
		out := outputs()
		n := shape[u.Axis]
		var cuts []int64
		for lo := int64(0); lo < max(n, 1); {
			hi := n
			if pieces && n > 0 {
				hi = lo + 1 + rng.Int64N(n-lo)
			}
			r := chunk.Region{Lo: make(chunk.Shape, u.Rank), Hi: shape.Clone()}
			r.Lo[u.Axis], r.Hi[u.Axis] = lo, hi
			c := &kernels.Call{In: []*chunk.Chunk{in.Sub(r)}, Out: []*chunk.Chunk{out[0].Sub(r), out[1]}, Shape: r.Shape(), Origin: r.Lo, Continue: lo > 0}
			if err := s.run(k, c); err != nil {
				t.Fatalf("%v over %v %s from %d to %d: %v", u, shape, l.name, lo, hi, err)
			}
			cuts = append(cuts, hi)
			lo = max(hi, lo+1)
		}
		sameOutputs(t, fmt.Sprintf("over %v, layout %+v, cut at %v", shape, l, cuts), u, out, want)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
)

func TestSmoke(t *testing.T) {
	e, err := New(Options{Memory: 1 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	data := make([]float64, 30*40)
	for i := range data {
		data[i] = float64(i)
	}
	ctx := context.Background()
	a := ndarray.FromSliceOn(data, chunk.Regular(chunk.Shape{30, 40}, 7, 9))
	v, err := ndarray.Values[float64](ctx, e, a.Add(1.0))
	if err != nil {
		t.Fatal(err)
	}
	for i := range v {
		if v[i] != float64(i+1) {
			t.Fatalf("v[%d] = %v", i, v[i])
		}
	}
	for _, axes := range [][]int{nil, {0}, {1}} {
		s, err := ndarray.Values[float64](ctx, e, a.Add(1.0).Reduce("sum", ndarray.ReduceOptions{Axes: axes}))
		if err != nil {
			t.Fatal(err)
		}
		t.Log(axes, len(s), s[0])
	}
	p, err := e.PlanOutputs(ctx, []ndarray.Output{{Array: a.Sub(a.Reduce("sum", ndarray.ReduceOptions{Axes: []int{0}})), Name: "anom", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	t.Log(p.Explain())
	b, _ := p.ExplainJSON()
	t.Log(string(b))
	j := e.Start(ctx, p)
	for ev := range j.Progress() {
		t.Logf("%+v", ev)
	}
	if err := j.Wait(); err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
}

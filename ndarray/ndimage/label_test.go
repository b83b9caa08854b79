// SPDX-License-Identifier: BSD-3-Clause

package ndimage_test

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/ndimage"
	"github.com/arrayrun/arrayrun/sched"
)

// TestLabelsEqualSciPy labels small arrays in one chunk and in many, and compares numbers and order with what SciPy gave.
func TestLabelsEqualSciPy(t *testing.T) {
	b, err := os.ReadFile("testdata/label.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []struct {
		Shape       chunk.Shape
		Seed, Share uint64
		Structure   []bool
		Count       float64
		Labels      []float64
	}
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	for n, c := range cases {
		x := make([]bool, c.Shape.Size())
		for i := range x {
			x[i] = (uint64(i)*2654435761+c.Seed)*40503/(1<<20)%100 < c.Share
		}
		s := ndimage.Footprint{Shape: slices.Repeat([]int64{3}, len(c.Shape)), Set: c.Structure}
		for _, step := range []int64{-1, 3, 2, 1} {
			l := ndimage.LabelArray(ndarray.FromSlice(x, c.Shape...).Rechunk(slices.Repeat([]int64{step}, len(c.Shape))...), s)
			if got := values(t, eng, l.Count); len(got) != 1 || got[0] != c.Count {
				t.Errorf("%d %v in chunks of %d: %v parts, want %v", n, c.Shape, step, got, c.Count)
			}
			if got := values(t, eng, l.Array); !slices.Equal(got, c.Labels) {
				t.Errorf("%d %v in chunks of %d:\n%v, want\n%v", n, c.Shape, step, got, c.Labels)
			}
		}
	}
}

// TestLabelsOfPieces: chunks that are too large to be labelled at once are cut, and the result keeps the grid.
func TestLabelsOfPieces(t *testing.T) {
	eng := newEngine(t, sched.Options{Memory: 64 << 20, Workers: 2})
	const rows, columns = 3000, 700 // one chunk of two million elements
	x := make([]uint8, rows*columns)
	for i := range x {
		if y := i / columns; y%2 == 0 || i%columns == y/2%2*(columns-1) {
			x[i] = 1 // one snake from end to end
		}
	}
	a := ndarray.FromSlice(x, rows, columns).Rechunk(-1, -1)
	l := ndimage.LabelArray(a, ndimage.Footprint{})
	if got := values(t, eng, l.Count); got[0] != 1 {
		t.Errorf("a snake is %v parts, want 1", got[0])
	}
	for i, g := range values(t, eng, l.Array) {
		if g != float64(x[i]) {
			t.Fatalf("element %d is %v, want %d", i, g, x[i])
		}
	}
	if !l.Array.Grid().Equal(a.Grid()) {
		t.Errorf("the labels' grid is %v, want %v", l.Array.Grid(), a.Grid())
	}
}

func TestLabelErrors(t *testing.T) {
	a := elements(t, chunk.Shape{5, 6}, "float32")
	odd := ndimage.Structure(2, 1)
	odd.Set[1] = false
	for want, l := range map[string]ndimage.Labels{
		"want real numbers or bool": ndimage.LabelArray(evalArray(t, `a.astype("complex64")`, a), ndimage.Footprint{}),
		"want 3 along each axis":    ndimage.LabelArray(a, ndimage.Box(2, 5)),
		"the same in both":          ndimage.LabelArray(a, odd),
		"window of rank 3":          ndimage.LabelArray(a, ndimage.Structure(3, 1)),
		"after a run only":          ndimage.LabelArray(evalArray(t, `a[a[:, 0] > 0]`, a), ndimage.Footprint{}),
	} {
		if err := l.Array.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want an error with %q", err, want)
		}
		if l.Count.Err() == nil {
			t.Errorf("the count of what cannot be labelled has no error")
		}
	}
	// A pattern with a part at every second element, whose list does not fit in half of a small budget.
	x := make([]bool, 1<<20)
	for i := range x {
		x[i] = (i/1024+i)%2 == 0
	}
	small := newEngine(t, sched.Options{Memory: 12 << 20, Workers: 1})
	_, err := ndarray.Values[int32](context.Background(), small, ndimage.LabelArray(ndarray.FromSlice(x, 1024, 1024).Rechunk(256, 256), ndimage.Footprint{}).Count)
	if !errors.Is(err, sched.ErrBudget) || !strings.Contains(err.Error(), "--memory") {
		t.Errorf("half a million parts in 12 MiB: got %v, want an error that names a budget", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	. "github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// sortEngine returns an engine that is closed when the test ends.
func sortEngine(t *testing.T, memory int64) *sched.Engine {
	t.Helper()
	eng, err := sched.New(sched.Options{Memory: memory})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	})
	return eng
}

// TestSortErrors: what is wrong with the operands is said when the array is made.
func TestSortErrors(t *testing.T) {
	a := FromSlice([]float64{3, 1, 2})
	text := Array{}
	sorter := FromSlice([]int64{0, 1})
	for name, c := range map[string]struct {
		a    Array
		want string
	}{
		"axis":               {a.Sort(1, false), "sort: axis 1 is outside rank 1: want -1 to 0"},
		"zero":               {text.Sort(0, false), "the zero Array"},
		"argsort axis":       {a.ArgSort(-2, false), "argsort: axis -2"},
		"no keys":            {LexSort(nil, 0), "lexsort: got no keys"},
		"keys":               {LexSort([]Array{a, sorter}, 0), "key 1: got shape [2], want [3]"},
		"complex ranks":      {FromSlice([]complex128{1}).Ranks(0, false), "rank: operand: got complex128"},
		"table":              {a.Reshape(3, 1).SearchSorted(a, SearchOptions{}), "table: got shape [3 1], want one axis"},
		"sorter length":      {a.SearchSorted(a, SearchOptions{Sorter: &sorter}), "sorter: got 2 positions, want 3"},
		"sorter dtype":       {a.SearchSorted(a, SearchOptions{Sorter: &a}), "sorter: got float64[3], want integers"},
		"complex bins":       {a.Digitize(FromSlice([]complex64{1}), false), "digitize: operand: got complex64"},
		"nonzero":            {Scalar(1.0).NonZero()[0], "nonzero: got a 0-d array"},
		"take positions":     {a.TakeAlongAxis(a, 0), "positions: got float64, want integers"},
		"take ranks":         {a.TakeAlongAxis(sorter.Reshape(1, 2), 0), "got shapes [3] and [1 2], want one rank"},
		"take broadcast":     {a.Reshape(1, 3).BroadcastTo(2, 3).TakeAlongAxis(Zeros(chunk.Shape{3, 1}, dtype.Int64), 1), "do not broadcast"},
		"searchsorted dtype": {a.SearchSorted(text, SearchOptions{}), "the zero Array"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.a.Err(); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

// TestSortRunErrors: what only the elements tell is an error of the run.
func TestSortRunErrors(t *testing.T) {
	eng := sortEngine(t, 64<<20)
	a, beyond := FromSlice([]float64{3, 1, 2}), FromSlice([]int64{0, 3, 1})
	for name, c := range map[string]struct {
		a    Array
		want string
	}{
		"sorter": {a.SearchSorted(a, SearchOptions{Sorter: &beyond}), "sorter holds position 3, want 0 to 2"},
		"bins":   {a.Digitize(a, false), "bins must ascend or descend"},
		"take":   {a.TakeAlongAxis(beyond, 0), "position 3 is outside axis 0 of length 3"},
	} {
		if _, err := Compute(context.Background(), eng, c.a); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: error %v, want one with %q", name, err, c.want)
		}
	}
}

// TestSortOfSelection sorts what a mask selects, whose length is known after a run, and what is made of it.
func TestSortOfSelection(t *testing.T) {
	eng := sortEngine(t, 64<<20)
	a := FromSlice([]float64{3, 1, 2, 5, 4})
	some := a.Index(Mask(a.Greater(1)))
	for name, c := range map[string]struct {
		a    Array
		want []float64
	}{
		"sort":       {some.Sort(0, true), []float64{5, 4, 3, 2}},
		"argsort":    {some.ArgSort(-1, false), []float64{1, 0, 3, 2}},
		"take":       {some.TakeAlongAxis(some.ArgSort(0, false), 0), []float64{2, 3, 4, 5}},
		"search":     {some.Sort(0, false).SearchSorted(some, SearchOptions{}), []float64{1, 0, 3, 2}},
		"then":       {some.Sort(0, false).Add(1).Sort(0, true), []float64{6, 5, 4, 3}},
		"array_eq":   {ArrayEqual(some, a, false).Reshape(1), []float64{0}},
		"nonzero":    {some.Sub(3).NonZero()[0], []float64{1, 2, 3}},
		"of nothing": {a.Index(Mask(a.Greater(9))).Sort(0, false), []float64{}},
	} {
		got, err := Values[float64](context.Background(), eng, c.a)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s: got %v, %v, want %v", name, got, err, c.want)
		}
	}
}

// TestSortBudget: lines across chunks are sorted in a budget that holds a part of them, and one line that does not fit is refused.
func TestSortBudget(t *testing.T) {
	const rows, columns = 300, 5000
	r := rand.New(rand.NewPCG(1, 2))
	data := make([]float64, rows*columns) // 11 MiB
	for i := range data {
		data[i] = math.Floor(r.NormFloat64() * 10)
	}
	a := FromSliceOn(data, chunk.Regular(chunk.Shape{rows, columns}, 10, columns)).Add(0)
	eng := sortEngine(t, 24<<20)
	seen := int64(0)
	column := make([]float64, rows)
	out := Output{Array: a.Sort(0, false), Name: "sorted", Each: func(at chunk.Region, c *chunk.Chunk) error {
		v := chunk.View[float64](c)
		for j := range c.Shape[1] {
			for i := range column {
				column[i] = data[int64(i)*columns+at.Lo[1]+j]
			}
			slices.Sort(column)
			for i := range c.Shape[0] {
				if x := v.At(i, j); x != column[at.Lo[0]+i] {
					t.Fatalf("element %d of column %d: got %v, want %v", at.Lo[0]+i, at.Lo[1]+j, x, column[at.Lo[0]+i])
				}
			}
		}
		seen += c.Shape.Size()
		return nil
	}}
	if err := eng.Run(context.Background(), []Output{out}); err != nil {
		t.Fatal(err)
	}
	if seen != rows*columns {
		t.Errorf("got %d elements, want %d", seen, rows*columns)
	}
	flat := Output{Array: a.Ravel().Sort(0, false), Name: "flat", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}
	if err := eng.Run(context.Background(), []Output{flat}); !errors.Is(err, sched.ErrBudget) {
		t.Errorf("a line of 11 MiB in 24 MiB: got %v, want an error of the budget", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	. "github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// TestManyCopies: repeating and tiling need memory for the part that is wanted, however long the result is.
func TestManyCopies(t *testing.T) {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	a := FromSlice([]int64{7, 8, 9}, 3)
	const n = 1 << 40
	for name, c := range map[string]struct {
		a    Array
		want []int64
	}{
		"repeat": {a.Repeat(n, 0).Index(Take([]int64{0, n - 1, n, 3*n - 1})), []int64{7, 7, 8, 9}},
		"tile":   {a.Tile(n).Index(Take([]int64{0, 1, 2, 3, 3*n - 1})), []int64{7, 8, 9, 7, 9}},
		"rows":   {a.ExpandDims(0).Tile(n, 2).Index(Take([]int64{0, n - 1}), At(4)), []int64{8, 8}},
	} {
		got, err := Values[int64](context.Background(), eng, c.a)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s = %v, %v, want %v", name, got, err, c.want)
		}
	}
	for name, bad := range map[string]Array{
		"repeat": a.Repeat(1<<62, 0), "tile": a.Tile(1 << 62), "reshape": a.Reshape(1<<32, 1<<32, 3), "reshape -1": a.Reshape(1<<33, 1<<33, -1),
	} {
		if !errors.Is(bad.Err(), chunk.ErrShape) {
			t.Errorf("%s beyond 63 bits: got %v, want an error wrapping ErrShape", name, bad.Err())
		}
	}
}

// TestReshapeAcrossRows: a region that lies across rows of the source reads what it wants, not the rows, and its bill says so.
func TestReshapeAcrossRows(t *testing.T) {
	eng, err := sched.New(sched.Options{Memory: 1 << 20, Workers: 2})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	const n = 1 << 30
	flat := Arange(0, 4*n, 1, dtype.Int64).Reshape(4, n).Reshape(-1)
	square := Arange(0, n, 1, dtype.Int64).Reshape(1<<15, 1<<15)
	for name, c := range map[string]struct {
		a    Array
		want []int64
	}{
		"across":  {flat.Index(Span(n-2, n+2)), []int64{n - 2, n - 1, n, n + 1}},
		"corners": {square.Index(Take([]int64{0, 1<<15 - 1}), Take([]int64{0, 1, 1<<15 - 1})), []int64{0, 1, 1<<15 - 1, n - 1<<15, n - 1<<15 + 1, n - 1}},
		"strided": {flat.Index(Step(n-6, n+9, 5)).Add(flat.Index(At(0))), []int64{n - 6, n - 1, n + 4}},
	} {
		got, err := Values[int64](context.Background(), eng, c.a)
		if err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%s = %v, %v, want %v", name, got, err, c.want)
		}
	}
	words := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: chunk.Shape{2, 3}, Strides: []int64{3, 1}, Block: mem.Wrap(make([]byte, 6*16))}
	for i, text := range []string{"a", "", "ccc", "dd", "e", "f"} {
		formats.SetText(words, int64(i), []byte(text))
	}
	if out, err := Compute(context.Background(), eng, FromChunk(words, nil).Index(Slice(nil, nil, ptr(-1))).Reshape(3, 2)); err != nil {
		t.Error(err)
	} else {
		for i, want := range []string{"dd", "e", "f", "a", "", "ccc"} {
			if got := string(formats.Text(out, int64(i))); got != want {
				t.Errorf("text %d = %q, want %q", i, got, want)
			}
		}
	}
}

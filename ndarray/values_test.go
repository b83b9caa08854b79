// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"encoding/json"
	"math"
	"os"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	. "github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

func ptr(v int64) *int64 { return &v }

// values holds the same arrays as testdata/values.py, cut into small chunks.
func valueCases() map[string]Array {
	data := make([]float64, 24)
	for k := range data {
		data[k] = float64(k)*1.25 - 7
	}
	x := FromSliceOn(data, chunk.Regular(chunk.Shape{2, 3, 4}, 1, 2, 3))
	i := FromSliceOn([]int32{5, -3, 0, 7, 2}, chunk.Regular(chunk.Shape{5}, 2))
	u := FromSliceOn([]uint8{0, 1, 7, 200, 255}, chunk.Regular(chunk.Shape{5}, 3))
	fd := make([]float32, 35)
	for k := range fd {
		fd[k] = float32(k) * 0.1
	}
	f := FromSliceOn(fd, chunk.Regular(chunk.Shape{7, 5}, 3, 2))
	b := FromSlice([]bool{true, false, true, true, false})
	n := FromSlice([]float64{1.5, math.NaN(), -2, math.NaN(), 0})
	any, none := All(), dtype.Invalid
	back := Reversed()
	axes := func(list ...int) ReduceOptions { return ReduceOptions{Axes: list} }
	return map[string]Array{
		"u+3": u.Add(3), "u*2.5": u.Mul(2.5), "u/300": u.Div(300), "u<300": u.Less(300), "u>=-1": u.GreaterEqual(-1), "u==256": u.Equal(256), "u!=-4": u.NotEqual(-4),
		"300>u": Apply("greater", 300, u), "clip(u,-5,100)": u.Clip(-5, 100), "clip(i,1,2.5)": i.Clip(1, 2.5), "i**2": i.Pow(2), "2**f": Apply("power", 2, f.Index(At(0))),
		"i//0": i.FloorDiv(0), "i%4": i.Mod(4), "f+1": f.Add(1), "b+1": b.Add(1), "b*1.5": b.Mul(1.5), "where(b,u,7)": Where(b, u, 7), "where(b,1,2)": Where(b, 1, 2),
		"i+u": i.Add(u), "f*i": f.Mul(i), "i-True": i.Sub(true),

		"arange(3,20,4)": Arange(3, 20, 4, none), "arange(10,0,-3)": Arange(10, 0, -3, none), "arange(0,1,.1)": Arange(0, 1, .1, none),
		"arange(1,2,.3,f4)": Arange(1, 2, .3, dtype.Float32), "arange(-1.5,3)": Arange(-1.5, 3, 1, none), "linspace(0,1,7)": Linspace(0, 1, 7, true, none),
		"linspace(2,-3,5,endpoint=False)": Linspace(2, -3, 5, false, none), "linspace(1,10,4,i4)": Linspace(1, 10, 4, true, dtype.Int32), "linspace(5,5,3)": Linspace(5, 5, 3, true, none),
		"linspace(1,2,1)": Linspace(1, 2, 1, true, none), "eye(3)": Eye(3, -1, 0, none), "eye(2,4,1)": Eye(2, 4, 1, none), "eye(4,3,-2,i2)": Eye(4, 3, -2, dtype.Int16),
		"full(2,3)": Full(chunk.Shape{2, 3}, 7.5, none), "zeros(0,3)": Zeros(chunk.Shape{0, 3}, dtype.Float64), "meshgrid": Meshgrid(i, u.Index(Span(0, 2)))[1],

		"x[1]": x.Index(At(1)), "x[-1,2]": x.Index(At(-1), At(2)), "x[0,1,2]": x.Index(At(0), At(1), At(2)), "x[:,::-1]": x.Index(any, back), "x[...,1:3]": x.Index(Ellipsis(), Span(1, 3)),
		"x[:,None,1]": x.Index(any, NewAxis(), At(1)), "x[::-1,:,::-2]": x.Index(back, any, Slice(nil, nil, ptr(-2))), "x[:,[2,0]]": x.Index(any, Take([]int64{2, 0})),
		"x[[1,0]][:,[0,0,2]]": x.Index(Take([]int64{1, 0})).Index(any, Take([]int64{0, 0, 2})), "x[ix]": x.Index(Take([]int64{1, 0}), Take([]int64{2, 1}), Take([]int64{3, 3, 0})),
		"x[5:2]": x.Index(Span(5, 2)), "x[:,-2:]": x.Index(any, Slice(ptr(-2), nil, nil)), "x[:,10:-10:-1]": x.Index(any, Step(10, -10, -1)), "i[b]": i.Index(Mask(b)),
		"x[:,b[:3]]": x.Index(any, Mask(FromSlice([]bool{true, false, true}))), "x[x>0]": x.Index(Mask(x.Greater(0))), "vindex": x.VIndex([]int64{0, 1, -1}, []int64{2, 2, 0}), "take": n.TakeAlong(0, []int64{0, -1, 4}),

		"x.T": x.Transpose(), "x.permute(1,2,0)": x.PermuteDims(1, 2, 0), "moveaxis": x.MoveAxis(0, 2), "swapaxes": x.SwapAxes(0, 1), "concat": Concat(1, x, x.Index(any, Span(0, 1))),
		"concat types": Concat(0, i, u), "stack": Stack(1, i, i.Mul(2)), "broadcast": i.BroadcastTo(2, 5), "flip": x.Flip(), "flip(1)": x.Flip(1), "roll(2)": i.Roll(2, 0), "roll(-7)": i.Roll(-7, 0),
		"repeat": i.Repeat(3, 0), "tile": i.Tile(2, 2), "reshape(4,6)": x.Reshape(4, 6), "reshape(3,-1,2)": x.Reshape(3, -1, 2), "reshape(2,2,6)": x.Reshape(2, 2, 6), "ravel": x.Transpose().Ravel(),
		"reshape units": x.Reshape(1, 2, 1, 3, 4), "squeeze": x.Index(any, Span(0, 1)).Squeeze(1), "expand": i.ExpandDims(0, 2),

		"x.sum()": x.Sum(), "x.sum(1)": x.Sum(1), "x.sum((0,2),keepdims)": x.Reduce("sum", ReduceOptions{Axes: []int{0, 2}, KeepDims: true}), "i.sum()": i.Sum(), "u.sum()": u.Sum(),
		"u.prod()": u.Index(Span(1, 3)).Prod(), "x.mean(0)": x.Mean(0), "i.mean()": i.Mean(), "x.var(2)": x.Var(2), "x.std(ddof=1)": x.Reduce("std", ReduceOptions{Axes: []int{2}, DDof: 1}),
		"x.min(0)": x.Min(0), "x.max()": x.Max(), "n.max()": n.Max(), "n.nanmax": n.Reduce("nanmax", axes(0)), "n.nanmean": n.NanMean(), "n.nansum": n.NanSum(), "b.any": b.Any(), "b.all": b.All(),
		"x.argmax(1)": x.ArgMax(1), "x.argmin()": x.ArgMin(), "n.argmax": n.ArgMax(), "n.nanargmin": n.Reduce("nanargmin", axes(0)), "sum of nothing": Zeros(chunk.Shape{0, 2}, dtype.Float64).Sum(0),
		"count_nonzero": i.Reduce("count_nonzero", axes(0)), "groups": i.GroupReduce("sum", 0, []int32{0, 1, 0, -1, 1}, 3, ReduceOptions{}),
		"groups by element": x.GroupReduceBy("sum", FromSlice([]int32{0, 0, 0, 1, 1, 1}, 2, 3, 1), 2, axes(0, 2)),

		"(x*2).mean(0)[1,::2]": x.Mul(2).Mean(0).Index(At(1), Slice(nil, nil, ptr(2))), "(x+i[:4])[:,1:,::-1][0]": x.Add(i.Index(Span(0, 4))).Index(any, Slice(ptr(1), nil, nil), back).Index(At(0)),
		"concat[3:1:-1]": Concat(0, i, i.Mul(2)).Index(Step(6, 2, -1)), "arange[::3]": Arange(0, 100, 1, none).Index(Step(50, 2, -7)),
	}
}

// TestValues compares results with NumPy's: dtype, shape and, up to rounding of
// transcendental functions and of the order of sums, the elements.
func TestValues(t *testing.T) {
	text, err := os.ReadFile("testdata/values.json")
	if err != nil {
		t.Fatal(err)
	}
	var want map[string]struct {
		DType  string
		Shape  []int64
		Values []json.RawMessage
	}
	if err := json.Unmarshal(text, &want); err != nil {
		t.Fatal(err)
	}
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := eng.Close(); err != nil {
			t.Error(err)
		}
	}()
	got := valueCases()
	for name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("case %q of values.json is not in valueCases", name)
		}
	}
	for name, a := range got {
		t.Run(name, func(t *testing.T) {
			w, ok := want[name]
			if !ok {
				t.Fatal("not in values.json: run testdata/values.py")
			}
			if err := a.Err(); err != nil {
				t.Fatal(err)
			}
			c, err := Compute(context.Background(), eng, a)
			if err != nil {
				t.Fatal(err)
			}
			if c.DType.String() != w.DType {
				t.Errorf("dtype: got %v, want %s", c.DType, w.DType)
			}
			if !slices.Equal([]int64(c.Shape), w.Shape) {
				t.Fatalf("shape: got %v, want %v", c.Shape, w.Shape)
			}
			v, err := Values[float64](context.Background(), eng, FromChunk(c, nil))
			if err != nil {
				t.Fatal(err)
			}
			for k, raw := range w.Values {
				var x float64
				if string(raw) == `"nan"` {
					x = math.NaN()
				} else if err := json.Unmarshal(raw, &x); err != nil {
					t.Fatal(err)
				}
				eps := 4 * 0x1p-53
				if c.DType == dtype.Float32 {
					eps = 4 * 0x1p-24
				}
				if v[k] != x && !(math.IsNaN(v[k]) && math.IsNaN(x)) && !(math.Abs(v[k]-x) <= eps*math.Abs(x)) {
					t.Fatalf("element %d: got %v, want %v", k, v[k], x)
				}
			}
		})
	}
}

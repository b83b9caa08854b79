// SPDX-License-Identifier: BSD-3-Clause

package ndarray

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// zeros returns an array of the shape and chunk lengths.
func zeros(dt dtype.DType, shape chunk.Shape, steps ...int64) Array {
	return FromSourceOn(newMemSource(hostChunk(dt, 0, shape), chunk.Regular(shape)), "x", chunk.Regular(shape, steps...))
}

// cutText prints shape and cuts: "[6 4]/[2 4]", irregular cuts as their edges.
func cutText(a Array) string {
	s := make([]string, a.Rank())
	for i, x := range a.Grid().Axes {
		s[i] = fmt.Sprint(x.Step)
		if x.Edges != nil {
			s[i] = fmt.Sprint(x.Edges)
		}
	}
	return fmt.Sprintf("%v/[%s]", a.Shape(), strings.Join(s, " "))
}

func p(v int64) *int64 { return &v }

func TestShapesAndGrids(t *testing.T) {
	a := zeros(dtype.Float64, chunk.Shape{6, 4, 10}, 2, 4, 3)
	row := zeros(dtype.Float64, chunk.Shape{10}, 5)
	col := zeros(dtype.Float64, chunk.Shape{6, 1, 1}, 1)
	tests := []struct {
		name string
		got  Array
		want string
	}{
		{"map, cut of the first operand", a.Add(row), "[6 4 10]/[2 4 3]"},
		{"map, operands exchanged", row.Add(a), "[6 4 10]/[2 4 5]"},
		{"map, an axis of 1 has no say", col.Add(a), "[6 4 10]/[1 4 3]"},
		{"map with a scalar", a.Mul(2), "[6 4 10]/[2 4 3]"},
		{"sum of all", a.Sum(), "[]/[]"},
		{"sum along one", a.Sum(1), "[6 10]/[2 3]"},
		{"sum from the end", a.Sum(-1), "[6 4]/[2 4]"},
		{"sum keepdims", a.Reduce("sum", ReduceOptions{Axes: []int{0, 2}, KeepDims: true}), "[1 4 1]/[1 4 1]"},
		{"groups", a.GroupReduce("mean", 0, []int32{0, 1, 2, 0, 1, -1}, 3, ReduceOptions{}), "[3 4 10]/[3 4 3]"},
		{"groups by element", a.GroupReduceBy("sum", zeros(dtype.Int32, chunk.Shape{6, 4, 1}), 7, ReduceOptions{Axes: []int{0, 1}}), "[7 10]/[7 3]"},
		{"at", a.Index(At(-1)), "[4 10]/[4 3]"},
		{"aligned slice", a.Index(Slice(p(2), nil, nil)), "[4 4 10]/[2 4 3]"},
		{"slice across chunks", a.Index(Ellipsis(), Span(2, 9)), "[6 4 7]/[2 4 [0 1 4 7]]"},
		{"backwards", a.Index(All(), All(), Reversed()), "[6 4 10]/[2 4 [0 1 4 7 10]]"},
		{"step", a.Index(Slice(nil, nil, p(2))), "[3 4 10]/[1 4 3]"},
		{"step across chunks", a.Index(All(), All(), Slice(nil, nil, p(2))), "[6 4 5]/[2 4 [0 2 3 5]]"},
		{"empty slice", a.Index(Span(4, 2)), "[0 4 10]/[1 4 3]"},
		{"new axis", a.Index(NewAxis(), Ellipsis(), NewAxis()), "[1 6 4 10 1]/[1 2 4 3 1]"},
		{"take", a.Index(Take([]int64{0, -1, 3})), "[3 4 10]/[2 4 3]"},
		{"take, orthogonal", a.Index(Take([]int64{0, 4, 3}), At(0), Take([]int64{9, 2})), "[3 2]/[2 1]"},
		{"take nothing", a.TakeAlong(1, nil), "[6 0 10]/[2 1 3]"},
		{"mask", a.Index(All(), Mask(FromSlice([]bool{true, false, false, true}))), "[6 2 10]/[2 2 3]"},
		{"mask of everything", zeros(dtype.Int8, chunk.Shape{2, 2}).Index(Mask(FromSlice([]bool{true, false, true, true}, 2, 2))), "[3]/[3]"},
		{"transpose", a.Transpose(), "[10 4 6]/[3 4 2]"},
		{"permute", a.PermuteDims(1, -1, 0), "[4 10 6]/[4 3 2]"},
		{"moveaxis", a.MoveAxis(0, -1), "[4 10 6]/[4 3 2]"},
		{"swapaxes", a.SwapAxes(0, 2), "[10 4 6]/[3 4 2]"},
		{"concat", Concat(0, a, a), "[12 4 10]/[2 4 3]"},
		{"concat, short chunks inside", Concat(2, a, a), "[6 4 20]/[2 4 [0 3 6 9 10 13 16 19 20]]"},
		{"stack", Stack(0, row, row, row), "[3 10]/[1 5]"},
		{"broadcast_to", row.BroadcastTo(3, 10), "[3 10]/[3 5]"},
		{"expand_dims", a.ExpandDims(0, -1), "[1 6 4 10 1]/[1 2 4 3 1]"},
		{"squeeze", col.Squeeze(), "[6]/[1]"},
		{"squeeze one", col.Squeeze(1), "[6 1]/[1 1]"},
		{"flip", a.Flip(0), "[6 4 10]/[2 4 3]"},
		{"roll", row.Roll(3, 0), "[10]/[[0 3 8 10]]"},
		{"repeat", row.Repeat(2, 0), "[20]/[5]"},
		{"tile", row.Tile(2, 2), "[2 20]/[1 5]"},
		{"rechunk", a.Rechunk(3, -1, 7), "[6 4 10]/[3 4 7]"},
		{"reshape, units", col.Reshape(6, 1), "[6 1]/[1 1]"},
		{"reshape, one axis in two", a.Reshape(3, 2, 4, 10), "[3 2 4 10]/[1 2 4 3]"},
		{"ravel", a.Ravel(), "[240]/[24]"},
		{"zeros", Zeros(chunk.Shape{1000, 1000}, dtype.Float64), "[1000 1000]/[524 1000]"},
		{"chunked", Ones(chunk.Shape{100, 70}, dtype.Float32, Chunked(32)), "[100 70]/[32 70]"},
		{"arange", Arange(3, 20, 4, dtype.Invalid), "[5]/[5]"},
		{"arange of floats", Arange(0.0, 1.0, 0.1, dtype.Invalid), "[10]/[10]"},
		{"eye", Eye(3, -1, 0, dtype.Invalid), "[3 3]/[3 3]"},
		{"meshgrid", Meshgrid(row, zeros(dtype.Int8, chunk.Shape{4}))[0], "[10 4]/[5 4]"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if err := tt.got.Err(); err != nil {
				t.Fatal(err)
			}
			if err := graph.Verify(tt.got.Node()); err != nil {
				t.Error(err)
			}
			if got := cutText(tt.got); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

func TestDTypes(t *testing.T) {
	of := func(dt dtype.DType) Array { return zeros(dt, chunk.Shape{3}) }
	u8, i32, i64, f32, f64, b := of(dtype.Uint8), of(dtype.Int32), of(dtype.Int64), of(dtype.Float32), of(dtype.Float64), of(dtype.Bool)
	tests := []struct {
		expr string
		got  Array
		want dtype.DType
	}{
		{"int32 + float32", i32.Add(f32), dtype.Float64},
		{"uint64 + int64", of(dtype.Uint64).Add(i64), dtype.Float64},
		{"uint8 + 1", u8.Add(1), dtype.Uint8},
		{"uint8 + 1.5", u8.Add(1.5), dtype.Float64},
		{"uint8 + True", u8.Add(true), dtype.Uint8},
		{"bool + 1", b.Add(1), dtype.Int64},
		{"bool + 1.0", b.Add(1.0), dtype.Float64},
		{"float32 + 1", f32.Add(1), dtype.Float32},
		{"float32 + 1e300", f32.Add(1.5), dtype.Float32},
		{"float16 * 2.0", of(dtype.Float16).Mul(2.0), dtype.Float16},
		{"float32 + float64(0-d)", f32.Add(Scalar(2.0)), dtype.Float64},
		{"float32 + float32", f32.Add(float32(2)), dtype.Float32},
		{"uint8 + int8(1)", u8.Add(int8(1)), dtype.Int16},
		{"int32 / int32", i32.Div(i32), dtype.Float64},
		{"uint8 / 300", u8.Div(300), dtype.Float64},
		{"uint8 < 300", u8.Less(300), dtype.Bool},
		{"sqrt(2)", Apply("sqrt", 2), dtype.Float64},
		{"sqrt(int8)", of(dtype.Int8).Sqrt(), dtype.Float16},
		{"where(c, uint8, 3)", Where(b, u8, 3), dtype.Uint8},
		{"where(c, uint8, 3.0)", Where(b, u8, 3.0), dtype.Float64},
		{"where(c, 1, 2)", Where(b, 1, 2), dtype.Int64},
		{"clip(uint8, -5, 300)", u8.Clip(-5, 300), dtype.Uint8},
		{"sum(int8)", of(dtype.Int8).Sum(), dtype.Int64},
		{"sum(uint8)", u8.Sum(), dtype.Uint64},
		{"sum(bool)", b.Sum(), dtype.Int64},
		{"sum(float32)", f32.Sum(), dtype.Float32},
		{"mean(int32)", i32.Mean(), dtype.Float64},
		{"mean(float32)", f32.Mean(), dtype.Float32},
		{"any(float64)", f64.Any(), dtype.Bool},
		{"argmax(float64)", f64.ArgMax(), dtype.Int64},
		{"max(int32)", i32.Max(), dtype.Int32},
		{"concat(uint8, int32)", Concat(0, u8, i32), dtype.Int32},
		{"full(7)", Full(chunk.Shape{2}, 7, dtype.Invalid), dtype.Int64},
		{"full(7, float32)", Full(chunk.Shape{2}, 7, dtype.Float32), dtype.Float32},
		{"arange(3)", Arange(0, 3, 1, dtype.Invalid), dtype.Int64},
		{"arange(3.)", Arange(0, 3.0, 1, dtype.Invalid), dtype.Float64},
		{"linspace", Linspace(0, 1, 5, true, dtype.Invalid), dtype.Float64},
	}
	for _, tt := range tests {
		if err := tt.got.Err(); err != nil {
			t.Errorf("%s: %v", tt.expr, err)
			continue
		}
		if err := graph.Verify(tt.got.Node()); err != nil {
			t.Errorf("%s: %v", tt.expr, err)
		}
		if got := tt.got.DType(); got != tt.want {
			t.Errorf("%s is %v, want %v", tt.expr, got, tt.want)
		}
	}
}

func TestErrors(t *testing.T) {
	a := zeros(dtype.Float32, chunk.Shape{365, 721, 4})
	b := zeros(dtype.Float32, chunk.Shape{365, 720, 4})
	u8 := zeros(dtype.Uint8, chunk.Shape{3})
	tests := []struct {
		got  Array
		want string
		is   error
	}{
		{a.Add(b), "ndarray: add: shapes [365 721 4] and [365 720 4] do not broadcast: axis 1 is 721 and 720; slice or expand one of them", chunk.ErrShape},
		{Apply("frobnicate", a), "ndarray: frobnicate: no such elementwise operation", nil},
		{Apply("add", a), "ndarray: add: got 1 operands, want 2", nil},
		{a.Add("x"), "ndarray: add: operand 2: got string, want an Array or a Go number", nil},
		{u8.Add(300), "ndarray: add: integer 300 does not fit uint8: want 0 to 255; cast the array or write a float", nil},
		{u8.Sub(-1), "ndarray: subtract: integer -1 does not fit uint8: want 0 to 255; cast the array or write a float", nil},
		{Where(true, u8, 300), "ndarray: where: integer 300 does not fit uint8: want 0 to 255; cast the array or write a float", nil},
		{zeros(dtype.Int32, chunk.Shape{3}).Pow(-2), "ndarray: power: integer to the negative power -2: got int32, want a float base or a power of 0 or more; cast with astype", nil},
		{a.Sum(3), "ndarray: sum: axis 3 is outside rank 3: want -3 to 2", chunk.ErrShape},
		{a.Sum(0, -3), "ndarray: sum: axis 0 is given twice: got [0 -3], want each axis once", chunk.ErrShape},
		{a.Reduce("frob", ReduceOptions{}), "ndarray: frob: no such reduction", nil},
		{zeros(dtype.Int8, chunk.Shape{0, 2}).Min(0), "ndarray: min: axis 0 of shape [0 2] has length 0: got no elements, want at least 1", nil},
		{a.GroupReduce("sum", 2, []int32{0, 1, 2, 3}, 3, ReduceOptions{}), "ndarray: sum: group id at position 3: got 3, want -1 to 2", nil},
		{a.GroupReduce("sum", 2, []int32{0}, 3, ReduceOptions{}), "ndarray: sum: group ids of axis 2: got 1, want 4", chunk.ErrShape},
		{a.Index(At(365)), "ndarray: index: position 365 is outside axis 0 of length 365", chunk.ErrShape},
		{a.Index(All(), All(), Take([]int64{0, -5})), "ndarray: index: position -5 is outside axis 2 of length 4", chunk.ErrShape},
		{a.Index(At(0), At(0), At(0), At(0)), "ndarray: index: too many entries: got 4 for rank 3", chunk.ErrShape},
		{a.Index(Slice(nil, nil, p(0))), "ndarray: index: axis 0: slice step: got 0, want another number", nil},
		{a.Index(Ellipsis(), Ellipsis()), "ndarray: index: more than one ellipsis: got entries 0 and 1, want at most one", nil},
		{a.Index(Mask(u8)), "ndarray: index: mask of axis 0: got uint8[3], want bool of rank 1 (or of the array's rank, alone)", chunk.ErrShape},
		{u8.Index(Mask(u8.Less(3))).Index(At(0)), "ndarray: index: the length of axis 0 is known only after the run; compute the mask first", chunk.ErrShape},
		{u8.Index(Mask(u8.Less(3))).ExpandDims(0), "ndarray: select: shape [-1]: a length of -1 is known only after the run; compute the mask first", chunk.ErrShape},
		{Concat(0, u8, u8.Index(Mask(u8.Less(3)))), "ndarray: concat: shape [-1]: a length of -1 is known only after the run; compute the mask first", chunk.ErrShape},
		{u8.Index(Mask(u8.Less(3))).Reshape(-1), "ndarray: reshape: shape [-1]: a length of -1 is known only after the run; compute the mask first", chunk.ErrShape},
		{a.Transpose(0, 1), "ndarray: permute: got axes [0 1], want each of 0 to 2 once", chunk.ErrShape},
		{Concat(0, a, b), "ndarray: concat: shapes [365 721 4] and [365 720 4] of arrays 0 and 1 differ along axis 1: got 721 and 720, want them equal except along axis 0", chunk.ErrShape},
		{Stack(0, a, b), "ndarray: stack: shapes of arrays 0 and 1: got [365 721 4] and [365 720 4], want one shape", chunk.ErrShape},
		{Concat(0), "ndarray: concat: no arrays: got 0, want at least 1", nil},
		{a.BroadcastTo(4), "ndarray: broadcast_to: shape [365 721 4] does not broadcast to [4]", chunk.ErrShape},
		{a.Squeeze(0), "ndarray: squeeze: axis 0 of shape [365 721 4]: got length 365, want 1", chunk.ErrShape},
		{a.Reshape(11, -1), "ndarray: reshape: 1052660 elements of shape [365 721 4] do not fill shape [11 -1]", chunk.ErrShape},
		{FromSlice([]int8{1, 2}, 3), "ndarray: from slice: 2 elements do not fill shape [3]: want 3", chunk.ErrShape},
		{Full(chunk.Shape{2}, 300, dtype.Uint8), "ndarray: full: integer 300 does not fit uint8: want 0 to 255", nil},
		{Zeros(chunk.Shape{1 << 40, 1 << 40}, dtype.Int8), "ndarray: full: shape [1099511627776 1099511627776]: want lengths of 0 or more whose product fits 63 bits", chunk.ErrShape},
		{Arange(0, 1, 0, dtype.Invalid), "ndarray: arange: start 0, stop 1, step 0: want finite numbers and a step that is not 0", nil},
		{Array{}, errZero.Error(), errZero},
	}
	for _, tt := range tests {
		err := tt.got.Err()
		if err == nil {
			t.Errorf("no error, want %q", tt.want)
			continue
		}
		want := tt.want
		var e *graph.Error
		if !errors.As(err, &e) {
			t.Fatalf("%v is a %T, want a *graph.Error", err, err)
		}
		if e.Err.Error() != want {
			t.Errorf("got  %s\nwant %s", e.Err, want)
		}
		if tt.is != errZero && !strings.HasPrefix(e.Pos, "array_test.go:") {
			t.Errorf("%v: place: got %q, want this file", e.Err, e.Pos)
		}
		if tt.is != nil && !errors.Is(err, tt.is) {
			t.Errorf("%v does not wrap %v", err, tt.is)
		}
	}
}

// TestErrorsStick: what is made from an error carries the first one, with its place.
func TestErrorsStick(t *testing.T) {
	bad := zeros(dtype.Int8, chunk.Shape{2}).Add(zeros(dtype.Int8, chunk.Shape{3}))
	good := zeros(dtype.Int8, chunk.Shape{2})
	for i, a := range []Array{
		bad.Add(1), good.Add(bad), bad.Sum(), bad.Index(At(0)), bad.Transpose(), bad.Reshape(2), Concat(0, good, bad), Stack(0, bad, good),
		Where(bad, 1, 2), bad.AsType(dtype.Float32), bad.TakeAlong(0, nil), bad.Rechunk(1), bad.BroadcastTo(2), bad.Flip(), bad.Roll(1, 0),
		bad.Repeat(2, 0), bad.Tile(2), bad.Squeeze(), bad.ExpandDims(0), good.GroupReduceBy("sum", bad, 2, ReduceOptions{}), Meshgrid(good, bad)[0],
		Broadcast(good, bad)[0], bad.Index(Mask(good)), good.Index(Mask(bad)), bad.MoveAxis(0, 1), bad.SwapAxes(0, 1),
	} {
		if a.Err() != bad.Err() {
			t.Errorf("case %d: got %v, want %v", i, a.Err(), bad.Err())
		}
	}
}

// TestSharing: equal calls make one node.
func TestSharing(t *testing.T) {
	a := zeros(dtype.Float32, chunk.Shape{4, 4})
	x := a.Mul(2).Sum(0).Index(Slice(nil, nil, p(2)))
	y := a.Mul(2).Sum(0).Index(Take([]int64{0, 2}))
	if x.Node() != y.Node() {
		t.Errorf("equal expressions are two nodes:\n%v%v", x.Node(), y.Node())
	}
	if z := a.Mul(3).Sum(0); z.Node() == a.Mul(2).Sum(0).Node() {
		t.Error("different expressions are one node")
	}
	if a.Mul(0.0).Node() == a.Mul(negZero()).Node() {
		t.Error("0.0 and -0.0 are one constant")
	}
}

func negZero() float64 { z := 0.0; return -z }

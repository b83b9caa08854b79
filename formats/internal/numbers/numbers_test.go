// SPDX-License-Identifier: BSD-3-Clause

package numbers

import (
	"reflect"
	"testing"
)

// Decode(Encode(v)) is v.
func TestRoundTrip(t *testing.T) {
	for _, v := range []any{int8(-3), int16(-300), int32(7), int64(-1 << 60), uint8(200), uint16(60000), uint32(4e9), uint64(1 << 63), float32(1.5), 2.25,
		[]int8{1, -2}, []int16{1, -2}, []int32{1, -2}, []int64{1, -2}, []uint8{1, 2}, []uint16{1, 2}, []uint32{1, 2}, []uint64{1, 2}, []float32{1, 2}, []float64{1, 2}} {
		d, b, _, ok := Encode(v)
		if got, _ := Decode(d, b); !ok || !reflect.DeepEqual(got, v) {
			t.Errorf("Decode(Encode(%T %v)) = %T %v, %v", v, v, got, got, ok)
		}
	}
	for v, want := range map[any]any{3: int64(3), uint(4): uint64(4)} {
		d, b, _, ok := Encode(v)
		if got, _ := Decode(d, b); !ok || !reflect.DeepEqual(got, want) {
			t.Errorf("Decode(Encode(%T %v)) = %T %v, want %T", v, v, got, got, want)
		}
	}
	if d, b, n, ok := Encode([]any{int64(1), 2.5}); !ok || n != 2 {
		t.Error("a mixed list is not taken")
	} else if got, _ := Decode(d, b); !reflect.DeepEqual(got, []float64{1, 2.5}) {
		t.Errorf("a mixed list is %v", got)
	}
	for _, v := range []any{nil, true, "x", []string{"x"}, []any{"x"}, []any{}, map[string]any{}, []any{[]any{int64(1)}}} {
		if _, _, _, ok := Encode(v); ok {
			t.Errorf("Encode(%v) takes what is no number", v)
		}
	}
}

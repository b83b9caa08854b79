// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"reflect"
	"testing"
)

// TestAttrAxes: what lies along several axes is a list of lists, whether the space or the type has them.
func TestAttrAxes(t *testing.T) {
	short := &Type{Class: ClassInt, Size: 2, Bits: 8, props: []byte{0, 0, 16, 0}}
	char := &Type{Class: ClassString, Size: 1}
	array := func(base *Type, dims ...int) *Type {
		n := base.Size
		for _, d := range dims {
			n *= d
		}
		return &Type{Class: ClassArray, Size: n, Base: base, Dims: dims}
	}
	numbers := []byte{1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0}
	rows := []any{[]int16{1, 2, 3}, []int16{4, 5, 6}}
	for _, c := range []struct {
		name string
		t    *Type
		dims []uint64
		data []byte
		want any
	}{
		{"space", short, []uint64{2, 3}, numbers, rows},
		{"type", array(short, 2, 3), nil, numbers, rows},
		{"both", array(short, 3), []uint64{2}, numbers, rows},
		{"nested types", array(array(short, 3), 2), nil, numbers, rows},
		{"three", short, []uint64{3, 1, 2}, numbers, []any{[]any{[]int16{1, 2}}, []any{[]int16{3, 4}}, []any{[]int16{5, 6}}}},
		{"one axis", short, []uint64{6}, numbers, []int16{1, 2, 3, 4, 5, 6}},
		{"one element", short, []uint64{1, 1}, numbers[:2], int16(1)},
		{"none", short, []uint64{0, 3}, nil, []int16{}},
		{"characters", array(char, 2, 2), nil, []byte("abcd"), []string{"ab", "cd"}},
		{"rows of characters", array(char, 2), []uint64{2, 1}, []byte("abcd"), []any{[]string{"ab"}, []string{"cd"}}},
	} {
		got, err := (&File{}).Value(&Attr{Name: "a", Type: c.t, Space: Space{Dims: c.dims}, Data: c.data})
		if err != nil || !reflect.DeepEqual(got, c.want) {
			t.Errorf("%s: %T %v (%v), want %v", c.name, got, got, err, c.want)
		}
	}
}

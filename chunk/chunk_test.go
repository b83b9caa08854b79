// SPDX-License-Identifier: BSD-3-Clause

package chunk

import (
	"errors"
	"slices"
	"testing"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

func iota2(t *testing.T, p mem.Allocator, shape Shape) *Chunk {
	t.Helper()
	c, err := New(p, dtype.Float32, 0, shape)
	if err != nil {
		t.Fatal(err)
	}
	for i := range Slice[float32](c) {
		Slice[float32](c)[i] = float32(i)
	}
	return c
}

func TestNew(t *testing.T) {
	p := mem.Checked(t)
	for _, c := range []struct {
		dt   dtype.DType
		item int
		want int64
	}{
		{dtype.Float32, 0, 24}, {dtype.Raw, 12, 72}, {dtype.String, 99, 96}, {dtype.Bool, 0, 6}, {dtype.Complex128, 0, 96},
	} {
		k, err := New(p, c.dt, c.item, Shape{2, 3})
		if err != nil {
			t.Fatal(err)
		}
		if k.Block.Len() != c.want || !k.Contiguous() || int64(len(k.Bytes())) != c.want {
			t.Errorf("New(%v): %d bytes, want %d", c.dt, k.Block.Len(), c.want)
		}
		k.Retain()
		k.Release()
		k.Release()
	}
	if _, err := New(p, dtype.Float64, 0, Shape{1 << 40, 1 << 40}); !errors.Is(err, ErrShape) {
		t.Errorf("New of an absurd shape gives %v, want ErrShape", err)
	}
	(&Chunk{}).Release() // a chunk without a block has nothing to give back
}

func TestSub(t *testing.T) {
	c := iota2(t, mem.Checked(t), Shape{4, 5})
	defer c.Release()
	s := c.Sub(Region{Shape{1, 2}, Shape{3, 5}})
	if !s.Shape.Equal(Shape{2, 3}) || s.Contiguous() || s.Block != c.Block {
		t.Fatalf("Sub = %+v", s)
	}
	v := View[float32](s)
	if v.At(0, 0) != 7 || v.At(1, 2) != 14 {
		t.Errorf("Sub holds %v, %v, want 7, 14", v.At(0, 0), v.At(1, 2))
	}
	v.Set(100, 1, 0)
	if Slice[float32](c)[12] != 100 {
		t.Error("a view does not share its chunk's memory")
	}
	if got := *(*float32)(s.Base()); got != 7 {
		t.Errorf("Base points at %v, want 7", got)
	}
	row := s.Sub(Region{Shape{1, 0}, Shape{2, 3}})
	if !row.Contiguous() || !slices.Equal(Slice[float32](row), []float32{100, 13, 14}) {
		t.Errorf("one row is %v", Slice[float32](row))
	}
	if len(row.Bytes()) != 12 || unsafe.Pointer(unsafe.SliceData(row.Bytes())) != row.Base() {
		t.Error("Bytes of a row are not those at Base")
	}
}

func TestViewsOfRepeatedAndReversed(t *testing.T) {
	c := iota2(t, mem.Checked(t), Shape{4})
	defer c.Release()
	r := *c
	r.Shape, r.Strides, r.Offset = Shape{3, 4}, []int64{0, -1}, 3
	v := View[float32](&r)
	for y := range int64(3) {
		for x := range int64(4) {
			if got := v.At(y, x); got != float32(3-x) {
				t.Errorf("At(%d, %d) = %v, want %v", y, x, got, 3-x)
			}
		}
	}
	if r.Contiguous() {
		t.Error("a repeated, reversed view is not contiguous")
	}
}

func TestWrongViewsPanic(t *testing.T) {
	c := iota2(t, mem.Checked(t), Shape{4, 4})
	defer c.Release()
	s := c.Sub(Region{Shape{0, 0}, Shape{4, 2}})
	for name, f := range map[string]func(){
		"View of another dtype":  func() { View[int32](c) },
		"Slice of another dtype": func() { Slice[float64](c) },
		"Slice with gaps":        func() { Slice[float32](s) },
		"Bytes with gaps":        func() { s.Bytes() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s does not panic", name)
				}
			}()
			f()
		}()
	}
}

func TestEmptyChunk(t *testing.T) {
	c, err := New(mem.Checked(t), dtype.Int16, 0, Shape{0, 3})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Release()
	if len(c.Bytes()) != 0 || Slice[int16](c) == nil && len(Slice[int16](c)) != 0 || c.Base() != nil {
		t.Error("an empty chunk holds something")
	}
	w := &Chunk{DType: dtype.Int8, ItemBytes: 1, Shape: Shape{}, Block: mem.Wrap([]byte{9})}
	if View[int8](w).At() != 9 || !w.Contiguous() {
		t.Error("a scalar over Go memory does not hold its value")
	}
}

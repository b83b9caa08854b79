// SPDX-License-Identifier: BSD-3-Clause

package jit

import (
	"errors"
	"math"
	"testing"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// TestColumns sums decoded packed values, which the kernels' tests compare with ref, and sees that this form is there for them.
func TestColumns(t *testing.T) { compilers(t, testColumns) }

func testColumns(t *testing.T, c *Compiler) {
	b := kernels.NewBuilder(1)
	x := b.Input(kernels.In(dtype.Int16))
	num := func(d dtype.DType, v any) kernels.Reg {
		k, err := kernels.ConstOf(d, v)
		if err != nil {
			t.Fatal(err)
		}
		return b.Const(k)
	}
	y := b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, b.Cast(x, dtype.Float32), num(dtype.Float32, 0.5)), num(dtype.Float32, 1.0))
	b.Ret(b.Apply(kernels.OpWhere, b.Apply(kernels.OpEqual, x, num(dtype.Int16, -1)), num(dtype.Float32, math.NaN()), y))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	f, err := c.CompileColumns(p, []bool{false}, []Sink{{Skip: true, Count: true}})
	if err != nil {
		t.Fatal(err)
	}
	if f.Lanes() != c.bytes/4 {
		t.Fatalf("got %d lanes, want those of float32 in %d bytes", f.Lanes(), c.bytes)
	}
	const rows, width = 11, 16
	var in [rows][width]int16
	var sum [width]float64
	var count [width]int64
	for r := range in {
		for k := range in[r] {
			if in[r][k] = int16(r * k); (r+k)%3 == 0 {
				in[r][k] = -1
			}
		}
	}
	by := Rows{Count: rows}
	by.Step[0] = 2 * width
	var held [width]int32
	var holes [width]int16
	f.Run([]unsafe.Pointer{unsafe.Pointer(&in), nil, unsafe.Pointer(&sum), unsafe.Pointer(&count), unsafe.Pointer(&held), unsafe.Pointer(&holes)}, width, &by)
	if held != [width]int32{} || holes != [width]int16{} {
		t.Errorf("the code left sums of 32 bits %v and holes %v behind, want none", held, holes)
	}
	for k := range width {
		s, n := 0.0, int64(0)
		for r := range rows {
			if (r+k)%3 != 0 {
				s += float64(r*k)/2 + 1
				n++
			}
		}
		if sum[k] != s || count[k] != n {
			t.Errorf("column %d: got a sum of %v of %d numbers, want %v of %d", k, sum[k], count[k], s, n)
		}
	}
	many := make([]Sink, 12)
	q := *p
	q.Ret = nil
	for i := range many {
		many[i] = Sink{Count: true, Skip: true}
		q.Ret = append(q.Ret, p.Ret[0])
	}
	if _, err := c.CompileColumns(&q, []bool{false}, many); !errors.Is(err, kernels.ErrUnsupported) {
		t.Errorf("more accumulators than registers: got %v, want ErrUnsupported", err)
	}
}

// TestColumnsOfFunctions compiles sums of every function of packed values for several sinks: constants that stay in registers leave enough
// of them to every instruction.
func TestColumnsOfFunctions(t *testing.T) {
	compilers(t, func(t *testing.T, c *Compiler) {
		for _, o := range kernels.AllOps() {
			if o.Internal || o.Arity != 1 || o.ID == kernels.OpCast || o.ID == kernels.OpBitcast {
				continue
			}
			if _, d, err := o.Signature([]dtype.DType{dtype.Float32}); err != nil || d != dtype.Float32 {
				continue
			}
			for sinks := 1; sinks < 5; sinks++ {
				b := kernels.NewBuilder(1)
				y := b.Apply(o.ID, b.Cast(b.Input(kernels.In(dtype.Int16)), dtype.Float32))
				var to []Sink
				for k := range sinks {
					b.Ret(y)
					to = append(to, Sink{Skip: true, Count: k%2 == 1})
				}
				p, err := b.Build()
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.CompileColumns(p, []bool{false}, to); err != nil && !errors.Is(err, kernels.ErrUnsupported) {
					t.Errorf("%s, %d sinks: got %v", o.Name, sinks, err)
				}
			}
		}
	})
}

// SPDX-License-Identifier: BSD-3-Clause

package kernels_test

import (
	"context"
	"fmt"
	"math"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// apply runs an operation over float64 operands on the CPU device.
func apply(t *testing.T, o *kernels.Op, in ...[]float64) []float64 {
	t.Helper()
	return applyAs(t, dtype.Float64, o, in...)
}

// applyAs is apply in another dtype.
func applyAs(t *testing.T, d dtype.DType, o *kernels.Op, in ...[]float64) []float64 {
	t.Helper()
	b := kernels.NewBuilder(1)
	var regs []kernels.Reg
	c := kernels.Call{Shape: chunk.Shape{int64(len(in[0]))}, Origin: chunk.Shape{0}}
	chunkOf := func() *chunk.Chunk {
		return &chunk.Chunk{DType: dtype.Float64, ItemBytes: 8, Shape: c.Shape, Strides: []int64{1}, Block: mem.Wrap(make([]byte, 8*len(in[0])))}
	}
	for _, v := range in {
		regs = append(regs, b.Input(kernels.In(dtype.Float64)))
		k := chunkOf()
		copy(chunk.Slice[float64](k), v)
		c.In = append(c.In, k)
	}
	for i, r := range regs {
		regs[i] = b.Cast(r, d)
	}
	b.Ret(b.Cast(b.Apply(o.ID, regs...), dtype.Float64))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	k, err := cpu.New(cpu.Options{}).Compile(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	out := chunkOf()
	c.Out, c.Scratch = []*chunk.Chunk{out}, mem.Wrap(make([]byte, k.Scratch(c.Shape)))
	if err := k.Run(context.Background(), &c); err != nil {
		t.Fatal(err)
	}
	return chunk.Slice[float64](out)
}

// ulps is the distance of two floats in steps between neighbours; +0 and -0 are one step apart.
func ulps(got, want float64) float64 {
	if math.IsNaN(got) && math.IsNaN(want) {
		return 0
	}
	if math.IsNaN(got) || math.IsNaN(want) {
		return math.Inf(1)
	}
	a, b := int64(math.Float64bits(got)), int64(math.Float64bits(want))
	if (a < 0) != (b < 0) {
		return float64(a&math.MaxInt64) + float64(b&math.MaxInt64) + 1
	}
	return math.Abs(float64(a - b))
}

// TestFunctionsWithinUlp compares the macros with correctly rounded values (testdata/functions.py).
func TestFunctionsWithinUlp(t *testing.T) {
	text, err := os.ReadFile("testdata/functions.txt")
	if err != nil {
		t.Fatal(err)
	}
	type data struct{ x, y, want []float64 }
	all := map[string]*data{}
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		if f[0] == "#" {
			continue
		}
		var v []float64
		for _, s := range f[1:] {
			u, err := strconv.ParseUint(s, 16, 64)
			if err != nil {
				t.Fatal(err)
			}
			v = append(v, math.Float64frombits(u))
		}
		d := all[f[0]]
		if d == nil {
			d = &data{}
			all[f[0]] = d
		}
		d.x, d.want = append(d.x, v[0]), append(d.want, v[len(v)-1])
		if len(v) == 3 {
			d.y = append(d.y, v[1])
		}
	}
	for name, d := range all {
		t.Run(name, func(t *testing.T) {
			o, ok := kernels.OpByName(name)
			if !ok {
				t.Fatal("not in the table")
			}
			in := [][]float64{d.x}
			if d.y != nil {
				in = append(in, d.y)
			}
			got := apply(t, o, in...)
			worst, at, bad := 0.0, 0, 0
			for i := range got {
				e := ulps(got[i], d.want[i])
				if e > worst {
					worst, at = e, i
				}
				if e > o.Ulp {
					bad++
				}
			}
			args := fmt.Sprint(d.x[at])
			if d.y != nil {
				args += ", " + fmt.Sprint(d.y[at])
			}
			t.Logf("%d points, at most %g ulp: %s(%s) = %v, want %v", len(got), worst, name, args, got[at], d.want[at])
			if bad > 0 {
				t.Errorf("%d of %d points beyond %g ulp", bad, len(got), o.Ulp)
			}
		})
	}
}

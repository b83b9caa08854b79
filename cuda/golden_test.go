// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

var update = flag.Bool("update", false, "write the golden files anew")

// TestGolden compares the sources of a few programs with files that people can read: one for each template.
func TestGolden(t *testing.T) {
	half, _ := kernels.ConstOf(dtype.Float32, 0.5)
	scaled := func(rank int) *kernels.Program {
		b := kernels.NewBuilder(rank)
		x := b.Cast(b.Input(kernels.In(dtype.Int16)), dtype.Float32)
		y := b.Input(kernels.In(dtype.Float32))
		b.Ret(b.Apply(kernels.OpSqrt, b.Apply(kernels.OpAdd, b.Apply(kernels.OpMultiply, x, b.Const(half)), y)))
		return build(t, b)
	}
	fold := func(axes kernels.AxisSet, grouped bool, names ...string) *kernels.Program {
		b := kernels.NewBuilder(3)
		x := b.Input(kernels.In(dtype.Float32))
		v := b.Apply(kernels.OpMultiply, x, b.Const(half))
		group := int16(-1)
		if grouped {
			b.Input(kernels.In(dtype.Int32))
			group = 1
		}
		for _, n := range names {
			r, _ := kernels.ReductionByName(n)
			f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{v}, Axes: axes, Group: group}
			if r.Indexed {
				f.Args = append(f.Args, b.Index(2))
			}
			b.Fold(f)
		}
		return build(t, b)
	}
	take := func() *kernels.Program {
		b := kernels.NewBuilder(3)
		b.Input(kernels.In(dtype.Int32))
		port := kernels.In(dtype.Float64)
		port.Gather, port.GatherIDs = 0, 0
		b.Ret(b.Apply(kernels.OpNegative, b.Input(port)))
		return build(t, b)
	}
	for name, c := range map[string]struct {
		p      *kernels.Program
		shape  chunk.Shape
		layout string
	}{
		"flat":   {scaled(3), small, "plain"},
		"rows":   {scaled(3), small, "padded"},
		"any":    {scaled(3), chunk.Shape{5, 70, 20}, "turned"},
		"tiles":  {scaled(3), square, "turned"},
		"wide":   {scaled(3), large, "padded"},
		"gather": {take(), small, "plain"},
		"lanes":  {fold(kernels.Axes(2), false, "mean", "argmax", "nanvar"), small, "padded"},
		"column": {fold(kernels.Axes(0), false, "sum", "nanmin"), small, "padded"},
		"groups": {fold(kernels.Axes(0), true, "nanmean"), small, "plain"},
	} {
		t.Run(name, func(t *testing.T) {
			var b strings.Builder
			for _, s := range sources(t, c.p, c.shape, c.layout) {
				b.WriteString("// " + s.What + "\n" + s.Text)
			}
			golden(t, name+".cu", b.String())
		})
	}
	for axis, name := range []string{"scan_lines.cu", "scan_rows.cu"} {
		list, err := Sources(&kernels.Scan{Op: kernels.ScanSum, DType: dtype.Float32, Rank: 2, Axis: axis}, chunk.Shape{70, 40}, 0)
		if err != nil {
			t.Fatal(err)
		}
		golden(t, name, "// "+list[0].What+"\n"+list[0].Text)
	}
	list, err := Sources(&kernels.Product{DType: dtype.Float32, Rows: 1, Sums: 1, Cols: 1}, chunk.Shape{70, 300, 40}, 0)
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "product.cu", "// "+list[0].What+"\n"+list[0].Text)
	r, _ := kernels.ReductionByName("var")
	s, err := renderCombine(kernels.CombineOf(r.ID, r.State(dtype.Float32)))
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "combine.cu", "// "+s.What+"\n"+s.Text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s differs from the file; go test -update writes it anew.\n%s", name, got)
	}
}

// TestSourceIndependentOfShape renders programs over several shapes and with other constants: one text.
func TestSourceIndependentOfShape(t *testing.T) {
	texts := map[string]bool{}
	for i, shape := range []chunk.Shape{{5, 70, 40}, {2, 999, 64}, {64, 2, 33}} {
		c, _ := kernels.ConstOf(dtype.Float64, float64(i)+1.5)
		b := kernels.NewBuilder(3)
		x := b.Input(kernels.In(dtype.Float64))
		b.Ret(b.Apply(kernels.OpExp, b.Apply(kernels.OpMultiply, x, b.Const(c))))
		r, _ := kernels.ReductionByName("std")
		b.Fold(kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.Axes(1), Group: -1})
		for _, s := range sources(t, build(t, b), shape, "padded") {
			texts[s.Text] = true
		}
	}
	if len(texts) != 2 {
		t.Errorf("%d texts for the results and the fold of one program, want 2", len(texts))
	}
}

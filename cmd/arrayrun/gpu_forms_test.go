// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/binary"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// gpuForms are the forms of expressions, over operands of odd shapes: empty ones, scalars, axes of length 1, strides that go back.
var gpuForms = []string{
	// operators and literals
	"a + 1", "2 ** a % 3", "(-a) // 2.5", "a / 0", "~i", "i << 2 | 1", "i & 3 ^ i >> 1", "(a > 3) & (a <= 9) | (a == 20)", "a != a", "1 - a", "i // 0", "i % 0", "u + 200", "h * 3", "a ** -0.5",
	"c * c + a[0, :5]", "c.real + c.imag", "abs(c)", "c == c", "(a + 1) @ a.T", "f @ f.mT", "(concat([a, a, a, a]) + 1) @ tile(a.T, (1, 8)) * 2", "einsum('ijk,lkj->il', tile(f, (3, 1, 1)), tile(f.mT, (3, 1, 1)))", "inf * a", "where(f > 0, f, nan)", "pi * f - e",
	// indexing
	"a[1:, ::-1]", "a[..., None]", "a[:, [0, 2, 2]]", "a[2]", "a[-1, -1]", "f[::2, ::-3, 1]", "a[a[:, 0] > 5]", "a[a > 7]", "vindex(a, [0, 3], [1, 5]) + 1", "f[[0, 5], :, [2, 0]]", "a[3:1]", "a[::5]",
	// empty and scalar
	"z + 1", "z.sum()", "z.sum(0)", "z.sum(1)", "z * z.T[0, :0].sum()", "s * 2", "s.sum()", "s + a", "sqrt(s)", "a[:0].sum(0)", "a[:, :0].prod(1)", "nansum(z, axis=0)", "z.all()", "z.any(1)", "concat([z, z + 1])", "zeros((0, 0)) + 1",
	// calls and methods
	"mean(a, axis=(0, 1), keepdims=True)", "a.mean(axis=0)", "f.std(axis=(0, 2))", "nanvar(f, axis=1)", "f.max()", "nanmin(f, axis=2)", "argmax(a, axis=1)", "argmin(a)", "nanargmax(f)", "f.sum(axis=())",
	"a.prod()", "count_nonzero(i, axis=0)", "any(b)", "all(b, axis=1)", "sum(u)", "mean(h, axis=0)", "sum(c, axis=1)", "prod(c)", "ptp(a, axis=0)", "median(f, axis=0)", "quantile(a, [0.1, 0.9], axis=1)", "var(i)", "sum(b)",
	"astype(a, 'float32')", "astype(f, 'int8')", "a.astype('bool')", "clip(a, 2, 7)", "round(a * 1.37, 1)", "nan_to_num(f)", "isin(i, [1, 2])", "diff(a)", "dot(a[0], a[1])", "vecdot(a, a)", "outer(a[0], a[1])",
	// shapes
	"a.T + 1", "transpose(f, (2, 0, 1)) * 2", "reshape(a * 2, (6, 4))", "ravel(f) + 1", "concat([a, a * 2], axis=1)", "stack([a, a + 1])", "flip(f, 1) * 3", "roll(a, 3, axis=1) + 1", "repeat(a, 3, axis=0) - 1", "tile(a, 2) + a[0, 0]",
	"take(a, [1, -1], axis=1) + 1", "broadcast_to(a[0], (3, 6)) + 1", "expand_dims(a, 1) * a", "squeeze(a[:, :1]) + 1", "moveaxis(f, 0, -1) + 1", "rechunk(a, (2, 5)) + 1", "eye(5) * 2", "linspace(0, 1, 7) ** 2", "arange(10) * 2 + 1",
	// several sweeps
	"(a - a.mean(0)) / a.std(0)", "x = a.sum(1); y = a - x[:, None]; (y * y).sum()", "where(a > a.mean(), a, -a).sum(1)", "(f - nanmean(f)).sum(axis=0)", "exp(a - a.max(1, keepdims=True)).sum(1)",
}

// gpuOperands makes the operands of gpuForms in the current folder.
func gpuOperands(t *testing.T) []string {
	t.Helper()
	var inputs []string
	for _, x := range []struct{ name, expr string }{
		{"a", "arange(24.).reshape(4, 6)"},
		{"f", "astype(where(arange(105) % 7 == 3, nan, sin(arange(105.)) * 30), 'float32').reshape(7, 5, 3)"},
		{"i", "astype(arange(12) * 7 % 5, 'int32').reshape(2, 6) % 4"},
		{"u", "astype(arange(60) * 5, 'uint8').reshape(1, 60)"},
		{"h", "astype(linspace(-3, 3, 33), 'float16').reshape(3, 11)"},
		{"b", "(arange(15) % 4 == 1).reshape(5, 3)"},
		{"z", "zeros((0, 3))"},
		{"s", "sum(arange(4.))"},
	} {
		file := x.name + ".npy"
		if code, _, errs := arrayrun(t, "eval", x.expr, "-o", file, "--device", "cpu"); code != exitDone {
			t.Fatalf("%s: exit %d: %s", x.name, code, errs)
		}
		inputs = append(inputs, x.name+"="+file)
	}
	// No expression makes a complex array of real ones: as NumPy's format version 1.0 has it.
	header := "{'descr': '<c16', 'fortran_order': False, 'shape': (2, 5), }"
	header += strings.Repeat(" ", 117-len(header)) + "\n"
	data := append([]byte("\x93NUMPY\x01\x00v\x00"), header...)
	for i := range 20 {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(float64(i*7%11)-3.5))
	}
	if err := os.WriteFile("c.npy", data, 0o666); err != nil {
		t.Fatal(err)
	}
	return append(inputs, "c=c.npy")
}

// TestFormsOnGPU evaluates every form of expression on the simulated GPU, where nothing may be left to the CPU, and on the CPU: the same bits. Its kernels can
// be dumped. All of them where ARRAYRUN_REQUIRE=all, elsewhere one of every so many.
func TestFormsOnGPU(t *testing.T) {
	simulated(t)
	t.Chdir(t.TempDir())
	inputs := gpuOperands(t)
	every := 4
	switch {
	case os.Getenv("ARRAYRUN_REQUIRE") == "all":
		every = 1
	case testing.Short():
		every = 19
	}
	for k := 0; k < len(gpuForms); k += every {
		expr := gpuForms[k]
		out := map[string]string{}
		for _, dev := range []string{"cpu", "cuda"} {
			out[dev] = filepath.Join(".", fmt.Sprintf("%s%d.npy", dev, k))
			args := append([]string{"eval", expr, "--device", dev, "--strict-gpu", "-o", out[dev]}, inputs...)
			if code, _, errs := arrayrun(t, args...); code != exitDone {
				t.Errorf("%s on %s: exit %d: %s", expr, dev, code, errs)
			}
		}
		if _, err := os.Stat(out["cuda"]); err != nil {
			continue // told already
		}
		if got, want := loadArray(t, out["cuda"]), loadArray(t, out["cpu"]); !sameBits(got, want) {
			t.Errorf("%s: the GPU's result differs from the CPU's", expr)
		}
		code, text, errs := arrayrun(t, append([]string{"kernels", "dump", expr}, inputs...)...)
		if code != exitDone || strings.Contains(text, "runs on the CPU") {
			t.Errorf("kernels dump %s: exit %d: %s%s", expr, code, text, errs)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package kernels_test

import (
	"context"
	"encoding/hex"
	"errors"
	"math"
	"math/cmplx"
	"os"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// zeroSign are the operations of which NumPy does not promise which of -0 and +0 comes out.
var zeroSign = map[string]bool{"minimum": true, "maximum": true, "fmin": true, "fmax": true, "nextafter": true}

// TestNumPy compares dtypes and values with NumPy's (testdata/ufuncs.py writes the file).
func TestNumPy(t *testing.T) {
	text, err := os.ReadFile("testdata/ufuncs.txt")
	if err != nil {
		t.Fatal(err)
	}
	operands := map[dtype.DType][]byte{}
	dev := cpu.New(cpu.Options{})
	defer dev.Close()
	for line := range strings.Lines(string(text)) {
		f := strings.Fields(line)
		switch {
		case f[0] == "#":
			continue
		case f[0] == "values":
			d, err := dtype.Parse(f[1])
			if err != nil {
				t.Fatal(err)
			}
			operands[d] = unhex(t, f[2])
			continue
		}
		o, ok := kernels.OpByName(f[0])
		if !ok {
			t.Fatalf("%s is not in the table", f[0])
		}
		var in []dtype.DType
		k := 1
		for ; f[k] != "->"; k++ {
			d, err := dtype.Parse(f[k])
			if err != nil {
				t.Fatal(err)
			}
			in = append(in, d)
		}
		_, out, err := o.Signature(in)
		if errors.Is(err, kernels.ErrUnsupported) && in[0].IsComplex() {
			continue // NumPy has forms for complex numbers that we lack
		}
		if f[k+1] == "error" {
			if err == nil {
				t.Errorf("%s of %v: %v, NumPy has an error", o.Name, in, out)
			}
			continue
		}
		if err != nil || out.String() != f[k+1] {
			t.Errorf("%s of %v: %v, %v, NumPy has %s", o.Name, in, out, err, f[k+1])
			continue
		}
		if len(f) == k+3 {
			compareNumPy(t, dev, o, in, operands, unhex(t, f[k+2]), out)
		}
	}
}

func unhex(t *testing.T, s string) []byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compareNumPy runs o over all operands, or all pairs of them, and compares with want.
func compareNumPy(t *testing.T, dev kernels.Device, o *kernels.Op, in []dtype.DType, operands map[dtype.DType][]byte, want []byte, out dtype.DType) {
	t.Helper()
	d := in[0]
	b := kernels.NewBuilder(len(in))
	c := kernels.Call{Origin: make(chunk.Shape, len(in))}
	var regs []kernels.Reg
	for i := range in {
		v := operands[d]
		if i == 1 && o.Name == "power" && d.Kind() == dtype.KindInt {
			v = v[:9*d.Size()] // exponents from 0 on
		}
		n := int64(len(v) / d.Size())
		c.Shape = append(c.Shape, n)
		s := make([]int64, len(in))
		s[i] = 1
		c.In = append(c.In, &chunk.Chunk{DType: d, ItemBytes: int32(d.Size()), Strides: s, Block: mem.Wrap(v)})
		regs = append(regs, b.Input(kernels.In(d)))
	}
	for _, x := range c.In {
		x.Shape = c.Shape
	}
	b.Ret(b.Apply(o.ID, regs...))
	p, err := b.Build()
	if err != nil {
		t.Errorf("%s of %v: %v", o.Name, in, err)
		return
	}
	k, err := dev.Compile(context.Background(), p)
	if err != nil {
		t.Fatal(err)
	}
	got := mem.Wrap(make([]byte, c.Shape.Size()*int64(out.Size())))
	c.Out = []*chunk.Chunk{{DType: out, ItemBytes: int32(out.Size()), Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: got}}
	c.Scratch = mem.Wrap(make([]byte, k.Scratch(c.Shape)))
	if err := k.Run(context.Background(), &c); err != nil {
		t.Errorf("%s of %v: %v", o.Name, in, err)
		return
	}
	if len(want) != len(got.Bytes()) {
		t.Fatalf("%s of %v: %d bytes, NumPy has %d", o.Name, in, len(got.Bytes()), len(want))
	}
	bad := 0
	for i := range c.Shape.Size() {
		if d.IsComplex() {
			g, w := partsAt(out, got.Bytes(), i), partsAt(out, want, i)
			if !near(g, w, d) {
				t.Errorf("%s of %v: result %d is %v, NumPy has %v", o.Name, in, i, g, w)
			}
			continue
		}
		g, w := constAt(out, got.Bytes(), i), constAt(out, want, i)
		if closeTo(o, g, w) || differs(o, out, g, w, constAt(d, operands[d], i%(int64(len(operands[d])/d.Size())))) {
			continue
		}
		if bad++; bad <= 3 {
			at := i
			args := make([]kernels.Const, len(in))
			for j := len(in) - 1; j >= 0; j-- {
				args[j] = constAt(d, operands[d], at%c.Shape[j])
				at /= c.Shape[j]
			}
			t.Errorf("%s(%v) of %v = %v, NumPy has %v", o.Name, args, in, g, w)
		}
	}
}

// partsAt is element i as a complex number.
func partsAt(d dtype.DType, b []byte, i int64) complex128 {
	switch d {
	case dtype.Complex64:
		return complex(constAt(dtype.Float32, b, 2*i).Float64(), constAt(dtype.Float32, b, 2*i+1).Float64())
	case dtype.Complex128:
		return complex(constAt(dtype.Float64, b, 2*i).Float64(), constAt(dtype.Float64, b, 2*i+1).Float64())
	}
	return complex(constAt(d, b, i).Float64(), 0)
}

// near reports whether two complex numbers are as close as eight steps of the dtype at their
// modulus: NumPy's own parts are not exact where they cancel.
func near(got, want complex128, d dtype.DType) bool {
	eps := 0x1p-52
	if d == dtype.Complex64 {
		eps = 0x1p-23
	}
	if cmplx.IsNaN(want) || cmplx.IsInf(want) {
		return cmplx.IsNaN(got) || cmplx.IsInf(got)
	}
	return cmplx.Abs(got-want) <= 8*eps*cmplx.Abs(want)
}

// differs reports results that are meant to differ: 1/0 of an integer is 0 as every division by it, and
// the spacing of a negative float16 points away from 0 as that of the other floats does.
func differs(o *kernels.Op, out dtype.DType, got, want, x kernels.Const) bool {
	switch o.Name {
	case "reciprocal":
		return out.IsInteger() && x.Bits == 0 && got.Bits == 0
	case "spacing":
		return out == dtype.Float16 && x.Float64() < 0 && got.Float64() < 0 && want.Float64() > 0
	}
	return false
}

func constAt(d dtype.DType, b []byte, i int64) kernels.Const {
	n := int64(d.Size())
	c := kernels.Const{DType: d}
	for j, v := range b[i*n : (i+1)*n] {
		c.Bits |= uint64(v) << (8 * j)
	}
	return c
}

// closeTo reports whether two results are equal, or for functions with a tolerance within
// ours and NumPy's own, which is of the same size.
func closeTo(o *kernels.Op, got, want kernels.Const) bool {
	switch {
	case got.Bits == want.Bits, got.IsNaN() && want.IsNaN():
		return true
	case !got.DType.IsFloat():
		return false
	case zeroSign[o.Name] && got.Float64() == 0 && want.Float64() == 0:
		return true
	case o.Ulp == 0 || got.IsNaN() || want.IsNaN():
		return false
	}
	g, w := got.Float64(), want.Float64()
	step := math.Max(math.Abs(g), math.Abs(w))
	switch got.DType {
	case dtype.Float16:
		step = math.Max(step*0x1p-10, 0x1p-24)
		return math.Abs(g-w) <= 2*step
	case dtype.Float32:
		step = math.Max(step*0x1p-23, 0x1p-149)
	default:
		step = math.Max(step*0x1p-52, math.SmallestNonzeroFloat64)
	}
	return math.Abs(g-w) <= 2*o.Ulp*step
}

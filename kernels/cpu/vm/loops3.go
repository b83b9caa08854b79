// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"math"
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// at is element i of a vector operand; a uniform operand is read with mask 0.
func at[T any](p unsafe.Pointer, i, mask int) T {
	var z T
	return *(*T)(unsafe.Add(p, (i&mask)*int(unsafe.Sizeof(z))))
}

// masks returns -1 for a vector operand and 0 for a uniform one.
func masks(u uniform) (a, b, c int) {
	return int(u&uniformA) - 1, int(u&uniformB)>>1 - 1, int(u&uniformC)>>2 - 1
}

// fma64 has forms for what Horner's rule uses: the added coefficient is uniform.
func fma64(d, a, b, c unsafe.Pointer, n int, u uniform) {
	z := values[float64](d, n)
	switch u {
	case 0:
		x, y, w := values[float64](a, n), values[float64](b, n), values[float64](c, n)
		for i := range z {
			z[i] = math.FMA(x[i], y[i], w[i])
		}
	case uniformC:
		x, y, w := values[float64](a, n), values[float64](b, n), *(*float64)(c)
		for i := range z {
			z[i] = math.FMA(x[i], y[i], w)
		}
	default:
		ma, mb, mc := masks(u)
		for i := range z {
			z[i] = math.FMA(at[float64](a, i, ma), at[float64](b, i, mb), at[float64](c, i, mc))
		}
	}
}

// fma32 rounds the float64 sum of fmaShort.
func fma32(d, a, b, c unsafe.Pointer, n int, u uniform) {
	z := values[float32](d, n)
	ma, mb, mc := masks(u)
	for i := range z {
		z[i] = fmaShort(float64(float64(at[float32](a, i, ma))*float64(at[float32](b, i, mb))), float64(at[float32](c, i, mc)))
	}
}

// fmaShort returns p + w rounded to float32, p and w being exact: rounding the float64 sum is rounding once unless that is the middle
// between two float32 or the result has fewer bits than others.
func fmaShort(p, w float64) float32 {
	const low, middle = 1<<29 - 1, 1 << 28
	s := p + w
	if math.Float64bits(s)&low == middle || math.Abs(s) < 0x1p-126 {
		s = kernels.OddSum(p, w)
	}
	return float32(s)
}

// whereLoop selects by bit masks, for any type of T's size: a branch on data costs up to 7 ns.
func whereLoop[T unsigned](d, a, b, c unsafe.Pointer, n int, u uniform) {
	z := values[T](d, n)
	if u&uniformA != 0 {
		from, mask := c, int(u&uniformC)>>2-1
		if *(*uint8)(a) != 0 {
			from, mask = b, int(u&uniformB)>>1-1
		}
		for i := range z {
			z[i] = at[T](from, i, mask)
		}
		return
	}
	m := values[uint8](a, n)
	switch u {
	case 0:
		x, y := values[T](b, n), values[T](c, n)
		for i := range z {
			k := -T(m[i])
			z[i] = y[i] ^ (x[i]^y[i])&k
		}
	case uniformB:
		x, y := *(*T)(b), values[T](c, n)
		for i := range z {
			k := -T(m[i])
			z[i] = y[i] ^ (x^y[i])&k
		}
	case uniformC:
		x, y := values[T](b, n), *(*T)(c)
		for i := range z {
			k := -T(m[i])
			z[i] = y ^ (x[i]^y)&k
		}
	default:
		x, y := *(*T)(b), *(*T)(c)
		for i := range z {
			z[i] = y ^ (x^y)&-T(m[i])
		}
	}
}

// whereLoops is indexed by element size.
var whereLoops = [9]loop{1: whereLoop[uint8], 2: whereLoop[uint16], 4: whereLoop[uint32], 8: whereLoop[uint64]}

// loopOf returns the loop of an instruction, nil when there is none.
func loopOf(op kernels.OpID, in, out dtype.DType) loop {
	switch op {
	case kernels.OpWhere:
		return whereLoops[out.Size()]
	case kernels.OpFma:
		if in == dtype.Float32 {
			return fma32
		}
		return fma64
	case kernels.OpCast:
		return castOf(in, out)
	case kernels.OpReal, kernels.OpImag, kernels.OpComplex:
		return complexLoops[op][in]
	}
	if l := binaryLoops[op][in]; l != nil {
		return l
	}
	return unaryLoops[op][in]
}

// complexLoops take complex numbers apart and put them together, by dtype of the operand.
var complexLoops = map[kernels.OpID]map[dtype.DType]loop{
	kernels.OpReal:    {dtype.Complex64: partLoop[float32](0), dtype.Complex128: partLoop[float64](0)},
	kernels.OpImag:    {dtype.Complex64: partLoop[float32](1), dtype.Complex128: partLoop[float64](1)},
	kernels.OpComplex: {dtype.Float32: joinLoop[float32], dtype.Float64: joinLoop[float64]},
}

func partLoop[T float](k int) loop {
	return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
		z, x := values[T](d, n), values[[2]T](a, n)
		for i := range z {
			z[i] = x[i][k]
		}
	}
}

// lookupLoop reads a table at the four lowest bits of each element.
func lookupLoop[T uint32 | uint64](entries [16]uint64) loop {
	var table [16]T
	for i, v := range entries {
		table[i] = T(v)
	}
	return func(d, a, _, _ unsafe.Pointer, n int, _ uniform) {
		z, x := values[T](d, n), values[T](a, n)
		for i := range z {
			z[i] = table[x[i]%16]
		}
	}
}

// exponentLoop and significandLoop take floats apart.
func exponentLoop[T float](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		k, _ := kernels.Parts(float64(x[i]))
		z[i] = T(k)
	}
}

func significandLoop[T float](d, a, _, _ unsafe.Pointer, n int, _ uniform) {
	z, x := values[T](d, n), values[T](a, n)
	for i := range z {
		_, s := kernels.Parts(float64(x[i]))
		z[i] = T(s)
	}
}

func joinLoop[T float](d, a, b, _ unsafe.Pointer, n int, u uniform) {
	z := values[[2]T](d, n)
	ma, mb, _ := masks(u)
	for i := range z {
		z[i] = [2]T{at[T](a, i, ma), at[T](b, i, mb)}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// floatBits is the precision in which a dtype's shortest digits are found.
func floatBits(dt dtype.DType) int {
	switch dt {
	case dtype.Float16, dtype.BFloat16:
		return 16
	case dtype.Float32, dtype.Complex64:
		return 32
	}
	return 64
}

// decimalDigits is how many decimal digits a precision is sure to hold.
var decimalDigits = map[int]int{16: 3, 32: 6, 64: 15}

// floatFormat returns the function that prints number i of n: positional, or
// scientific where the range of magnitudes asks for it, in one width, with the
// fewest digits that tell each number apart, at most printDigits behind the point.
func floatFormat(bits int, n int64, sign bool, value func(int64) float64) func(int64) string {
	lo, hi, finite, negInf, odd := math.Inf(1), 0.0, false, false, false
	for i := range n {
		x := value(i)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			odd = true
			negInf = negInf || x < 0
			continue
		}
		finite = true
		if x != 0 {
			lo, hi = min(lo, math.Abs(x)), max(hi, math.Abs(x))
		}
	}
	cutoff := math.Pow10(min(8, decimalDigits[bits]))
	science := hi > 0 && (hi >= cutoff || lo < 0.0001 || hi/lo > 1000)
	format := byte('f')
	if science {
		format = 'e'
	}
	left, right, exp := 0, 0, 0
	for i := range n {
		x := value(i)
		if !finite || math.IsNaN(x) || math.IsInf(x, 0) {
			continue
		}
		whole, frac, e := splitNumber(shortest(x, format, bits, printDigits), sign)
		left, right, exp = max(left, len(whole)), max(right, len(frac)), max(exp, len(e))
	}
	total := left + 1 + right
	padRight := right
	if science {
		total += exp
		padRight += exp
	}
	if odd {
		least := len("nan")
		if negInf || sign {
			least = len("-inf")
		}
		left = max(left, least-padRight-1)
		total = left + 1 + padRight
	}
	return func(i int64) string {
		x := value(i)
		switch {
		case math.IsNaN(x) && sign:
			return fmt.Sprintf("%*s", total, "+nan")
		case math.IsNaN(x):
			return fmt.Sprintf("%*s", total, "nan")
		case math.IsInf(x, 0):
			s := "inf"
			if x < 0 {
				s = "-inf"
			} else if sign {
				s = "+inf"
			}
			return fmt.Sprintf("%*s", total, s)
		case science:
			// Every number shows as many digits as the one that needs most: of its exact value, not zeros.
			whole, frac, e := splitNumber(strconv.FormatFloat(x, 'e', right, 64), sign)
			for len(e) < exp {
				e = e[:2] + "0" + e[2:]
			}
			return fmt.Sprintf("%*s.%s%s", left, whole, frac, e)
		}
		whole, frac, _ := splitNumber(shortest(x, 'f', bits, right), sign)
		return fmt.Sprintf("%*s.%-*s", left, whole, right, frac)
	}
}

// shortest prints x with the fewest digits that give it back in its precision,
// rounded to at most digits behind the point, without trailing zeros.
func shortest(x float64, format byte, bits, digits int) string {
	var s string
	if bits == 16 {
		s = shortest16(x, format)
	} else {
		s = strconv.FormatFloat(x, format, -1, bits)
	}
	mantissa, e, _ := strings.Cut(s, "e")
	if _, frac, _ := strings.Cut(mantissa, "."); len(frac) > digits {
		s = strconv.FormatFloat(x, format, digits, 64)
		mantissa, e, _ = strings.Cut(s, "e")
		mantissa = strings.TrimRight(mantissa, "0")
	}
	if e != "" {
		return mantissa + "e" + e
	}
	return mantissa
}

// shortest16 finds the fewest digits for a half precision number by trying.
func shortest16(x float64, format byte) string {
	want := dtype.F16Of(x)
	for d := range 8 {
		s := strconv.FormatFloat(x, 'e', d, 64)
		if y, _ := strconv.ParseFloat(s, 64); dtype.F16Of(y) == want {
			if format == 'e' {
				return s
			}
			return strconv.FormatFloat(y, 'f', -1, 64)
		}
	}
	return strconv.FormatFloat(x, format, -1, 32)
}

// splitNumber cuts the text of a number into the part before the point, with a
// plus where sign asks for one, the part behind it, and the exponent with its e.
func splitNumber(s string, sign bool) (whole, frac, exp string) {
	s, e, ok := strings.Cut(s, "e")
	if ok {
		exp = "e" + e
	}
	whole, frac, _ = strings.Cut(s, ".")
	if sign && !strings.HasPrefix(whole, "-") {
		whole = "+" + whole
	}
	return whole, frac, exp
}

// scalarText prints the one element of c as Python prints a NumPy scalar.
func scalarText(c *chunk.Chunk) string {
	switch {
	case c.DType == dtype.String:
		return stringAt(c, 0)
	case c.DType == dtype.Raw:
		return "b" + pythonQuote(strings.TrimRight(stringAt(c, 0), "\x00"))
	case c.DType == dtype.Bool && boolAt(c, 0):
		return "True"
	case c.DType == dtype.Bool:
		return "False"
	case c.DType.IsInteger():
		return intText(c, 0)
	case c.DType.IsComplex():
		z := complexAt(c, 0)
		bits := floatBits(c.DType)
		im := pythonFloat(imag(z), bits, true)
		if real(z) == 0 && !math.Signbit(real(z)) {
			return strings.TrimPrefix(im, "+") + "j"
		}
		return "(" + strings.TrimPrefix(pythonFloat(real(z), bits, true), "+") + im + "j)"
	}
	return pythonFloat(floatAt(c, 0), floatBits(c.DType), false)
}

// scalarLimit is where single numbers become scientific.
var scalarLimit = map[int]float64{16: 1e3, 32: 1e6, 64: 1e16}

// pythonFloat prints x as NumPy prints a scalar: positional from 1e-4 up to the
// limit of its precision, else scientific. Inside a complex number (part) a whole
// number has no ".0" and always a sign.
func pythonFloat(x float64, bits int, part bool) string {
	plus := ""
	if part && !math.Signbit(x) {
		plus = "+"
	}
	switch {
	case math.IsNaN(x):
		return plus + "nan"
	case math.IsInf(x, 0):
		if x < 0 {
			return "-inf"
		}
		return plus + "inf"
	}
	if a := math.Abs(x); a != 0 && (a < 1e-4 || a >= scalarLimit[bits]) {
		return plus + shortest(x, 'e', bits, 20)
	}
	s := shortest(x, 'f', bits, 30)
	if !part && !strings.Contains(s, ".") {
		s += ".0"
	}
	return plus + s
}

func boolAt(c *chunk.Chunk, i int64) bool { return c.Bytes()[i] != 0 }

func stringAt(c *chunk.Chunk, i int64) string {
	if c.DType == dtype.Raw {
		n := int64(c.ItemBytes)
		return string(c.Bytes()[i*n : (i+1)*n])
	}
	refs := chunk.Elems[int64](c.Block)[2*c.Offset:]
	return string(c.Heap[refs[2*i] : refs[2*i]+refs[2*i+1]])
}

func element(c *chunk.Chunk, i int64) any {
	n := int64(c.ItemBytes)
	return elementValue(c.DType, c.Bytes()[i*n:(i+1)*n])
}

func intText(c *chunk.Chunk, i int64) string { return fmt.Sprint(element(c, i)) }

func floatAt(c *chunk.Chunk, i int64) float64 {
	x, _ := element(c, i).(float64)
	return x
}

func complexAt(c *chunk.Chunk, i int64) complex128 {
	z, _ := element(c, i).(complex128)
	return z
}

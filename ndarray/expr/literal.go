// SPDX-License-Identifier: BSD-3-Clause

package expr

import (
	"fmt"
	"math"
	"math/big"
	"math/cmplx"
)

// Literals are Go values: bool, *big.Int, float64 and complex128 stand for Python's numbers, which are weak
// beside arrays; string, list, tuple, none and ellipsis for the rest.
type (
	value    = any
	list     []value
	tuple    []value
	none     struct{}
	ellipsis struct{}
)

// maxBits bounds the integers that literals may grow to.
const maxBits = 1 << 21

// isNumber reports whether v is a literal number.
func isNumber(v value) bool {
	switch v.(type) {
	case bool, *big.Int, float64, complex128:
		return true
	}
	return false
}

// rank orders the literal numbers as Python's arithmetic promotes them.
func rank(v value) int {
	switch v.(type) {
	case bool:
		return 0
	case *big.Int:
		return 1
	case float64:
		return 2
	case complex128:
		return 3
	}
	return -1
}

func toInt(v value) *big.Int {
	switch x := v.(type) {
	case bool:
		if x {
			return big.NewInt(1)
		}
		return new(big.Int)
	case *big.Int:
		return x
	}
	return nil
}

// toFloat returns a literal as a float, ok false for an integer that is too large, as in Python.
func toFloat(v value) (float64, bool) {
	switch x := v.(type) {
	case bool, *big.Int:
		f, _ := new(big.Float).SetInt(toInt(x)).Float64()
		return f, !math.IsInf(f, 0)
	case float64:
		return x, true
	}
	return 0, false
}

func toComplex(v value) complex128 {
	if c, ok := v.(complex128); ok {
		return c
	}
	f, _ := toFloat(v)
	return complex(f, 0)
}

// literalUnary applies an operator to a literal number as Python does.
func literalUnary(op string, x value) (value, error) {
	switch op {
	case "+":
		if rank(x) <= 1 {
			return toInt(x), nil
		}
		return x, nil
	case "-":
		switch y := x.(type) {
		case float64:
			return -y, nil
		case complex128:
			return -y, nil
		}
		return new(big.Int).Neg(toInt(x)), nil
	}
	if rank(x) > 1 {
		return nil, fmt.Errorf("~ takes integers and bool: got %s", describe(x))
	}
	return new(big.Int).Not(toInt(x)), nil
}

// literalBinary applies an operator to two literal numbers as Python does.
func literalBinary(op string, x, y value) (value, error) {
	if comparisons[op] {
		return literalCompare(op, x, y)
	}
	switch op {
	case "&", "|", "^":
		if a, ok := x.(bool); ok {
			if b, ok := y.(bool); ok {
				switch op {
				case "&":
					return a && b, nil
				case "|":
					return a || b, nil
				}
				return a != b, nil
			}
		}
		fallthrough
	case "<<", ">>":
		if rank(x) > 1 || rank(y) > 1 {
			return nil, fmt.Errorf("%s takes integers: got %s and %s", op, describe(x), describe(y))
		}
	}
	switch max(rank(x), rank(y)) {
	case 3:
		return complexBinary(op, toComplex(x), toComplex(y))
	case 2:
		a, okA := toFloat(x)
		b, okB := toFloat(y)
		if !okA || !okB {
			return nil, fmt.Errorf("the integer is too large to be a float")
		}
		return floatBinary(op, a, b)
	}
	return intBinary(op, toInt(x), toInt(y))
}

func literalCompare(op string, x, y value) (value, error) {
	if rank(x) == 3 || rank(y) == 3 {
		switch op {
		case "==":
			return toComplex(x) == toComplex(y), nil
		case "!=":
			return toComplex(x) != toComplex(y), nil
		}
		return nil, fmt.Errorf("%s of complex numbers is not defined", op)
	}
	c := 0
	a, b := toInt(x), toInt(y)
	switch {
	case a != nil && b != nil:
		c = a.Cmp(b)
	default:
		// Floats are exact as big numbers; NaN and infinities are not.
		f, okF := toFloat(x)
		g, okG := toFloat(y)
		if math.IsNaN(f) || math.IsNaN(g) {
			return op == "!=", nil
		}
		if okF && okG && (math.IsInf(f, 0) || math.IsInf(g, 0)) {
			c = compare(f, g)
		} else {
			c = bigFloat(x).Cmp(bigFloat(y))
		}
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	case ">=":
		return c >= 0, nil
	case "==":
		return c == 0, nil
	}
	return c != 0, nil
}

func compare(f, g float64) int {
	switch {
	case f < g:
		return -1
	case f > g:
		return 1
	}
	return 0
}

// bigFloat returns a literal exactly.
func bigFloat(v value) *big.Float {
	if f, ok := v.(float64); ok {
		if math.IsInf(f, 0) {
			return new(big.Float).SetInf(f < 0)
		}
		return big.NewFloat(f)
	}
	i := toInt(v)
	return new(big.Float).SetPrec(uint(max(64, i.BitLen()))).SetInt(i)
}

func intBinary(op string, a, b *big.Int) (value, error) {
	z := new(big.Int)
	switch op {
	case "+":
		return z.Add(a, b), nil
	case "-":
		return z.Sub(a, b), nil
	case "*":
		if a.BitLen()+b.BitLen() > maxBits {
			return nil, fmt.Errorf("the integer is too large")
		}
		return z.Mul(a, b), nil
	case "/":
		if b.Sign() == 0 {
			return nil, fmt.Errorf("division by zero")
		}
		f, _ := new(big.Rat).SetFrac(a, b).Float64()
		if math.IsInf(f, 0) {
			return nil, fmt.Errorf("the quotient is too large to be a float")
		}
		return f, nil
	case "//", "%":
		if b.Sign() == 0 {
			return nil, fmt.Errorf("division by zero")
		}
		m := new(big.Int)
		z.DivMod(a, b, m) // Euclidean: the remainder is not below 0
		if b.Sign() < 0 && m.Sign() != 0 {
			z.Sub(z, big.NewInt(1))
			m.Add(m, b)
		}
		if op == "//" {
			return z, nil
		}
		return m, nil
	case "**":
		if b.Sign() < 0 {
			if a.Sign() == 0 {
				return nil, fmt.Errorf("0 to a negative power")
			}
			f, okA := toFloat(a)
			g, okB := toFloat(b)
			if !okA || !okB {
				return nil, fmt.Errorf("the integer is too large to be a float")
			}
			return pow(f, g), nil
		}
		if a.BitLen() > 1 && (!b.IsInt64() || b.Int64() > maxBits || int64(a.BitLen())*b.Int64() > maxBits) {
			return nil, fmt.Errorf("the integer is too large")
		}
		return z.Exp(a, b, nil), nil
	case "<<", ">>":
		if b.Sign() < 0 {
			return nil, fmt.Errorf("negative shift count")
		}
		if op == ">>" {
			if !b.IsInt64() || b.Int64() > maxBits {
				if a.Sign() < 0 {
					return big.NewInt(-1), nil
				}
				return z, nil
			}
			return z.Rsh(a, uint(b.Int64())), nil
		}
		if a.Sign() == 0 {
			return z, nil
		}
		if !b.IsInt64() || b.Int64() > maxBits || b.Int64()+int64(a.BitLen()) > maxBits {
			return nil, fmt.Errorf("the integer is too large")
		}
		return z.Lsh(a, uint(b.Int64())), nil
	case "&":
		return z.And(a, b), nil
	case "|":
		return z.Or(a, b), nil
	case "^":
		return z.Xor(a, b), nil
	}
	return nil, fmt.Errorf("%s takes arrays", op)
}

func floatBinary(op string, a, b float64) (value, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		if b == 0 {
			return nil, fmt.Errorf("division by zero")
		}
		return a / b, nil
	case "//", "%":
		if b == 0 {
			return nil, fmt.Errorf("division by zero")
		}
		q, r := floatDivMod(a, b)
		if op == "//" {
			return q, nil
		}
		return r, nil
	case "**":
		if a == 0 && b < 0 {
			return nil, fmt.Errorf("0.0 to a negative power")
		}
		if a < 0 && b != math.Trunc(b) && !math.IsInf(b, 0) && !math.IsInf(a, 0) {
			return cmplx.Pow(complex(a, 0), complex(b, 0)), nil
		}
		f := pow(a, b)
		if math.IsInf(f, 0) && !math.IsInf(a, 0) && !math.IsInf(b, 0) {
			return nil, fmt.Errorf("the power is too large to be a float")
		}
		return f, nil
	}
	return nil, fmt.Errorf("%s takes arrays", op)
}

// pow returns a to the power b, correctly rounded where b is a small integer, as libm's is.
func pow(a, b float64) float64 {
	if b != math.Trunc(b) || math.Abs(b) > 1024 || a == 0 || math.IsNaN(a) || math.IsInf(a, 0) {
		return math.Pow(a, b)
	}
	const prec = 53 * 40
	z, x := big.NewFloat(1).SetPrec(prec), big.NewFloat(a).SetPrec(prec)
	for n := int(math.Abs(b)); n > 0; n >>= 1 {
		if n&1 == 1 {
			z.Mul(z, x)
		}
		x.Mul(x, x)
	}
	if b < 0 {
		z.Quo(big.NewFloat(1).SetPrec(prec), z)
	}
	f, _ := z.Float64()
	return f
}

// floatDivMod is Python's divmod of floats: the exact remainder first, with the sign of b.
func floatDivMod(a, b float64) (q, r float64) {
	r = math.Mod(a, b)
	q = (a - r) / b
	if r != 0 {
		if (b < 0) != (r < 0) {
			r += b
			q--
		}
	} else {
		r = math.Copysign(0, b)
	}
	if q == 0 {
		return math.Copysign(0, a/b), r
	}
	f := math.Floor(q)
	if q-f > 0.5 {
		f++
	}
	return f, r
}

func complexBinary(op string, a, b complex128) (value, error) {
	switch op {
	case "+":
		return a + b, nil
	case "-":
		return a - b, nil
	case "*":
		return a * b, nil
	case "/":
		if b == 0 {
			return nil, fmt.Errorf("division by zero")
		}
		return a / b, nil
	case "**":
		return cmplx.Pow(a, b), nil
	}
	return nil, fmt.Errorf("%s of complex numbers is not defined", op)
}

// weak returns a literal number as the Go number that ndarray.Apply takes for weak: int64, uint64, float64,
// complex128 or bool. An integer beyond uint64 has none.
func weak(v value) (any, bool) {
	i, ok := v.(*big.Int)
	if !ok {
		return v, true
	}
	switch {
	case i.IsInt64():
		return i.Int64(), true
	case i.IsUint64():
		return i.Uint64(), true
	}
	return nil, false
}

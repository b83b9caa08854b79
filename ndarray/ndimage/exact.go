// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"math"
	"math/big"
	"math/bits"
)

// sums are exact sums of numbers, one for each row. A sum has n digits of 32 bits, the first of which counts multiples of 2^(32*low); a digit is kept in 64 bits and may
// exceed its 32, so that adding carries nothing. All rows have the digits that the numbers added so far need, which for an image is a handful: the range of its
// elements and of what they are multiplied by. As nothing is ever rounded, sums do not depend on the order in which numbers come.
type sums struct {
	low, n int
	rows   int
	digits []int64
	added  int // numbers added to some row since digits were carried
}

// mostAdded is how many numbers below 2^32 a digit can take before it is carried.
const mostAdded = 1 << 29

// digit are the bits of one.
const digit = 1<<32 - 1

// addRows makes room for rows of sums up to the given number.
func (s *sums) addRows(rows int) {
	s.rows = rows
	if need := rows * s.n; need > len(s.digits) {
		s.digits = append(s.digits, make([]int64, need-len(s.digits))...)
	}
}

// reset takes all rows away.
func (s *sums) reset() {
	clear(s.digits)
	s.digits = s.digits[:0]
	s.rows, s.added = 0, 0
}

// bytes returns what the sums take.
func (s *sums) bytes() int64 { return int64(cap(s.digits)) * 8 }

// widen gives the rows the digits from low up to high, which is not one of them.
func (s *sums) widen(low, high int) {
	if s.n == 0 {
		s.low = low
	}
	low, high = min(low, s.low), max(high, s.low+s.n)
	n := high - low
	digits := make([]int64, s.rows*n, max(s.rows*n, cap(s.digits)))
	for r := range s.rows {
		copy(digits[r*n+s.low-low:], s.digits[r*s.n:(r+1)*s.n])
	}
	s.low, s.n, s.digits = low, n, digits
}

// at returns the place in digits of multiples of 2^(32*p) of a row, where there is room for count digits and a carry.
func (s *sums) at(row, p, count int) int {
	if p < s.low || p+count >= s.low+s.n || s.n == 0 {
		s.widen(p, p+count+1)
	}
	if s.added++; s.added >= mostAdded {
		s.carry()
		s.added = 1
	}
	return row*s.n + p - s.low
}

// addInt adds an integer.
func (s *sums) addInt(row int, v int64) {
	i := s.at(row, 0, 2)
	s.digits[i] += v & digit
	s.digits[i+1] += v >> 32
}

// add adds m * 2^e, or takes it away.
func (s *sums) add(row int, negative bool, m uint64, e int) {
	p, sh := e>>5, uint(e&31)
	hi, lo := m>>1>>(63-sh), m<<sh
	i := s.at(row, p, 3)
	d := s.digits[i : i+3]
	if negative {
		d[0] -= int64(lo & digit)
		d[1] -= int64(lo >> 32)
		d[2] -= int64(hi)
		return
	}
	d[0] += int64(lo & digit)
	d[1] += int64(lo >> 32)
	d[2] += int64(hi)
}

// addWide adds (hi*2^64 + lo) * 2^e, or takes it away.
func (s *sums) addWide(row int, negative bool, hi, lo uint64, e int) {
	s.add(row, negative, lo, e)
	if hi != 0 {
		s.add(row, negative, hi, e+64)
	}
}

// parts returns a finite number as ±m * 2^e.
func parts(v float64) (negative bool, m uint64, e int) {
	b := math.Float64bits(v)
	e = int(b >> 52 & 0x7ff)
	m = b & (1<<52 - 1)
	if e == 0 {
		e = 1
	} else {
		m |= 1 << 52
	}
	return b>>63 != 0, m, e - 1075
}

// addFloat adds a finite number.
func (s *sums) addFloat(row int, v float64) {
	if v != 0 {
		negative, m, e := parts(v)
		s.add(row, negative, m, e)
	}
}

// addProduct adds v * k, of a finite number and an integer that is not negative.
func (s *sums) addProduct(row int, v float64, k int64) {
	if v == 0 || k == 0 {
		return
	}
	negative, m, e := parts(v)
	hi, lo := bits.Mul64(m, uint64(k))
	s.addWide(row, negative, hi, lo, e)
}

// addInts adds v * k, of two integers the second of which is not negative.
func (s *sums) addInts(row int, v, k int64) {
	hi, lo := bits.Mul64(magnitude(v), uint64(k))
	s.addWide(row, v < 0, hi, lo, 0)
}

// magnitude returns |v|.
func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// carry brings all digits but the last of a row into their 32 bits.
func (s *sums) carry() {
	if s.n == 0 {
		return
	}
	for r := range s.rows {
		carry(s.digits[r*s.n : (r+1)*s.n])
	}
	s.added = 1
	for r := range s.rows {
		if top := s.digits[(r+1)*s.n-1]; top >= mostAdded || top <= -mostAdded {
			s.widen(s.low, s.low+s.n+1)
			return
		}
	}
}

// carry brings the digits but the last into their 32 bits.
func carry(d []int64) {
	over := int64(0)
	for i := range d {
		v := d[i] + over
		if i == len(d)-1 {
			d[i] = v
			return
		}
		over = v >> 32
		d[i] = v & digit
	}
}

// addAll adds the sums of t, whose row i is row to[i] of s. It carries t.
func (s *sums) addAll(t *sums, to []int32) {
	if t.n == 0 || t.rows == 0 {
		return
	}
	t.carry()
	if s.n == 0 || t.low < s.low || t.low+t.n > s.low+s.n {
		s.widen(t.low, t.low+t.n)
	}
	if s.added++; s.added >= mostAdded {
		s.carry()
	}
	for r, row := range to {
		dst := s.digits[int(row)*s.n+t.low-s.low:][:t.n]
		for i, v := range t.digits[r*t.n : (r+1)*t.n] {
			dst[i] += v
		}
	}
}

// value returns a row's sum as an integer multiple of 2^e. It carries the row.
func (s *sums) value(row int) (v *big.Int, e int) {
	v = new(big.Int)
	if s.n == 0 {
		return v, 0
	}
	d := s.digits[row*s.n : (row+1)*s.n]
	carry(d)
	v.SetInt64(d[s.n-1])
	low := new(big.Int)
	for i := s.n - 2; i >= 0; i-- {
		v.Add(v.Lsh(v, 32), low.SetInt64(d[i]))
	}
	return v, 32 * s.low
}

// wrapped returns a row's sum, of integers, modulo 2^64.
func (s *sums) wrapped(row int) uint64 {
	v := uint64(0)
	for i, d := range s.digits[row*s.n : (row+1)*s.n] {
		if p := s.low + i; p < 2 {
			v += uint64(d) << (32 * p)
		}
	}
	return v
}

// total returns a row's sum, rounded to the nearest float64. It carries the row.
func (s *sums) total(row int) float64 {
	if s.n == 0 {
		return 0
	}
	d := s.digits[row*s.n : (row+1)*s.n]
	carry(d)
	top := d[s.n-1]
	negative := top < 0
	// The digits of the magnitude, from the last down: borrowing turns those of a negative number into it.
	word := func(i int) uint64 { return uint64(d[i]) }
	if negative {
		low := 0
		for low < s.n-1 && d[low] == 0 {
			low++
		}
		word = func(i int) uint64 {
			switch {
			case i < low:
				return 0
			case i == s.n-1 && i == low:
				return -uint64(d[i])
			case i == s.n-1:
				return ^uint64(d[i])
			case i == low:
				return 1<<32 - uint64(d[i])
			}
			return digit - uint64(d[i])
		}
	}
	i := s.n - 1
	for i > 0 && word(i) == 0 {
		i--
	}
	m := word(i)
	if m == 0 {
		return 0
	}
	e := 32 * (s.low + i)
	// 64 bits from the first that is set, and whether any below them is.
	sticky := uint64(0)
	for k := i - 1; k >= 0; k-- {
		w := word(k)
		room := bits.LeadingZeros64(m)
		switch {
		case room >= 32:
			m = m<<32 | w
			e -= 32
		case room > 0:
			m = m<<room | w>>(32-room)
			e -= room
			sticky |= w & (1<<(32-room) - 1)
		default:
			sticky |= w
		}
	}
	room := bits.LeadingZeros64(m)
	m <<= room
	e -= room
	if sticky != 0 {
		m |= 1 // below what is kept
	}
	v := rounded(m, e)
	if negative {
		return -v
	}
	return v
}

// rounded returns m * 2^e, whose first bit is set and whose last stands for all below it, rounded to the nearest float64, ties to even.
func rounded(m uint64, e int) float64 {
	drop := 11
	if least := -1074 - e; least > drop { // below the smallest normal number
		drop = least
	}
	if drop > 64 {
		return 0
	}
	kept, rest := m>>1>>(drop-1), m<<(64-drop)
	if drop == 64 {
		kept = 0
	}
	if half := uint64(1) << 63; rest > half || rest == half && kept&1 != 0 {
		kept++
	}
	return math.Ldexp(float64(kept), e+drop)
}

// varianceOf returns the variance of n numbers of a row, from the sums of them and of their squares, rounded once: (n*squares - sum*sum) / (n*n).
func varianceOf(sum, squares *sums, row int, n int64) float64 {
	s, e := sum.value(row)
	q, f := squares.value(row)
	s.Mul(s, s)
	q.Mul(q, big.NewInt(n))
	if low := min(2*e, f); 2*e > low {
		s.Lsh(s, uint(2*e-low))
		e = low
	} else {
		q.Lsh(q, uint(f-low))
		e = low
	}
	if q.Sub(q, s); q.Sign() == 0 {
		return 0
	}
	over := new(big.Float).SetInt(s.Mul(big.NewInt(n), big.NewInt(n)))
	x := new(big.Float).SetPrec(53).Quo(new(big.Float).SetInt(q), over)
	v, _ := x.SetMantExp(x, e).Float64()
	return v
}

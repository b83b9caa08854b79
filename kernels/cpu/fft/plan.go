// SPDX-License-Identifier: BSD-3-Clause

package fft

import "math"

// plan holds the tables of transforms of one length. It is shared.
type plan struct {
	n       int
	factors []int
	roots   []complex128 // exp(-2 pi i k/n); nil for a convolution
	// Of a convolution of length conv.n: exp(-pi i k^2/n), and the transform of its conjugate.
	conv          *plan
	chirp, kernel []complex128
}

// mostOdd bounds the odd factors that have a pass: that takes f^2 operations for f elements, and a convolution, measured, as many as one of 90.
const mostOdd = 89

// factorsOf returns the factors that passes are made for: 4 and 2 first.
func factorsOf(n int) []int {
	var list []int
	for _, f := range []int{4, 2, 3, 5} {
		for n%f == 0 {
			list = append(list, f)
			n /= f
		}
	}
	for f := 7; n > 1; f += 2 {
		if f*f > n {
			f = n
		}
		for n%f == 0 {
			list = append(list, f)
			n /= f
		}
	}
	return list
}

// convolved returns the length of the convolution that a transform of length n is made by, 0 where it is not.
func convolved(n int) int {
	if f := factorsOf(n); len(f) > 0 && f[len(f)-1] > mostOdd {
		return smooth(2*n - 1)
	}
	return 0
}

// smooth returns the least of the lengths 2^a, 3 2^a and 5 2^a from n on.
func smooth(n int) int {
	best := math.MaxInt
	for _, m := range []int{1, 3, 5} {
		for m < n {
			m *= 2
		}
		best = min(best, m)
	}
	return best
}

// planBytes is what a plan takes.
func planBytes(n int) int64 {
	if m := convolved(n); m > 0 {
		return 16*int64(n+m) + planBytes(m)
	}
	return 16 * int64(n)
}

func newPlan(n int) *plan {
	p := &plan{n: n}
	m := convolved(n)
	if m == 0 {
		p.factors, p.roots = factorsOf(n), rootsOf(n, n)
		return p
	}
	p.conv = newPlan(m)
	p.chirp, p.kernel = make([]complex128, n), make([]complex128, m)
	for k := range n {
		p.chirp[k] = root(int64(k)*int64(k)%int64(2*n), int64(2*n))
		c := complex(real(p.chirp[k])/float64(m), -imag(p.chirp[k])/float64(m))
		p.kernel[k] = c
		if k > 0 {
			p.kernel[m-k] = c
		}
	}
	p.kernel = p.conv.run(p.kernel, make([]complex128, m), 1)
	return p
}

// rootsOf returns exp(-2 pi i k/n) for the first count k.
func rootsOf(n, count int) []complex128 {
	list := make([]complex128, count)
	for k := range list {
		list[k] = root(int64(k), int64(n))
	}
	return list
}

// root returns exp(-2 pi i k/n), 0 <= k < n. Angles are reduced to an eighth of the circle in integers.
func root(k, n int64) complex128 {
	at := func(eighths int64) (sin, cos float64) { return math.Sincos(math.Pi * float64(eighths) / float64(4*n)) }
	var s, c float64
	switch k8 := 8 * k; k8 / n {
	case 0:
		s, c = at(k8)
	case 1:
		c, s = at(2*n - k8)
	case 2:
		c, s = at(k8 - 2*n)
		c = -c
	case 3:
		s, c = at(4*n - k8)
		c = -c
	case 4:
		s, c = at(k8 - 4*n)
		s, c = -s, -c
	case 5:
		c, s = at(6*n - k8)
		s, c = -s, -c
	case 6:
		c, s = at(k8 - 6*n)
		s = -s
	default:
		s, c = at(8*n - k8)
		s = -s
	}
	return complex(c, -s)
}

// room returns how many elements, times the number of lines, run and convolve need in a buffer.
func (p *plan) room() int {
	if p.conv != nil {
		return p.conv.n
	}
	return p.n
}

// run transforms lines side by side: element i of line l is x[i*lines+l]. x and y, which both have room for them, are changed; it returns the one
// that holds the transforms.
func (p *plan) run(x, y []complex128, lines int) []complex128 {
	if p.conv != nil {
		return p.convolve(x, y, lines)
	}
	n, step := p.n, 1
	for _, f := range p.factors {
		s := step * lines
		switch f {
		case 2:
			pass2(n, step, s, x, y, p.roots)
		case 3:
			pass3(n, step, s, x, y, p.roots)
		case 4:
			pass4(n, step, s, x, y, p.roots)
		case 5:
			pass5(n, step, s, x, y, p.roots)
		default:
			passOdd(f, n, step, s, x, y, p.roots)
		}
		x, y = y, x
		n, step = n/f, step*f
	}
	return x
}

// convolve transforms by a convolution: j k = (j^2 + k^2 - (k-j)^2) / 2. The inverse transform in it is that of the conjugate, conjugated.
func (p *plan) convolve(x, y []complex128, lines int) []complex128 {
	for k, c := range p.chirp {
		for l := range x[k*lines : (k+1)*lines] {
			x[k*lines+l] *= c
		}
	}
	end := p.conv.n * lines
	clear(x[p.n*lines : end])
	z := p.conv.run(x, y, lines)
	for i, b := range p.kernel {
		for l := range z[i*lines : (i+1)*lines] {
			v := z[i*lines+l] * b
			z[i*lines+l] = complex(real(v), -imag(v))
		}
	}
	if &z[0] == &y[0] {
		x, y = y, x
	}
	z = p.conv.run(x, y, lines)
	for k, c := range p.chirp {
		for l := range z[k*lines : (k+1)*lines] {
			v := z[k*lines+l]
			z[k*lines+l] = complex(real(v), -imag(v)) * c
		}
	}
	return z
}

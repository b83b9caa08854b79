// SPDX-License-Identifier: BSD-3-Clause

package fft

// A pass of Stockham's transform takes what is left of a transform, of length n, by a factor f: the n/f transforms of f elements that lie n/f apart, each
// result multiplied by its root of unity. step is the product of the factors before it and s, how many neighbours are treated alike, step times the number of
// lines. With m = n/f:
//
//	y[q+s*(f*p+k)] = w^(p*k) * sum over j of x[q+s*(p+m*j)] * exp(-2 pi i j k/f), w = roots[step]

func pass2(n, step, s int, x, y, roots []complex128) {
	m := n / 2
	for p := range m {
		w := roots[p*step]
		a, b := x[s*p:][:s], x[s*(p+m):][:s]
		c, d := y[s*2*p:][:s], y[s*(2*p+1):][:s]
		for q, u := range a {
			v := b[q]
			c[q] = u + v
			d[q] = (u - v) * w
		}
	}
}

// sin60 is the sine of a sixth of the circle.
const sin60 = 0.86602540378443864676372317075293618

func pass3(n, step, s int, x, y, roots []complex128) {
	m := n / 3
	for p := range m {
		w1, w2 := roots[p*step], roots[2*p*step]
		a, b, c := x[s*p:][:s], x[s*(p+m):][:s], x[s*(p+2*m):][:s]
		d, e, f := y[s*3*p:][:s], y[s*(3*p+1):][:s], y[s*(3*p+2):][:s]
		for q, u := range a {
			t, v := b[q]+c[q], b[q]-c[q]
			h := complex(real(u)-0.5*real(t), imag(u)-0.5*imag(t))
			r := complex(sin60*imag(v), -sin60*real(v)) // -i sin60 v
			d[q] = u + t
			e[q] = (h + r) * w1
			f[q] = (h - r) * w2
		}
	}
}

func pass4(n, step, s int, x, y, roots []complex128) {
	m := n / 4
	for p := range m {
		w1, w2, w3 := roots[p*step], roots[2*p*step], roots[3*p*step]
		a, b, c, d := x[s*p:][:s], x[s*(p+m):][:s], x[s*(p+2*m):][:s], x[s*(p+3*m):][:s]
		e, f, g, h := y[s*4*p:][:s], y[s*(4*p+1):][:s], y[s*(4*p+2):][:s], y[s*(4*p+3):][:s]
		for q, u := range a {
			v := c[q]
			t0, t1 := u+v, u-v
			u, v = b[q], d[q]
			t2 := u + v
			t3 := complex(imag(u)-imag(v), real(v)-real(u)) // -i (u - v)
			e[q] = t0 + t2
			f[q] = (t1 + t3) * w1
			g[q] = (t0 - t2) * w2
			h[q] = (t1 - t3) * w3
		}
	}
}

// Cosines and sines of a fifth and two fifths of the circle.
const (
	cos72  = 0.30901699437494742410229341718281906
	sin72  = 0.95105651629515357211643933337938214
	cos144 = -0.80901699437494742410229341718281906
	sin144 = 0.58778525229247312916870595463907277
)

func pass5(n, step, s int, x, y, roots []complex128) {
	m := n / 5
	for p := range m {
		w1, w2, w3, w4 := roots[p*step], roots[2*p*step], roots[3*p*step], roots[4*p*step]
		a, b, c, d, e := x[s*p:][:s], x[s*(p+m):][:s], x[s*(p+2*m):][:s], x[s*(p+3*m):][:s], x[s*(p+4*m):][:s]
		f0, f1, f2, f3, f4 := y[s*5*p:][:s], y[s*(5*p+1):][:s], y[s*(5*p+2):][:s], y[s*(5*p+3):][:s], y[s*(5*p+4):][:s]
		for q, u := range a {
			t1, d1 := b[q]+e[q], b[q]-e[q]
			t2, d2 := c[q]+d[q], c[q]-d[q]
			h1 := complex(real(u)+cos72*real(t1)+cos144*real(t2), imag(u)+cos72*imag(t1)+cos144*imag(t2))
			h2 := complex(real(u)+cos144*real(t1)+cos72*real(t2), imag(u)+cos144*imag(t1)+cos72*imag(t2))
			r1 := complex(sin72*imag(d1)+sin144*imag(d2), -(sin72*real(d1) + sin144*real(d2))) // -i (sin72 d1 + sin144 d2)
			r2 := complex(sin144*imag(d1)-sin72*imag(d2), sin72*real(d2)-sin144*real(d1))
			f0[q] = u + t1 + t2
			f1[q] = (h1 + r1) * w1
			f2[q] = (h2 + r2) * w2
			f3[q] = (h2 - r2) * w3
			f4[q] = (h1 - r1) * w4
		}
	}
}

// passOdd is the pass of an odd factor f up to mostOdd.
func passOdd(f, n, step, s int, x, y, roots []complex128) {
	m, turn := n/f, len(roots)/f
	var sums, diffs [mostOdd / 2]complex128
	h := f / 2
	for p := range m {
		for q := range s {
			u := x[q+s*p]
			all := u
			for j := 1; j <= h; j++ {
				a, b := x[q+s*(p+m*j)], x[q+s*(p+m*(f-j))]
				sums[j-1], diffs[j-1] = a+b, a-b
				all += a + b
			}
			y[q+s*f*p] = all
			for k := 1; k <= h; k++ {
				er, ei, or, oi := real(u), imag(u), 0.0, 0.0
				at := 0
				for j := range h {
					if at += k; at >= f {
						at -= f
					}
					w := roots[at*turn]
					er += real(w) * real(sums[j])
					ei += real(w) * imag(sums[j])
					or -= imag(w) * imag(diffs[j]) // -i sin d, sin = -imag(w)
					oi += imag(w) * real(diffs[j])
				}
				y[q+s*(f*p+k)] = complex(er+or, ei+oi) * roots[p*k*step]
				y[q+s*(f*p+f-k)] = complex(er-or, ei-oi) * roots[p*(f-k)*step]
			}
		}
	}
}

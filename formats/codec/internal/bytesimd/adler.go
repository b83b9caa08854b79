// SPDX-License-Identifier: BSD-3-Clause

package bytesimd

const (
	adlerMod = 65521
	// adlerRun is the number of bytes after which the sums must be reduced:
	// the largest n with 255n(n+1)/2 + (n+1)(adlerMod-1) < 2^32 (zlib's NMAX), here cut to a multiple of 32.
	adlerRun = 5536
)

// Adler32 returns the Adler-32 checksum of b (RFC 1950).
func Adler32(b []byte) uint32 { return AdlerUpdate(1, b) }

// AdlerUpdate returns the checksum of the bytes that have the checksum sum, 1 for none, and b behind them.
func AdlerUpdate(sum uint32, b []byte) uint32 {
	s1, s2 := sum&0xffff, sum>>16
	for len(b) > 0 {
		p := b[:min(len(b), adlerRun)]
		b = b[len(p):]
		n := adlerSIMD(&s1, &s2, p)
		for _, x := range p[n:] {
			s1 += uint32(x)
			s2 += s1
		}
		s1 %= adlerMod
		s2 %= adlerMod
	}
	return s2<<16 | s1
}

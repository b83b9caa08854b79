// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// cursor reads fields one after the other, from the file or from a message's
// bytes. The first error sticks: later reads give zeros, so a parser checks err
// once behind a run of fields and before it believes a count.
type cursor struct {
	f    *File
	b    []byte // the bytes from pos on that are loaded
	p    int    // place in b
	pos  uint64 // place of b[0] in the file
	file bool   // more than b can be loaded
	err  error
}

// verify is false where a fuzz target wants damage to reach what checksums guard.
var verify = true

// zeros is what failed reads of up to its length give.
var zeros [256]byte

// at returns a cursor at a file address.
func (f *File) at(addr uint64) *cursor {
	c := &cursor{f: f, file: true}
	pos := addr + f.base
	if addr == Undef || pos < addr || pos >= uint64(f.size) {
		c.err = fmt.Errorf("hdf5: address %#x lies outside the file, %d bytes: %w", addr, f.size, formats.ErrCorrupt)
		return c
	}
	if c.err = f.step(1); c.err != nil {
		return c
	}
	c.pos = pos
	left := min(pageBytes-pos%pageBytes, uint64(f.size)-pos)
	c.b, c.err = f.bytes(pos, int(left))
	return c
}

// over returns a cursor over the bytes b.
func (f *File) over(b []byte) *cursor { return &cursor{f: f, b: b} }

// fail records an error wrapping ErrCorrupt, unless there is one.
func (c *cursor) fail(format string, args ...any) {
	if c.err == nil {
		c.err = fmt.Errorf("hdf5: %s at offset %d: %w", fmt.Sprintf(format, args...), c.pos+uint64(c.p), formats.ErrCorrupt)
	}
}

// n takes the next n bytes; they must not be changed. After an error they are zeros, or nil when n is large.
func (c *cursor) n(n int) []byte {
	if c.err == nil && (n < 0 || n > len(c.b)-c.p) {
		c.load(n)
	}
	if c.err != nil {
		if n >= 0 && n <= len(zeros) {
			return zeros[:n:n]
		}
		return nil
	}
	b := c.b[c.p : c.p+n : c.p+n]
	c.p += n
	return b
}

// keep takes the next n bytes as n does, in memory of their own: what outlives parsing must not hold a whole page.
func (c *cursor) keep(n int) []byte { return slices.Clone(c.n(n)) }

// load makes n bytes available at p.
func (c *cursor) load(n int) {
	if n < 0 || !c.file {
		c.fail("%d bytes wanted, %d left", n, len(c.b)-c.p)
		return
	}
	pos := c.pos + uint64(c.p)
	want := max(n, min(2*len(c.b), int(min(uint64(c.f.size)-min(pos, uint64(c.f.size)), 1<<20))))
	b, err := c.f.bytes(pos, want)
	if err != nil && want > n {
		b, err = c.f.bytes(pos, n)
	}
	if err != nil {
		c.err = err
		return
	}
	c.pos, c.b, c.p = pos, b, 0
}

// u takes an n-byte little-endian unsigned integer.
func (c *cursor) u(n int) uint64 {
	if n > 8 {
		c.fail("integer of %d bytes", n)
		return 0
	}
	b := c.n(n)
	var v uint64
	for i := n - 1; i >= 0; i-- {
		v = v<<8 | uint64(b[i])
	}
	return v
}

func (c *cursor) u1() int { return int(c.u(1)) }
func (c *cursor) u2() int { return int(c.u(2)) }
func (c *cursor) u4() int { return int(c.u(4)) }

// o takes a file address. All ones means "undefined" whatever the width.
func (c *cursor) o() uint64 { return c.wide(c.f.so) }

// l takes a length.
func (c *cursor) l() uint64 { return c.wide(c.f.sl) }

func (c *cursor) wide(n int) uint64 {
	v := c.u(n)
	if n < 8 && v == 1<<(8*n)-1 {
		return Undef
	}
	return v
}

// count takes an n-byte integer and fails where it exceeds most.
func (c *cursor) count(n int, most uint64, what string) int {
	v := c.u(n)
	if v > most {
		c.fail("%s is %d, at most %d makes sense", what, v, most)
		return 0
	}
	return int(v)
}

// sig takes a block's four-letter signature.
func (c *cursor) sig(s string) {
	if b := c.n(len(s)); c.err == nil && string(b) != s {
		c.p -= len(s)
		c.fail("signature %q, want %q", b, s)
	}
}

// cstr takes a NUL-terminated string of at most 64 KiB.
func (c *cursor) cstr() string {
	for i := 0; i < 64<<10; i++ {
		if c.p+i >= len(c.b) {
			had := len(c.b) - c.p
			if c.load(had + 1); c.err != nil {
				return ""
			}
		}
		if c.b[c.p+i] == 0 {
			s := string(c.b[c.p : c.p+i])
			c.p += i + 1
			return s
		}
	}
	c.fail("string without an end")
	return ""
}

// pad skips to the next multiple of eight counted from place from.
func (c *cursor) pad(from int) { c.n((8 - (c.p-from)%8) % 8) }

// checksum takes a lookup3 checksum over everything since the cursor was made.
func (c *cursor) checksum(what string) error {
	b := c.b[:c.p]
	want := uint32(c.u(4))
	if c.err != nil {
		return c.err
	}
	if got := Checksum(b); got != want && verify {
		return fmt.Errorf("hdf5: checksum of %s at offset %d: got %#x, want %#x: %w", what, c.pos, got, want, formats.ErrCorrupt)
	}
	return nil
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
)

// sumStage keeps a 32-bit checksum, little endian, before or behind the bytes it is of.
// Specification: numcodecs, checksum32; Zarr v3, "crc32c"; HDF5 filter 3.
type sumStage struct {
	name  string
	start bool
	sum   func([]byte) uint32
	// swapped: a checksum with the bytes of its halves exchanged is right too
	swapped bool
}

// sumCodec returns the constructor of a checksum that is kept at the given place unless "location" says otherwise.
func sumCodec(name, place string, sum func([]byte) uint32) func(Config, int) (Stage, error) {
	return func(c Config, _ int) (Stage, error) {
		l := c.Text("location", place)
		if l != "start" && l != "end" {
			return nil, fmt.Errorf("codec %s: checksum at the %s, want at the start or the end: %w", name, l, formats.ErrFormat)
		}
		return sumStage{name: name, start: l == "start", sum: sum}, nil
	}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func crc32c(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// newFletcher: libraries before HDF5 1.6.3 wrote the bytes of the halves exchanged on some machines; HDF5 takes both.
func newFletcher(Config, int) (Stage, error) {
	return sumStage{name: "fletcher32", sum: Fletcher32, swapped: true}, nil
}

func newJenkins(c Config, _ int) (Stage, error) {
	n, err := c.Int("initval", 0)
	if err != nil {
		return nil, err
	}
	if c["prefix"] != nil {
		return nil, fmt.Errorf("codec jenkins_lookup3: a prefix is not supported: %w", formats.ErrFormat)
	}
	return sumStage{name: "jenkins_lookup3", sum: func(b []byte) uint32 { return Lookup3(b, uint32(n)) }}, nil
}

// Decode implements Stage; the result is a part of src.
func (z sumStage) Decode(_, src []byte, _ *Scratch) ([]byte, error) {
	n := len(src) - 4
	if n < 0 {
		return nil, corrupt(z.name, "%d bytes, want at least 4", len(src))
	}
	body, kept := src[:n], src[n:]
	if z.start {
		kept, body = src[:4], src[4:]
	}
	got, want := z.sum(body), binary.LittleEndian.Uint32(kept)
	if got != want && !(z.swapped && got == want<<8&0xff00ff00|want>>8&0x00ff00ff) {
		return nil, corrupt(z.name, "checksum is %08x, want %08x", got, want)
	}
	return body, nil
}

// Encode implements Stage.
func (z sumStage) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if z.start {
		return append(binary.LittleEndian.AppendUint32(dst, z.sum(src)), src...), nil
	}
	return binary.LittleEndian.AppendUint32(append(dst, src...), z.sum(src)), nil
}

// Bound implements Stage.
func (sumStage) Bound(n int) int { return n + 4 }

// Fletcher32 is HDF5's variant of the checksum: big-endian 16-bit words, sums reduced every 360 words.
func Fletcher32(b []byte) uint32 {
	var s1, s2 uint32
	odd := len(b)&1 == 1
	for words := len(b) / 2; words > 0; {
		t := min(words, 360)
		words -= t
		for ; t > 0; t-- {
			s1 += uint32(b[0])<<8 | uint32(b[1])
			s2 += s1
			b = b[2:]
		}
		s1 = s1&0xffff + s1>>16
		s2 = s2&0xffff + s2>>16
	}
	if odd {
		s1 += uint32(b[0]) << 8
		s2 += s1
		s1 = s1&0xffff + s1>>16
		s2 = s2&0xffff + s2>>16
	}
	s1 = s1&0xffff + s1>>16
	s2 = s2&0xffff + s2>>16
	return s2<<16 | s1
}

// Lookup3 is Bob Jenkins' public-domain hash lookup3 (hashlittle) with the given initial value.
func Lookup3(k []byte, initial uint32) uint32 {
	le := binary.LittleEndian
	a := 0xdeadbeef + uint32(len(k)) + initial
	b, c := a, a
	for len(k) > 12 {
		a += le.Uint32(k)
		b += le.Uint32(k[4:])
		c += le.Uint32(k[8:])
		a -= c
		a ^= bits.RotateLeft32(c, 4)
		c += b
		b -= a
		b ^= bits.RotateLeft32(a, 6)
		a += c
		c -= b
		c ^= bits.RotateLeft32(b, 8)
		b += a
		a -= c
		a ^= bits.RotateLeft32(c, 16)
		c += b
		b -= a
		b ^= bits.RotateLeft32(a, 19)
		a += c
		c -= b
		c ^= bits.RotateLeft32(b, 4)
		b += a
		k = k[12:]
	}
	if len(k) == 0 {
		return c
	}
	var t [12]byte
	copy(t[:], k)
	a += le.Uint32(t[0:])
	b += le.Uint32(t[4:])
	c += le.Uint32(t[8:])
	c ^= b
	c -= bits.RotateLeft32(b, 14)
	a ^= c
	a -= bits.RotateLeft32(c, 11)
	b ^= a
	b -= bits.RotateLeft32(a, 25)
	c ^= b
	c -= bits.RotateLeft32(b, 16)
	a ^= c
	a -= bits.RotateLeft32(c, 4)
	b ^= a
	b -= bits.RotateLeft32(a, 14)
	c ^= b
	c -= bits.RotateLeft32(b, 24)
	return c
}

// AppendCRC32C appends to b its CRC-32C, little endian.
func AppendCRC32C(b []byte) []byte { return binary.LittleEndian.AppendUint32(b, crc32c(b)) }

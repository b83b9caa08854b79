// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"encoding/binary"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/codec"
)

var le = binary.LittleEndian

// unpredict undoes horizontal differencing: each sample of a row is the sum of those of its kind up to it.
// Numbers wrap. Specification: TIFF 6.0, section 14.
func unpredict(b []byte, rows, wide int64, size, samples int) {
	for r := range rows {
		row := b[r*wide*int64(size):][:wide*int64(size)]
		step := samples * size
		switch size {
		case 1:
			for i := step; i < len(row); i++ {
				row[i] += row[i-step]
			}
		case 2:
			for i := step; i < len(row); i += 2 {
				le.PutUint16(row[i:], le.Uint16(row[i:])+le.Uint16(row[i-step:]))
			}
		case 4:
			for i := step; i < len(row); i += 4 {
				le.PutUint32(row[i:], le.Uint32(row[i:])+le.Uint32(row[i-step:]))
			}
		case 8:
			for i := step; i < len(row); i += 8 {
				le.PutUint64(row[i:], le.Uint64(row[i:])+le.Uint64(row[i-step:]))
			}
		}
	}
}

// unpredictComplex undoes horizontal differencing of complex samples as libtiff does it: a sample is one integer of all its bits, the
// real part in the low ones, and in a file whose order is big endian all its bytes are reversed together.
func (p *page) unpredictComplex(out, raw []byte, rows, wide int64) {
	size := p.bits / 8
	raw = raw[:rows*wide*int64(size)]
	if p.f.order.Uint16([]byte{0, 1}) == 1 {
		codec.ByteSwap(raw, raw, size)
	}
	unpredict(raw, rows, wide, size, p.inPixel())
	if p.format == formatComplexInt {
		p.unpackComplex(out, raw, le)
	}
}

// mask keeps the low bits of sums of packed samples.
func mask(b []byte, size, bits int) {
	var t [8]byte
	le.PutUint64(t[:], 1<<bits-1)
	for i := range b {
		b[i] &= t[i%size]
	}
}

// unpredictFloats undoes the predictor of floats: the bytes of a row are differences of bytes, and come plane by plane,
// the highest first. Specification: Adobe Photoshop TIFF Technical Note 3.
func (p *page) unpredictFloats(out, raw []byte, rows, wide int64) {
	stored, size, step := p.bits/8, p.dtype.Size(), p.inPixel()
	n := int(wide)
	for r := range int(rows) {
		row := raw[r*n*stored:][:n*stored]
		for i := step; i < len(row); i++ {
			row[i] += row[i-step]
		}
		to := out[r*n*size:][:n*size]
		for i := range n {
			v := uint64(0)
			for k := range stored {
				v = v<<8 | uint64(row[k*n+i])
			}
			put(to[i*size:], size, p.widen(v))
		}
	}
}

// put stores the low bytes of v.
func put(b []byte, size int, v uint64) {
	switch size {
	case 1:
		b[0] = byte(v)
	case 2:
		le.PutUint16(b, uint16(v))
	case 4:
		le.PutUint32(b, uint32(v))
	case 8:
		le.PutUint64(b, v)
	}
}

// widen makes the bits of a float of the dtype of those of a stored one: 24-bit floats have 16 bits of mantissa and 7 of
// exponent, other floats stay.
func (p *page) widen(v uint64) uint64 {
	if p.bits != 24 || p.format != formatFloat {
		return v
	}
	sign, exp, frac := v>>23&1, v>>16&0x7f, v&0xffff
	switch {
	case exp == 0x7f:
		exp = 0xff
	case exp > 0:
		exp += 127 - 63
	case frac == 0:
	default: // a subnormal number is a normal one here
		f := math.Ldexp(float64(frac), -62-16)
		return uint64(math.Float32bits(float32(f))) | sign<<31
	}
	return sign<<31 | exp<<23 | frac<<7
}

// unpack makes elements of samples that do not fill whole numbers: rows start at whole bytes, the first sample in the
// highest bits. The bytes of floats are in the file's order; those of integers of 24 bits are not, as other writers have it.
func (p *page) unpack(out, raw []byte, rows, wide int64) {
	if p.format == formatComplexInt {
		p.unpackComplex(out, raw, p.f.order)
		return
	}
	size, n := p.dtype.Size(), int(wide)
	line := int(p.rowBytes())
	little := p.format == formatFloat && p.f.order.Uint16([]byte{1, 0}) == 1
	for r := range int(rows) {
		row, to := raw[r*line:][:line], out[r*n*size:][:n*size]
		switch {
		case p.bits == 1:
			for i := range to {
				to[i] = row[i/8] >> (7 - i%8) & 1
			}
		case p.bits%8 == 0:
			k := p.bits / 8
			for i := range n {
				v := uint64(0)
				for j := range k {
					b := row[i*k+j]
					if little {
						b = row[i*k+k-1-j]
					}
					v = v<<8 | uint64(b)
				}
				put(to[i*size:], size, p.widen(v))
			}
		default:
			acc, have, at := uint64(0), 0, 0
			for i := range n {
				for have < p.bits {
					if have > 56 { // the accumulator is full: take the rest from the byte after
						break
					}
					acc = acc<<8 | uint64(row[at])
					at++
					have += 8
				}
				v := uint64(0)
				if short := p.bits - have; short > 0 {
					v = acc&(1<<have-1)<<short | uint64(row[at])>>(8-short)
					acc, have = uint64(row[at]), 8-short
					at++
				} else {
					have -= p.bits
					v = acc >> have & (1<<p.bits - 1)
				}
				put(to[i*size:], size, v)
			}
		}
	}
}

// unpackComplex makes complex floats of pairs of integers of an order.
func (p *page) unpackComplex(out, raw []byte, order binary.ByteOrder) {
	half := p.bits / 16
	part := func(b []byte) float64 {
		switch half {
		case 1:
			return float64(int8(b[0]))
		case 2:
			return float64(int16(order.Uint16(b)))
		}
		return float64(int32(order.Uint32(b)))
	}
	for i := 0; (i+1)*half <= len(raw); i++ {
		f := part(raw[i*half:])
		if p.dtype == dtype.Complex64 {
			le.PutUint32(out[4*i:], math.Float32bits(float32(f)))
		} else {
			le.PutUint64(out[8*i:], math.Float64bits(f))
		}
	}
}

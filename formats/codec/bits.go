// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// mantissas are the bits of the mantissa of each float.
var mantissas = map[dtype.DType]int64{dtype.Float16: 10, dtype.BFloat16: 7, dtype.Float32: 23, dtype.Float64: 52}

// newBitround keeps the upper bits of the mantissa, rounded to nearest, ties to even. Nothing is decoded.
// Specification: numcodecs.BitRound; Klöwer et al. (2021), doi:10.1038/s43588-021-00156-2.
func newBitround(c Config, in Elem) (Stage, Elem, error) {
	keep, err := c.Int("keepbits", 52)
	if err != nil {
		return nil, in, err
	}
	n, ok := mantissas[in.DType]
	if _, stated := c["keepbits"]; !stated {
		keep = n
	}
	if !ok || keep < 0 || keep > n {
		return nil, in, fmt.Errorf("codec bitround: %d bits of a %v array: %w", keep, in.DType, formats.ErrFormat)
	}
	drop, size := uint(n-keep), in.Bytes
	as := map[int]dtype.DType{2: dtype.Uint16, 4: dtype.Uint32, 8: dtype.Uint64}[size]
	return &mapped{name: "bitround", dec: in, enc: in,
		decode: func(dst, src []byte) error {
			copy(dst[:size], src)
			return nil
		},
		encode: func(dst, src []byte) error {
			b := loadInt(src, as)
			if drop > 0 {
				b += b>>drop&1 + 1<<(drop-1) - 1
				b = b >> drop << drop
			}
			storeInt(dst, as, b)
			return nil
		}}, in, nil
}

// packedBools stores eight bools in a byte, the first in the highest bit, behind a byte that counts the bits of padding.
// Specification: numcodecs.PackBits.
type packedBools struct{}

func newPackedBools(_ Config, in Elem) (Stage, Elem, error) {
	if in.Bytes != 1 {
		return nil, in, fmt.Errorf("codec packbits: elements of %d bytes, want bools: %w", in.Bytes, formats.ErrFormat)
	}
	return packedBools{}, ElemOf(dtype.Uint8), nil
}

// Decode implements Stage.
func (packedBools) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if len(src) == 0 || src[0] > 7 || len(src) == 1 && src[0] > 0 {
		return nil, corrupt("packbits", "%d bytes without a valid count of padding", len(src))
	}
	n := 8*(len(src)-1) - int(src[0])
	if n > len(dst) {
		return nil, full("packbits", "%d bools, want at most %d", n, len(dst))
	}
	for i := range n {
		dst[i] = src[1+i/8] >> (7 - i%8) & 1
	}
	return dst[:n], nil
}

// Encode implements Stage.
func (packedBools) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	at := len(dst) + 1
	dst = append(dst, make([]byte, 1+(len(src)+7)/8)...)
	dst[at-1] = byte(-len(src) & 7)
	for i, b := range src {
		if b != 0 {
			dst[at+i/8] |= 0x80 >> (i % 8)
		}
	}
	return dst, nil
}

// Bound implements Stage.
func (packedBools) Bound(n int) int { return (n+7)/8 + 1 }

// bitPack stores the bits first to last of each element, the lowest first, one element behind the other.
// Specification: zarr-extensions, codecs/packbits.
type bitPack struct {
	in      Elem
	first   int
	count   int
	padding string
}

func newBitPack(c Config, in Elem) (Stage, Elem, error) {
	bits := int64(8 * in.Bytes)
	if in.DType == dtype.Bool {
		bits = 1
	}
	first, err := c.Int("first_bit", 0)
	if err != nil {
		return nil, in, err
	}
	last, err := c.Int("last_bit", bits-1)
	if err != nil {
		return nil, in, err
	}
	p := bitPack{in: in, first: int(first), count: int(last - first + 1), padding: c.Text("padding_encoding", "none")}
	if !in.real() || first < 0 || last >= bits || p.count < 1 || p.padding != "none" && p.padding != "first_byte" && p.padding != "last_byte" {
		return nil, in, fmt.Errorf("codec packbits: bits %d to %d of a %v array, padding %q: %w", first, last, in.DType, p.padding, formats.ErrFormat)
	}
	return p, ElemOf(dtype.Uint8), nil
}

// integer is the dtype whose bits those of e are.
func (e Elem) integer() dtype.DType {
	if e.DType.IsFloat() {
		return map[int]dtype.DType{2: dtype.Uint16, 4: dtype.Uint32, 8: dtype.Uint64}[e.Bytes]
	}
	return e.DType
}

// Decode implements Stage. A count of padding is ignored: the chunk's size is known.
func (p bitPack) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	switch {
	case p.padding == "none":
	case len(src) == 0:
		return nil, corrupt("packbits", "no bytes")
	case p.padding == "first_byte":
		src = src[1:]
	default:
		src = src[:len(src)-1]
	}
	n, dt := len(dst)/p.in.Bytes, p.in.integer()
	if len(src) != (n*p.count+7)/8 {
		return nil, corrupt("packbits", "%d bytes, want %d", len(src), (n*p.count+7)/8)
	}
	at := 0
	for i := range n {
		v := uint64(0)
		for b := range p.count {
			v |= uint64(src[at/8]>>(at%8)&1) << b
			at++
		}
		v <<= p.first
		if dt.Kind() == dtype.KindInt { // what was cut off are copies of the sign
			free := 64 - p.first - p.count
			v = uint64(int64(v<<free) >> free)
		}
		storeInt(dst[i*p.in.Bytes:], dt, v)
	}
	return dst[:n*p.in.Bytes], nil
}

// Encode implements Stage.
func (p bitPack) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	n, dt := len(src)/p.in.Bytes, p.in.integer()
	pad := byte(-n * p.count & 7)
	if p.padding == "first_byte" {
		dst = append(dst, pad)
	}
	base := len(dst)
	dst = append(dst, make([]byte, (n*p.count+7)/8)...)
	at := 0
	for i := range n {
		v := loadInt(src[i*p.in.Bytes:], dt) >> p.first
		for b := range p.count {
			dst[base+at/8] |= byte(v>>b&1) << (at % 8)
			at++
		}
	}
	if p.padding == "last_byte" {
		dst = append(dst, pad)
	}
	return dst, nil
}

// Bound implements Stage.
func (p bitPack) Bound(n int) int {
	b := (n/p.in.Bytes*p.count + 7) / 8
	if p.padding != "none" {
		b++
	}
	return b
}

// SPDX-License-Identifier: BSD-3-Clause

package order

import "github.com/arrayrun/arrayrun/chunk/dtype"

// Key is an unsigned integer as wide as the element whose place it has.
type Key interface {
	uint8 | uint16 | uint32 | uint64
}

// Kind says how bits of elements are numbers.
type Kind uint8

// The kinds of elements; bool is Unsigned.
const (
	Unsigned Kind = iota
	Signed
	Float
)

// KindOf returns the kind of a dtype of real numbers.
func KindOf(d dtype.DType) Kind {
	switch {
	case d.IsFloat():
		return Float
	case d.Kind() == dtype.KindInt:
		return Signed
	}
	return Unsigned
}

// Encoder turns the bits of elements of one dtype into keys and back. Equal elements have equal keys: -0 has that of 0, and all NaN have the
// highest (with Descending the lowest).
type Encoder[K Key] struct {
	Kind       Kind
	Brain      bool // the 16 bits of a Float are a bfloat16
	Descending bool // the largest element has the lowest key
}

// EncoderOf returns the encoder of a dtype of real numbers as wide as K.
func EncoderOf[K Key](d dtype.DType, descending bool) Encoder[K] {
	return Encoder[K]{Kind: KindOf(d), Brain: d == dtype.BFloat16, Descending: descending}
}

// width returns the bits of a key.
func width[K Key]() int {
	switch any(K(0)).(type) {
	case uint8:
		return 8
	case uint16:
		return 16
	case uint32:
		return 32
	}
	return 64
}

// Infinity returns the bits of infinity, or of -infinity, in the float type as wide as K.
func (e Encoder[K]) Infinity(negative bool) K {
	if negative {
		return e.infinity() | 1<<(width[K]()-1)
	}
	return e.infinity()
}

func (e Encoder[K]) infinity() K {
	var bits uint64
	switch width[K]() {
	case 16:
		bits = 0x7c00
		if e.Brain {
			bits = 0x7f80
		}
	case 32:
		bits = 0x7f800000
	case 64:
		bits = 0x7ff << 52
	}
	return K(bits)
}

// mask returns what turns keys around.
func (e Encoder[K]) mask() K {
	if e.Descending {
		return ^K(0)
	}
	return 0
}

// Encode stores the keys of the elements in src, the first len(dst) of them that lie step apart, and reports whether one is -0.
func (e Encoder[K]) Encode(dst, src []K, step int) (negativeZero bool) {
	sign, turn := K(1)<<(width[K]()-1), e.mask()
	switch e.Kind {
	case Unsigned:
		for i := range dst {
			dst[i] = src[i*step] ^ turn
		}
	case Signed:
		turn ^= sign
		for i := range dst {
			dst[i] = src[i*step] ^ turn
		}
	case Float:
		inf, w := e.infinity(), width[K]()-1
		for i := range dst {
			b := src[i*step]
			k := b ^ (-(b >> w) | sign)
			if k == sign-1 {
				k, negativeZero = sign, true
			}
			if b<<1 > inf<<1 {
				k = ^K(0)
			}
			dst[i] = k ^ turn
		}
	}
	return negativeZero
}

// One returns the key of one element.
func (e Encoder[K]) One(b K) K {
	var k [1]K
	e.Encode(k[:], []K{b}, 1)
	return k[0]
}

// Decode stores the elements that keys stand for, step apart; keys of 0 become 0, never -0.
func (e Encoder[K]) Decode(dst, keys []K, step int) {
	sign, turn := K(1)<<(width[K]()-1), e.mask()
	switch e.Kind {
	case Unsigned:
		for i, k := range keys {
			dst[i*step] = k ^ turn
		}
	case Signed:
		turn ^= sign
		for i, k := range keys {
			dst[i*step] = k ^ turn
		}
	case Float:
		w := width[K]() - 1
		for i, k := range keys {
			k ^= turn
			dst[i*step] = k ^ (k>>w - 1 | sign)
		}
	}
}

// Zero returns the key of 0 in floats.
func (e Encoder[K]) Zero() K { return K(1)<<(width[K]()-1) ^ e.mask() }

// Missing returns the key of NaN in floats.
func (e Encoder[K]) Missing() K { return ^K(0) ^ e.mask() }

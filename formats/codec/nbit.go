// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/formats"
)

// nbitStage reads HDF5's n-bit filter: the significant bits of each number of each element, the
// highest first, one number behind the other.
// Specification: HDF5 filter 5 (H5Znbit.c documents the client values).
type nbitStage struct {
	plain  bool // nothing is packed
	item   int
	fields []nbitField
}

// nbitField is a number inside an element, or bytes that are kept whole.
type nbitField struct {
	off, size int
	whole     bool
	big       bool
	bits, low int // how many bits, and which is the lowest
}

// The classes of the client values.
const (
	nbitAtomic = 1 + iota
	nbitArray
	nbitCompound
	nbitWhole
)

const maxNbitFields = 1 << 16

// nbitValues are the client values not yet read.
type nbitValues struct {
	v   []uint32
	bad bool
}

func (p *nbitValues) next() int {
	if len(p.v) == 0 || p.v[0] > math.MaxInt32 {
		p.bad = true
		return 0
	}
	n := int(p.v[0])
	p.v = p.v[1:]
	return n
}

func newNbit(values []uint32, item int) (Stage, error) {
	bad := fmt.Errorf("codec nbit: client values %v do not describe elements of %d bytes: %w", values[:min(len(values), 20)], item, formats.ErrFormat)
	if len(values) < 5 {
		return nil, bad
	}
	z := &nbitStage{plain: values[1] != 0, item: item}
	p := &nbitValues{v: values[3:]}
	if size := z.parse(p, 0, 0); p.bad || size != item || len(z.fields) > maxNbitFields {
		return nil, bad
	}
	return z, nil
}

// parse reads a type at byte off of the element and returns its size.
func (z *nbitStage) parse(p *nbitValues, off, depth int) int {
	class, size := p.next(), p.next()
	if p.bad || size < 1 || size > z.item-off || depth > 16 || len(z.fields) > maxNbitFields {
		p.bad = true
		return 0
	}
	switch class {
	case nbitAtomic:
		f := nbitField{off: off, size: size, big: p.next() == 1, bits: p.next(), low: p.next()}
		if f.bits < 1 || f.bits+f.low > 8*size || size > 8 {
			p.bad = true
		}
		z.fields = append(z.fields, f)
	case nbitArray:
		at := len(p.v)
		again := p.v
		one := z.parse(p, off, depth+1)
		if one == 0 || size%one != 0 {
			p.bad = true
			return 0
		}
		for n := one; n < size && !p.bad; n += one {
			q := &nbitValues{v: again}
			z.parse(q, off+n, depth+1)
			p.bad = p.bad || q.bad || len(q.v) > at
		}
	case nbitCompound:
		for n := p.next(); n > 0 && !p.bad; n-- {
			z.parse(p, off+p.next(), depth+1)
		}
	case nbitWhole:
		z.fields = append(z.fields, nbitField{off: off, size: size, whole: true})
	default:
		p.bad = true
	}
	return size
}

// bits returns the bits of a packed element.
func (z *nbitStage) bits() int {
	n := 0
	for _, f := range z.fields {
		if f.whole {
			n += 8 * f.size
		} else {
			n += f.bits
		}
	}
	return n
}

// Decode implements Stage; the number of elements is what dst holds.
func (z *nbitStage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if z.plain {
		return src, nil
	}
	n := len(dst) / z.item
	if each := z.bits(); n > 0 && each > 8*len(src)/n {
		return nil, corrupt("nbit", "%d bytes do not hold %d elements of %d bits", len(src), n, each)
	}
	dst = dst[:n*z.item]
	clear(dst)
	at := 0
	for i := range n {
		el := dst[i*z.item : (i+1)*z.item]
		for _, f := range z.fields {
			if f.whole {
				for k := range f.size {
					el[f.off+k] = byte(bigUint(src, at, 8))
					at += 8
				}
				continue
			}
			putBits(el[f.off:f.off+f.size], bigUint(src, at, f.bits)<<f.low, f.big)
			at += f.bits
		}
	}
	return dst, nil
}

// putBits stores the low bytes of v in all of b.
func putBits(b []byte, v uint64, big bool) {
	var t [8]byte
	if big {
		binary.BigEndian.PutUint64(t[:], v)
		copy(b, t[8-len(b):])
		return
	}
	binary.LittleEndian.PutUint64(t[:], v)
	copy(b, t[:])
}

func (*nbitStage) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("nbit") }

func (*nbitStage) Bound(n int) int { return n + 64 }

// scaleOffsetFilter reads HDF5's scale-offset filter: a minimum, and the few bits by which each number exceeds
// it, the highest first. Floats are decimally scaled integers.
// Specification: HDF5 filter 6 (H5Zscaleoffset.c documents the client values).
type scaleOffsetFilter struct {
	float  bool
	digits int
	size   int
	big    bool
	filled bool
	fill   uint64 // bits of the fill value
}

func newScaleOffsetFilter(values []uint32, item int) (Stage, error) {
	bad := func(what string) error {
		return fmt.Errorf("codec scaleoffset: %s in client values %v: %w", what, values[:min(len(values), 20)], formats.ErrFormat)
	}
	if len(values) < 8 {
		return nil, bad("too few")
	}
	z := scaleOffsetFilter{float: values[3] == 1, digits: int(int32(values[1])), size: int(values[4]), big: values[6] == 1, filled: values[7] == 1}
	switch {
	case values[3] > 1 || z.size != item || z.size != 1 && z.size != 2 && z.size != 4 && z.size != 8:
		return nil, bad("another type")
	case z.float && (z.size < 4 || values[0] != 0):
		return nil, bad("a scaling that is not decimal")
	}
	if z.filled {
		var b [8]byte
		for i := range min(2, len(values)-8) {
			binary.LittleEndian.PutUint32(b[4*i:], values[8+i])
		}
		z.fill = binary.LittleEndian.Uint64(b[:])
	}
	return z, nil
}

// Decode implements Stage; the number of elements is what dst holds.
func (z scaleOffsetFilter) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	const header = 21
	if len(src) < header {
		return nil, corrupt("scaleoffset", "%d bytes, want a header of %d", len(src), header)
	}
	n, bits := len(dst)/z.size, int(binary.LittleEndian.Uint32(src))
	var b [8]byte
	copy(b[:], src[5:5+min(int(src[4]), 8)])
	least := binary.LittleEndian.Uint64(b[:])
	src, dst = src[header:], dst[:n*z.size]
	switch {
	case bits < 0 || bits > 8*z.size:
		return nil, corrupt("scaleoffset", "%d bits of %d", bits, 8*z.size)
	case n > 0 && bits > 8*len(src)/n:
		return nil, corrupt("scaleoffset", "%d bytes do not hold %d elements of %d bits", len(src), n, bits)
	case bits == 8*z.size:
		copy(dst, src) // nothing was gained: the numbers in the writer's order, as the machine has them
		z.order(dst)
		return dst, nil
	}
	none := uint64(1)<<bits - 1 // stands for the fill value
	pow := math.Pow(10, float64(z.digits))
	for i := range n {
		v := bigUint(src, i*bits, bits)
		switch {
		case z.filled && v == none && bits > 0:
			v = z.fill
		case z.float && z.size == 4:
			f := float32(int32(v))/float32(pow) + math.Float32frombits(uint32(least))
			v = uint64(math.Float32bits(f))
		case z.float:
			v = math.Float64bits(float64(int64(v))/pow + math.Float64frombits(least))
		default:
			v += least
		}
		putBits(dst[i*z.size:(i+1)*z.size], v, z.big)
	}
	return dst, nil
}

// order turns native numbers into those of the dataset's byte order.
func (z scaleOffsetFilter) order(b []byte) {
	if z.big && z.size > 1 {
		ByteSwap(b, b, z.size)
	}
}

func (scaleOffsetFilter) Encode([]byte, []byte, *Scratch) ([]byte, error) {
	return nil, readOnly("scaleoffset")
}

func (scaleOffsetFilter) Bound(n int) int { return n + 64 }

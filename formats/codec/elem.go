// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// Elem is the type of the elements an array-to-array codec gets or makes.
type Elem struct {
	DType dtype.DType // Raw or Invalid where nothing can be computed with it
	Bytes int
	Big   bool // its numbers are stored big endian
}

// ElemOf returns the element of a numeric dtype.
func ElemOf(dt dtype.DType) Elem { return Elem{DType: dt, Bytes: dt.Size()} }

// width is the size of the numbers whose bytes are in one order.
func (e Elem) width() int {
	if e.DType.IsComplex() {
		return e.Bytes / 2
	}
	return e.Bytes
}

// real reports whether codecs can compute with e: it is a bool, an integer or a float.
func (e Elem) real() bool {
	return e.DType.IsNumeric() && !e.DType.IsComplex() && e.Bytes == e.DType.Size()
}

// elem returns the type a member of the configuration names, as NumPy spells it; def where it is
// absent. Times count as int64.
func (c Config) elem(name string, def Elem) (Elem, error) {
	v, ok := c[name]
	if !ok || v == nil {
		return def, nil
	}
	s, _ := v.(string)
	t := strings.TrimLeft(s, "<>=|")
	if strings.HasPrefix(t, "M8") || strings.HasPrefix(t, "m8") {
		t = "i8"
	}
	dt, err := dtype.Parse(t)
	e := ElemOf(dt)
	if err != nil || !e.real() {
		return e, fmt.Errorf("codec: configuration %q: %v is not a type of numbers: %w", name, v, formats.ErrFormat)
	}
	e.Big = strings.HasPrefix(s, ">") && e.Bytes > 1
	return e, nil
}

// float returns the number with the name as a float, and whether it is an integer.
func (c Config) float(name string, def float64) (f float64, integer bool, err error) {
	switch v := c[name].(type) {
	case nil:
		return def, def == math.Trunc(def), nil
	case int64:
		return float64(v), true, nil
	case uint64:
		return float64(v), true, nil
	case float64:
		return v, false, nil
	}
	return 0, false, fmt.Errorf("codec: configuration %q: got %v, want a number: %w", name, c[name], formats.ErrFormat)
}

// loadInt returns the integer or bool at the start of b, negative ones with their sign extended.
func loadInt(b []byte, dt dtype.DType) uint64 {
	le := binary.LittleEndian
	switch dt {
	case dtype.Int8:
		return uint64(int64(int8(b[0])))
	case dtype.Int16:
		return uint64(int64(int16(le.Uint16(b))))
	case dtype.Int32:
		return uint64(int64(int32(le.Uint32(b))))
	case dtype.Uint16:
		return uint64(le.Uint16(b))
	case dtype.Uint32:
		return uint64(le.Uint32(b))
	case dtype.Int64, dtype.Uint64:
		return le.Uint64(b)
	}
	return uint64(b[0])
}

// storeInt stores the low bits of v as an integer, or whether it is not 0 as a bool.
func storeInt(b []byte, dt dtype.DType, v uint64) {
	le := binary.LittleEndian
	switch dt.Size() {
	case 1:
		if dt == dtype.Bool && v != 0 {
			v = 1
		}
		b[0] = byte(v)
	case 2:
		le.PutUint16(b, uint16(v))
	case 4:
		le.PutUint32(b, uint32(v))
	case 8:
		le.PutUint64(b, v)
	}
}

// loadFloat returns the number of any real dtype at the start of b, integers beyond 2^53 rounded.
func loadFloat(b []byte, dt dtype.DType) float64 {
	le := binary.LittleEndian
	switch dt {
	case dtype.Float64:
		return math.Float64frombits(le.Uint64(b))
	case dtype.Float32:
		return float64(math.Float32frombits(le.Uint32(b)))
	case dtype.Float16:
		return dtype.F16{Bits: le.Uint16(b)}.Float64()
	case dtype.BFloat16:
		return float64(dtype.BF16{Bits: le.Uint16(b)}.Float32())
	case dtype.Uint64:
		return float64(le.Uint64(b))
	}
	return float64(int64(loadInt(b, dt)))
}

// storeFloat stores f as a number of any real dtype: rounded to a float, cut off to an integer.
func storeFloat(b []byte, dt dtype.DType, f float64) {
	le := binary.LittleEndian
	switch dt {
	case dtype.Float64:
		le.PutUint64(b, math.Float64bits(f))
	case dtype.Float32:
		le.PutUint32(b, math.Float32bits(float32(f)))
	case dtype.Float16:
		le.PutUint16(b, dtype.F16Of(f).Bits)
	case dtype.BFloat16:
		le.PutUint16(b, dtype.BF16Of(f).Bits)
	case dtype.Bool:
		b[0] = 0
		if f != 0 {
			b[0] = 1
		}
	default:
		if f >= 1<<63 {
			storeInt(b, dt, uint64(f))
			return
		}
		storeInt(b, dt, uint64(int64(f)))
	}
}

// castOne converts one number as NumPy's astype does.
func castOne(dst []byte, to dtype.DType, src []byte, from dtype.DType) {
	switch {
	case from.IsFloat():
		storeFloat(dst, to, loadFloat(src, from))
	case to == dtype.Float32: // not through float64, which would round twice
		v := loadInt(src, from)
		f := float32(int64(v))
		if from == dtype.Uint64 {
			f = float32(v)
		}
		binary.LittleEndian.PutUint32(dst, math.Float32bits(f))
	case to.IsFloat():
		storeFloat(dst, to, loadFloat(src, from))
	default:
		storeInt(dst, to, loadInt(src, from))
	}
}

// arithmetic rounds results to the dtype NumPy computes in: float64 for integers.
func arithmetic(dt dtype.DType) func(float64) float64 {
	switch dt {
	case dtype.Float32:
		return func(f float64) float64 { return float64(float32(f)) }
	case dtype.Float16:
		return func(f float64) float64 { return dtype.F16Of(f).Float64() }
	case dtype.BFloat16:
		return func(f float64) float64 { return float64(dtype.BF16Of(f).Float32()) }
	}
	return func(f float64) float64 { return f }
}

// mapped is a Stage that makes each element from one element.
type mapped struct {
	name     string
	dec, enc Elem // what the array has, and what is stored
	decode   func(dst, src []byte) error
	encode   func(dst, src []byte) error
}

// Decode implements Stage.
func (m *mapped) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	n := len(src) / m.enc.Bytes
	if n*m.enc.Bytes != len(src) || n*m.dec.Bytes > len(dst) {
		return nil, corrupt(m.name, "%d bytes of %d-byte elements, want %d elements of %d bytes", len(src), m.enc.Bytes, len(dst)/m.dec.Bytes, m.dec.Bytes)
	}
	for i := range n {
		if err := m.decode(dst[i*m.dec.Bytes:], src[i*m.enc.Bytes:]); err != nil {
			return nil, err
		}
	}
	return dst[:n*m.dec.Bytes], nil
}

// Encode implements Stage.
func (m *mapped) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	n := len(src) / m.dec.Bytes
	at := len(dst)
	dst = append(dst, make([]byte, n*m.enc.Bytes)...)
	for i := range n {
		if err := m.encode(dst[at+i*m.enc.Bytes:], src[i*m.dec.Bytes:]); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

// Bound implements Stage; as with every array-to-array codec it is exact.
func (m *mapped) Bound(n int) int { return n / m.dec.Bytes * m.enc.Bytes }

// swapStage is the byte order of stored numbers, where it is not the last thing decoded.
type swapStage struct{ width int }

func (s swapStage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if len(src) > len(dst) || len(src)%s.width != 0 {
		return nil, full("bytes", "%d bytes, want at most %d", len(src), len(dst))
	}
	ByteSwap(dst[:len(src)], src, s.width)
	return dst[:len(src)], nil
}

func (s swapStage) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	at := len(dst)
	dst = append(dst, src...)
	ByteSwap(dst[at:], dst[at:], s.width)
	return dst, nil
}

func (swapStage) Bound(n int) int { return n }

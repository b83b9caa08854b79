// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// roundings are the ways cast_value makes an integral number of a float.
var roundings = map[string]func(float64) float64{
	"nearest-even": math.RoundToEven, "towards-zero": math.Trunc, "towards-positive": math.Ceil,
	"towards-negative": math.Floor, "nearest-away": math.Round,
}

// caster converts numbers by the rules of cast_value.
type caster struct {
	from, to dtype.DType
	mode     string
	beyond   string // "", "clamp" or "wrap"
	pairs    [][2][]byte
}

// newCastValue stores the elements as another data type, by value. The member data_type is an Elem;
// those of scalar_map are lists of pairs of elements in native order ([][2][]byte).
// Specification: zarr-extensions, codecs/cast_value.
func newCastValue(c Config, in Elem) (Stage, Elem, error) {
	out, ok := c["data_type"].(Elem)
	if !ok {
		var err error
		if out, err = c.elem("data_type", in); err != nil {
			return nil, in, err
		}
	}
	if !in.real() || !out.real() || in.DType == dtype.Bool || out.DType == dtype.Bool {
		return nil, in, fmt.Errorf("codec cast_value: it cannot cast %v to %v: %w", in.DType, out.DType, formats.ErrFormat)
	}
	mode, beyond := c.Text("rounding", "nearest-even"), c.Text("out_of_range", "")
	if roundings[mode] == nil || beyond != "" && beyond != "clamp" && beyond != "wrap" {
		return nil, in, fmt.Errorf("codec cast_value: rounding %q, out_of_range %q: %w", mode, beyond, formats.ErrFormat)
	}
	maps, _ := c["scalar_map"].(Config)
	enc := &caster{in.DType, out.DType, mode, beyond, nil}
	dec := &caster{out.DType, in.DType, mode, beyond, nil}
	enc.pairs, _ = maps["encode"].([][2][]byte)
	dec.pairs, _ = maps["decode"].([][2][]byte)
	return &mapped{name: "cast_value", dec: in, enc: out, decode: dec.cast, encode: enc.cast}, out, nil
}

// cast converts the number at the start of src.
func (c *caster) cast(dst, src []byte) error {
	for _, p := range c.pairs {
		if same(src, p[0], c.from) {
			copy(dst, p[1])
			return nil
		}
	}
	if c.to.IsFloat() {
		castOne(dst, c.to, src, c.from)
		if c.mode != "nearest-even" {
			c.direct(dst, loadFloat(src, c.from))
		}
		return nil
	}
	var lo, hi float64
	bits := 8 * c.to.Size()
	if c.to.Kind() == dtype.KindInt {
		lo, hi = -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1)
	} else {
		hi = math.Ldexp(1, bits)
	}
	if !c.from.IsFloat() {
		v := loadInt(src, c.from)
		storeInt(dst, c.to, v)
		negative := c.from.Kind() == dtype.KindInt && int64(v) < 0
		if back := loadInt(dst, c.to); back == v && negative == (c.to.Kind() == dtype.KindInt && int64(back) < 0) || c.beyond == "wrap" {
			return nil
		}
		return c.outside(dst, negative, loadFloat(src, c.from))
	}
	f := roundings[c.mode](loadFloat(src, c.from))
	switch {
	case f >= lo && f < hi:
		storeFloat(dst, c.to, f)
		return nil
	case c.beyond == "wrap" && !math.IsNaN(f) && !math.IsInf(f, 0):
		m := math.Mod(f, math.Ldexp(1, bits))
		if m < 0 {
			m += math.Ldexp(1, bits)
		}
		storeInt(dst, c.to, uint64(m))
		return nil
	case math.IsNaN(f):
		return fmt.Errorf("codec cast_value: NaN is no %v: %w", c.to, formats.ErrFormat)
	}
	return c.outside(dst, f < 0, f)
}

// outside stores the nearest integer there is, where that is asked for.
func (c *caster) outside(dst []byte, negative bool, f float64) error {
	if c.beyond != "clamp" {
		return fmt.Errorf("codec cast_value: %v is no %v: %w", f, c.to, formats.ErrFormat)
	}
	v := uint64(0)
	switch signed := c.to.Kind() == dtype.KindInt; {
	case signed && negative:
		v = 1 << (8*c.to.Size() - 1)
	case signed:
		v = 1<<(8*c.to.Size()-1) - 1
	case !negative:
		v = math.MaxUint64
	}
	storeInt(dst, c.to, v)
	return nil
}

// direct moves the float in dst, the one nearest to f, to its other neighbour where the rounding asks for that.
func (c *caster) direct(dst []byte, f float64) {
	r := loadFloat(dst, c.to)
	if r == f || math.IsNaN(f) || c.mode == "nearest-away" {
		return // ties between floats are left to the even one
	}
	away := math.Abs(r) > math.Abs(f)
	want := c.mode != "towards-zero" && (f > 0) == (c.mode == "towards-positive")
	if away == want {
		return
	}
	as := map[int]dtype.DType{2: dtype.Uint16, 4: dtype.Uint32, 8: dtype.Uint64}[c.to.Size()]
	step := uint64(1)
	if away {
		step = math.MaxUint64 // the bits of floats of one sign are ordered as their distances from 0
	}
	storeInt(dst, as, loadInt(dst, as)+step)
}

// same reports whether two numbers are equal; NaNs are.
func same(a, b []byte, dt dtype.DType) bool {
	if len(b) < dt.Size() {
		return false
	}
	if dt.IsFloat() {
		x, y := loadFloat(a, dt), loadFloat(b, dt)
		return x == y || math.IsNaN(x) && math.IsNaN(y)
	}
	return loadInt(a, dt) == loadInt(b, dt)
}

// bigUint returns the n bits from bit position at on as a number, the first bit the highest. b must be long enough.
func bigUint(b []byte, at, n int) uint64 {
	if n == 0 {
		return 0
	}
	var room [16]byte
	copy(room[:], b[at>>3:])
	hi, lo := binary.BigEndian.Uint64(room[:]), binary.BigEndian.Uint64(room[8:])
	if s := at & 7; s > 0 {
		hi = hi<<s | lo>>(64-s)
	}
	return hi >> (64 - n)
}

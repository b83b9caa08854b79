// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

func unfit(codec string, dec, in Elem) error {
	return fmt.Errorf("codec %s: decodes to %v of %d bytes, the array has %v of %d bytes: %w", codec, dec.DType, dec.Bytes, in.DType, in.Bytes, formats.ErrFormat)
}

// newFixedScaleOffset stores round((x - offset) * scale); it computes in the stored dtype when that is a
// float, else in float64, as NumPy does.
// Specification: numcodecs.FixedScaleOffset.
func newFixedScaleOffset(c Config, in Elem) (Stage, Elem, error) {
	dec, enc, err := c.pair("fixedscaleoffset", "dtype", "astype", in)
	if err != nil {
		return nil, enc, err
	}
	offset, intOffset, err := c.float("offset", 0)
	if err != nil {
		return nil, enc, err
	}
	scale, intScale, err := c.float("scale", 1)
	if err != nil {
		return nil, enc, err
	}
	round := arithmetic(enc.DType)
	up, by := round(offset), round(scale)
	m := &mapped{name: "fixedscaleoffset", dec: dec, enc: enc}
	m.decode = func(dst, src []byte) error {
		storeFloat(dst, dec.DType, round(round(loadFloat(src, enc.DType)/by)+up))
		return nil
	}
	to := arithmetic(dec.DType)
	m.encode = func(dst, src []byte) error {
		if !dec.DType.IsFloat() && intOffset && intScale {
			one := make([]byte, 8)
			storeInt(one, dec.DType, (loadInt(src, dec.DType)-uint64(int64(offset)))*uint64(int64(scale)))
			castOne(dst, enc.DType, one, dec.DType)
			return nil
		}
		storeFloat(dst, enc.DType, math.RoundToEven(to(to(loadFloat(src, dec.DType)-to(offset))*to(scale))))
		return nil
	}
	return m, enc, nil
}

// newScaleOffset stores (x - offset) * scale in the array's own dtype. The members offset and scale
// may be bytes of one element in native order, or numbers.
// Specification: zarr-extensions, codecs/scale_offset.
func newScaleOffset(c Config, in Elem) (Stage, Elem, error) {
	if !in.real() || in.DType.Size() != in.Bytes {
		return nil, in, fmt.Errorf("codec scale_offset: data type %v is not one it computes with: %w", in.DType, formats.ErrFormat)
	}
	scalar := func(name string, def float64) ([]byte, error) {
		if b, ok := c[name].([]byte); ok && len(b) == in.Bytes {
			return b, nil
		}
		f, _, err := c.float(name, def)
		b := make([]byte, in.Bytes)
		storeFloat(b, in.DType, f)
		return b, err
	}
	offset, err := scalar("offset", 0)
	if err != nil {
		return nil, in, err
	}
	scale, err := scalar("scale", 1)
	if err != nil {
		return nil, in, err
	}
	dt := in.DType
	in.Big = false
	m := &mapped{name: "scale_offset", dec: in, enc: in}
	if dt.IsFloat() {
		round, up, by := arithmetic(dt), loadFloat(offset, dt), loadFloat(scale, dt)
		m.decode = func(dst, src []byte) error {
			storeFloat(dst, dt, round(round(loadFloat(src, dt)/by)+up))
			return nil
		}
		m.encode = func(dst, src []byte) error {
			storeFloat(dst, dt, round(round(loadFloat(src, dt)-up)*by))
			return nil
		}
		return m, in, nil
	}
	up, by := loadInt(offset, dt), loadInt(scale, dt)
	if by == 0 {
		return nil, in, fmt.Errorf("codec scale_offset: scale 0 of a %v array: %w", dt, formats.ErrFormat)
	}
	signed := dt.Kind() == dtype.KindInt
	m.decode = func(dst, src []byte) error {
		x := loadInt(src, dt)
		if signed {
			x = uint64(int64(x) / int64(by))
		} else {
			x /= by
		}
		storeInt(dst, dt, x+up)
		return nil
	}
	m.encode = func(dst, src []byte) error {
		storeInt(dst, dt, (loadInt(src, dt)-up)*by)
		return nil
	}
	return m, in, nil
}

// newQuantize rounds floats to a number of decimal digits; decoding only casts.
// Specification: numcodecs.Quantize.
func newQuantize(c Config, in Elem) (Stage, Elem, error) {
	dec, enc, err := c.pair("quantize", "dtype", "astype", in)
	if err != nil {
		return nil, enc, err
	}
	digits, err := c.Int("digits", 0)
	if err != nil || !dec.DType.IsFloat() || !enc.DType.IsFloat() {
		return nil, enc, fmt.Errorf("codec quantize: %v and %v: want floats and a number of digits: %w", dec.DType, enc.DType, formats.ErrFormat)
	}
	exp := -float64(digits) // the logarithm of a power of ten rounds to it
	scale := math.Ldexp(1, int(math.Ceil(math.Log2(math.Pow(10, -exp)))))
	round := arithmetic(dec.DType)
	return &mapped{name: "quantize", dec: dec, enc: enc,
		decode: func(dst, src []byte) error {
			castOne(dst, dec.DType, src, enc.DType)
			return nil
		},
		encode: func(dst, src []byte) error {
			storeFloat(dst, enc.DType, round(math.RoundToEven(round(scale*loadFloat(src, dec.DType)))/scale))
			return nil
		}}, enc, nil
}

// newAsType stores the elements as another dtype.
// Specification: numcodecs.AsType.
func newAsType(c Config, in Elem) (Stage, Elem, error) {
	dec, enc, err := c.pair("astype", "decode_dtype", "encode_dtype", in)
	if err != nil {
		return nil, enc, err
	}
	return &mapped{name: "astype", dec: dec, enc: enc,
		decode: func(dst, src []byte) error {
			castOne(dst, dec.DType, src, enc.DType)
			return nil
		},
		encode: func(dst, src []byte) error {
			castOne(dst, enc.DType, src, dec.DType)
			return nil
		}}, enc, nil
}

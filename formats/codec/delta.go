// SPDX-License-Identifier: BSD-3-Clause

package codec

import "github.com/arrayrun/arrayrun/chunk/dtype"

// deltaStage stores differences of neighbours: the first element, then each less the one before it.
// Specification: numcodecs.Delta; sums are taken in the array's dtype, integers wrap.
type deltaStage struct{ dec, enc Elem }

func newDelta(c Config, in Elem) (Stage, Elem, error) {
	dec, enc, err := c.pair("delta", "dtype", "astype", in)
	return deltaStage{dec, enc}, enc, err
}

// pair returns the decoded and the stored type of a codec that names both.
func (c Config) pair(codec, decName, encName string, in Elem) (dec, enc Elem, err error) {
	if dec, err = c.elem(decName, in); err != nil {
		return
	}
	if enc, err = c.elem(encName, dec); err != nil {
		return
	}
	if !dec.real() || dec.Bytes != in.Bytes {
		err = unfit(codec, dec, in)
	}
	return
}

// Decode implements Stage.
func (d deltaStage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	eb, db := d.enc.Bytes, d.dec.Bytes
	n := len(src) / eb
	if n*eb != len(src) || n*db > len(dst) {
		return nil, corrupt("delta", "%d bytes of %d-byte elements, want %d elements", len(src), eb, len(dst)/db)
	}
	dst = dst[:n*db]
	if !d.dec.DType.IsFloat() {
		sum, one := uint64(0), make([]byte, 8)
		for i := range n {
			castOne(one, d.dec.DType, src[i*eb:], d.enc.DType)
			sum += loadInt(one, d.dec.DType)
			storeInt(dst[i*db:], d.dec.DType, sum)
		}
		return dst, nil
	}
	sum, round := 0.0, arithmetic(d.dec.DType)
	for i := range n {
		x := round(loadFloat(src[i*eb:], d.enc.DType))
		if i == 0 {
			sum = x // adding to 0 would lose the sign of -0
		} else {
			sum = round(sum + x)
		}
		storeFloat(dst[i*db:], d.dec.DType, sum)
	}
	return dst, nil
}

// Encode implements Stage.
func (d deltaStage) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	eb, db := d.enc.Bytes, d.dec.Bytes
	n, at := len(src)/db, len(dst)
	dst = append(dst, make([]byte, n*eb)...)
	out, one := dst[at:], make([]byte, 8)
	dt, round := d.dec.DType, arithmetic(d.dec.DType)
	for i := range n {
		switch {
		case i == 0:
			copy(one, src[:db])
		case dt == dtype.Bool:
			one[0] = src[i] ^ src[i-1]
		case dt.IsFloat():
			storeFloat(one, dt, round(loadFloat(src[i*db:], dt)-loadFloat(src[(i-1)*db:], dt)))
		default:
			storeInt(one, dt, loadInt(src[i*db:], dt)-loadInt(src[(i-1)*db:], dt))
		}
		castOne(out[i*eb:], d.enc.DType, one, dt)
	}
	return dst, nil
}

// Bound implements Stage.
func (d deltaStage) Bound(n int) int { return n / d.dec.Bytes * d.enc.Bytes }

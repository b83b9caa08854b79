// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// classicOut is the header of a file of the classic format being made.
type classicOut struct {
	version byte // 1, 2 or 5
	dims    []formats.Dim
	record  int // the record dimension, -1: none
	attrs   formats.Attrs
	vars    []*classicSink
	stride  int64 // bytes of a record
	data    int64 // bytes of the file
}

// The largest lengths and sizes the versions can state.
const (
	maxInt32  = math.MaxInt32
	maxVsize  = math.MaxUint32 - 3
	oldMaxDim = math.MaxInt32
)

// classicKind returns the number of the external type of dtype d, 0 where there is none.
func classicKind(d dtype.DType) int {
	for k := range externals {
		if externals[k].size > 0 && externals[k].dtype == d {
			return k
		}
	}
	return 0
}

// misfit says what version 1 and 2 cannot hold; the fifth can.
func misfit(format string, args ...any) error {
	return fmt.Errorf("%s; write netcdf3-64bit-data or netcdf4: %w", fmt.Sprintf(format, args...), formats.ErrFormat)
}

// layout places the variables for the given version; an error says what it cannot hold.
func (o *classicOut) layout(version byte) error {
	o.version = version
	for _, d := range o.dims {
		if version != 5 && d.Size > oldMaxDim {
			return misfit("dimension %q of length %d: 32 bits do not hold it", d.Name, d.Size)
		}
	}
	head, err := o.header()
	if err != nil {
		return err
	}
	at := int64(len(head))
	records := 0
	place := func(record bool) error {
		for i, s := range o.vars {
			if s.record != record {
				continue
			}
			if s.kind > 6 && version != 5 {
				return misfit("variable %q: dtype %v", s.name, s.dtype)
			}
			last := true
			for _, t := range o.vars[i+1:] {
				last = last && t.record != record
			}
			// the last variable of its sort may be larger: nothing lies behind it that its size would place
			if version != 5 && s.slab > maxVsize && !(last && (record || o.noRecords())) {
				return misfit("variable %q of %d bytes: 32 bits do not hold it", s.name, s.slab)
			}
			s.begin = at
			if version == 1 && at > maxInt32 {
				return misfit("variable %q begins at byte %d: 31 bits do not hold it", s.name, at)
			}
			if s.slab > math.MaxInt64-at-8 {
				return fmt.Errorf("variable %q is larger than any file: %w", s.name, formats.ErrFormat)
			}
			at += s.slab + s.pad
			if record {
				records++
			}
		}
		return nil
	}
	for _, s := range o.vars {
		s.pad = -s.slab & 3
	}
	if err := place(false); err != nil {
		return err
	}
	first := at
	if err := place(true); err != nil {
		return err
	}
	if o.stride = at - first; records == 1 {
		for _, s := range o.vars {
			if s.record { // one record variable alone is not padded
				o.stride, s.pad = s.slab, 0
			}
		}
	}
	o.data = first
	if o.record >= 0 {
		n := o.dims[o.record].Size
		if o.stride > 0 && n > (math.MaxInt64-first)/o.stride {
			return fmt.Errorf("%d records of %d bytes are larger than any file: %w", n, o.stride, formats.ErrFormat)
		}
		o.data += n * o.stride
	}
	return nil
}

func (o *classicOut) noRecords() bool {
	for _, s := range o.vars {
		if s.record {
			return false
		}
	}
	return true
}

// choose lays the file out in the version asked for, 0: the oldest that can hold it.
func (o *classicOut) choose(version byte) error {
	if version != 0 {
		return o.layout(version)
	}
	var err error
	for _, v := range []byte{1, 2, 5} {
		if err = o.layout(v); err == nil {
			break
		}
	}
	return err
}

// words appends big-endian fields.
type words struct {
	b       []byte
	version byte
}

func (w *words) u4(n int64) { w.b = binary.BigEndian.AppendUint32(w.b, uint32(n)) }
func (w *words) u8(n int64) { w.b = binary.BigEndian.AppendUint64(w.b, uint64(n)) }

// nonNeg appends a count: 8 bytes in CDF-5, else 4.
func (w *words) nonNeg(n int64) {
	if w.version == 5 {
		w.u8(n)
		return
	}
	w.u4(n)
}

func (w *words) padded(b []byte) {
	w.b = append(w.b, b...)
	w.b = append(w.b, make([]byte, -len(b)&3)...)
}

func (w *words) name(s string) {
	w.nonNeg(int64(len(s)))
	w.padded([]byte(s))
}

func (w *words) list(tag, n int64) {
	if n == 0 {
		tag = 0
	}
	w.u4(tag)
	w.nonNeg(n)
}

// header returns the bytes of the header; its length does not depend on where variables begin.
func (o *classicOut) header() ([]byte, error) {
	w := &words{version: o.version}
	w.b = append(w.b, 'C', 'D', 'F', o.version)
	records := int64(0)
	if o.record >= 0 {
		records = o.dims[o.record].Size
	}
	w.nonNeg(records)
	w.list(tagDims, int64(len(o.dims)))
	for i, d := range o.dims {
		w.name(d.Name)
		if i == o.record {
			w.nonNeg(0)
		} else {
			w.nonNeg(d.Size)
		}
	}
	if err := w.attrs(o.attrs); err != nil {
		return nil, err
	}
	w.list(tagVars, int64(len(o.vars)))
	for _, s := range o.vars {
		w.name(s.name)
		w.nonNeg(int64(len(s.dims)))
		for _, d := range s.dims {
			w.nonNeg(int64(d))
		}
		if err := w.attrs(s.attrs); err != nil {
			return nil, fmt.Errorf("variable %q: %w", s.name, err)
		}
		w.u4(int64(s.kind))
		size := s.slab + -s.slab&3
		if w.version != 5 {
			size = min(size, math.MaxUint32)
		}
		w.nonNeg(size)
		if w.version == 1 {
			w.u4(s.begin)
		} else {
			w.u8(s.begin)
		}
	}
	return w.b, nil
}

func (w *words) attrs(attrs formats.Attrs) error {
	w.list(tagAttrs, int64(len(attrs)))
	for _, a := range attrs {
		if err := checkName("attribute", a.Name); err != nil {
			return err
		}
		if err := w.attr(a); err != nil {
			return fmt.Errorf("attribute %q: %w", a.Name, err)
		}
	}
	return nil
}

// attr appends an attribute. In the versions without integers of 64 bits or without a sign, those become
// the next type that holds their values.
func (w *words) attr(a formats.Attr) error {
	w.name(a.Name)
	switch v := a.Value.(type) {
	case string:
		w.u4(2)
		w.nonNeg(int64(len(v)))
		w.padded([]byte(v))
		return nil
	case bool:
		a.Value = int8(0)
		if v {
			a.Value = int8(1)
		}
	case []string:
		return fmt.Errorf("a list of texts is not NetCDF-3's; write netcdf4: %w", formats.ErrFormat)
	}
	d, b, n, ok := numbers.Encode(a.Value)
	if ok && w.version != 5 {
		d, b, ok = narrower(d, b)
		if !ok {
			return misfit("a value of %v needs more than 32 bits", d)
		}
	}
	k := classicKind(d)
	if !ok || k == 0 {
		return fmt.Errorf("a value of type %T is not NetCDF-3's: %w", a.Value, formats.ErrFormat)
	}
	codec.ByteSwap(b, b, d.Size())
	w.u4(int64(k))
	w.nonNeg(int64(n))
	w.padded(b)
	return nil
}

// narrower returns the numbers in the first of int16 and int32 that holds every one of them, where the type is none of CDF-1's.
func narrower(d dtype.DType, b []byte) (dtype.DType, []byte, bool) {
	if k := classicKind(d); k >= 1 && k <= 6 {
		return d, b, true
	}
	if d.IsFloat() { // half precision
		return d, b, false
	}
	size := d.Size()
next:
	for _, to := range []dtype.DType{dtype.Int16, dtype.Int32} {
		var out []byte
		for i := 0; i+size <= len(b); i += size {
			one, _ := numbers.Decode(d, b[i:i+size])
			c, exact := castNumber(one, to)
			if !exact {
				continue next
			}
			_, e, _, _ := numbers.Encode(c)
			out = append(out, e...)
		}
		return to, out, true
	}
	return d, b, false
}

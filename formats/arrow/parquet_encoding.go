// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"math/bits"
)

// Encodings of values. Specification: Encodings.md of Parquet.
const (
	encPlain           = 0
	encPlainDictionary = 2
	encRLE             = 3
	encBitPacked       = 4
	encDelta           = 5
	encDeltaLength     = 6
	encDeltaBytes      = 7
	encDictionary      = 8
	encByteSplit       = 9
)

// values are decoded elements, without the nulls between them: of width bytes each, texts, or entries of a dictionary of texts.
type values struct {
	width int // 0: texts
	fixed []byte
	texts [][]byte
	dict  *values
	index []uint32
}

// window is the part of a page's values that is wanted.
type window struct{ lo, hi int }

func (v *values) count() int {
	switch {
	case v.dict != nil:
		return len(v.index)
	case v.width == 0:
		return len(v.texts)
	}
	return len(v.fixed) / v.width
}

// hybrid decodes n numbers of width bits, runs and packed ones mixed, and calls out with each run of one value.
func hybrid(b []byte, width uint, n int, out func(v uint32, count int)) error {
	if width > 32 {
		return corrupt("levels or indices of %d bits", width)
	}
	if width == 0 { // only one value there can be
		out(0, n)
		return nil
	}
	size := int(width+7) / 8
	mask := uint64(1)<<width - 1
	for n > 0 {
		h, k := uvarint(b)
		if k <= 0 {
			return corrupt("%d levels or indices are missing", n)
		}
		b = b[k:]
		if h&1 == 0 {
			count := int(min(h>>1, uint64(n)))
			if len(b) < size || count == 0 {
				return corrupt("a run of %d levels or indices", h>>1)
			}
			v := uint64(0)
			for i := range size {
				v |= uint64(b[i]) << (8 * i)
			}
			b = b[size:]
			out(uint32(v&mask), count)
			n -= count
			continue
		}
		groups := h >> 1
		if groups == 0 {
			return corrupt("a run of no levels or indices")
		}
		// the last run may be cut off where no value follows
		take := min(groups, uint64(n+7)/8) * uint64(width)
		if take > uint64(len(b)) {
			if have := uint64(len(b)) * 8 / uint64(width); have < uint64(n) {
				return corrupt("%d packed levels or indices are missing", uint64(n)-have)
			}
		}
		count := min(n, int(min(groups*8, uint64(1)<<40)))
		var acc uint64
		var have uint
		p := 0
		for range count {
			for have < width {
				acc |= uint64(b[p]) << have
				have += 8
				p++
			}
			out(uint32(acc&mask), 1)
			acc >>= width
			have -= width
		}
		n -= count
		b = b[min(uint64(len(b)), groups*uint64(width)):]
	}
	return nil
}

func uvarint(b []byte) (x uint64, n int) {
	for i, c := range b {
		if i == 10 {
			return 0, 0
		}
		x |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			return x, i + 1
		}
	}
	return 0, 0
}

// delta decodes DELTA_BINARY_PACKED numbers, at most n, and returns the bytes they took.
func delta(b []byte, n int) (out []int64, used int, err error) {
	whole := len(b)
	next := func() uint64 {
		x, k := uvarint(b)
		if k <= 0 && err == nil {
			err = corrupt("deltas break off")
		}
		b = b[max(k, 0):]
		return x
	}
	block, minis, total := next(), next(), next()
	zig := func() int64 { u := next(); return int64(u>>1) ^ -int64(u&1) }
	last := zig()
	if err != nil {
		return nil, 0, err
	}
	if minis == 0 || block == 0 || block > 1<<20 || block%minis != 0 || block/minis%8 != 0 || total > uint64(n) {
		return nil, 0, corrupt("%d deltas in blocks of %d, %d parts each, want at most %d", total, block, minis, n)
	}
	if total == 0 {
		return nil, whole - len(b), nil
	}
	out = append(make([]int64, 0, min(total, uint64(len(b))*8+1)), last)
	size := int(block / minis)
	for uint64(len(out)) < total {
		least := zig()
		if err != nil || uint64(len(b)) < minis {
			return nil, 0, corrupt("deltas break off")
		}
		widths := b[:minis]
		b = b[minis:]
		for _, w := range widths {
			if uint64(len(out)) >= total {
				break
			}
			if w > 64 || len(b) < size/8*int(w) {
				return nil, 0, corrupt("deltas of %d bits break off", w)
			}
			part := b[:size/8*int(w)]
			b = b[len(part):]
			for i := 0; i < size && uint64(len(out)) < total; i++ {
				last += least + int64(bitsAt(part, i*int(w), int(w)))
				out = append(out, last)
			}
		}
	}
	return out, whole - len(b), nil
}

// bitsAt returns the w bits from bit at on.
func bitsAt(b []byte, at, w int) uint64 {
	var v uint64
	for got := 0; got < w; {
		c := uint64(b[at>>3]) >> (at & 7)
		k := min(8-at&7, w-got)
		v |= c & (1<<k - 1) << got
		got += k
		at += k
	}
	return v
}

// plain decodes those of n values that are wanted, as they are.
func plain(phys, length int, b []byte, n int, want window) (*values, error) {
	v := &values{width: physWidth(phys, length)}
	switch phys {
	case physBool:
		if len(b) < (n+7)/8 {
			return nil, corrupt("%d bytes for %d bools", len(b), n)
		}
		v.fixed = make([]byte, 0, want.hi-want.lo)
		for i := want.lo; i < want.hi; i++ {
			v.fixed = append(v.fixed, b[i/8]>>(i%8)&1)
		}
	case physBytes:
		if n > len(b)/4 {
			return nil, corrupt("%d bytes for %d texts", len(b), n)
		}
		v.texts = make([][]byte, 0, want.hi-want.lo)
		for i := range want.hi {
			if len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
				return nil, corrupt("text %d of %d breaks off", i, n)
			}
			k := le.Uint32(b)
			if i >= want.lo {
				v.texts = append(v.texts, b[4:4+k])
			}
			b = b[4+k:]
		}
	default:
		if len(b)/v.width < n {
			return nil, corrupt("%d bytes for %d values of %d", len(b), n, v.width)
		}
		v.fixed = b[want.lo*v.width : want.hi*v.width]
	}
	return v, nil
}

// physWidth is the bytes of a decoded value; 0: texts.
func physWidth(phys, length int) int {
	return [...]int{physBool: 1, physInt32: 4, physInt64: 8, physInt96: 12, physFloat: 4, physDouble: 8, physBytes: 0, physFixed: length}[phys]
}

// decodeValues decodes those of the n values of a page that are wanted.
func (c *parquetColumn) decodeValues(enc int, b []byte, n int, want window, dict *values) (*values, error) {
	switch enc {
	case encPlain:
		return plain(c.phys, c.length, b, n, want)
	case encPlainDictionary, encDictionary:
		return indexed(b, want, dict)
	case encRLE:
		if c.phys != physBool || len(b) < 4 || uint64(le.Uint32(b)) > uint64(len(b)-4) {
			return nil, corrupt("runs of %d bytes", len(b))
		}
		v := &values{width: 1, fixed: make([]byte, 0, want.hi-want.lo)}
		return v, want.hybrid(b[4:4+le.Uint32(b)], 1, func(x uint32, count int) {
			for range count {
				v.fixed = append(v.fixed, byte(x))
			}
		})
	case encDelta:
		if c.phys != physInt32 && c.phys != physInt64 {
			break
		}
		d, _, err := delta(b, n)
		if err != nil || len(d) != n {
			return nil, corrupt("%d deltas, want %d: %v", len(d), n, err)
		}
		v := &values{width: physWidth(c.phys, 0)}
		v.fixed = make([]byte, 0, (want.hi-want.lo)*v.width)
		for _, x := range d[want.lo:want.hi] {
			if v.width == 4 {
				v.fixed = le.AppendUint32(v.fixed, uint32(x))
			} else {
				v.fixed = le.AppendUint64(v.fixed, uint64(x))
			}
		}
		return v, nil
	case encDeltaLength, encDeltaBytes:
		if c.phys == physBytes || c.phys == physFixed && enc == encDeltaBytes {
			return c.deltaTexts(enc, b, n, want)
		}
	case encByteSplit:
		w := physWidth(c.phys, c.length)
		if w == 0 || c.phys == physBool || c.phys == physInt96 {
			break
		}
		if len(b)/w < n {
			return nil, corrupt("%d bytes for %d values of %d", len(b), n, w)
		}
		v := &values{width: w, fixed: make([]byte, (want.hi-want.lo)*w)}
		for j := range w {
			for i, x := range b[j*n+want.lo : j*n+want.hi] {
				v.fixed[i*w+j] = x
			}
		}
		return v, nil
	}
	return nil, refused("encoding %d of the physical type %d", enc, c.phys)
}

// hybrid is hybrid for the values that are wanted.
func (want window) hybrid(b []byte, width uint, out func(v uint32, count int)) error {
	at := 0
	return hybrid(b, width, want.hi, func(v uint32, count int) {
		skip := min(max(want.lo-at, 0), count)
		at += count
		if count > skip {
			out(v, count-skip)
		}
	})
}

// indexed decodes indices into a dictionary and looks them up; texts stay indices.
func indexed(b []byte, want window, dict *values) (*values, error) {
	if dict == nil {
		return nil, corrupt("a page of indices without a dictionary")
	}
	out := &values{width: dict.width}
	n := want.hi - want.lo
	w := dict.width
	if w == 0 {
		out.dict, out.index = dict, make([]uint32, 0, n)
	} else {
		out.fixed = make([]byte, 0, n*w)
	}
	if n == 0 {
		return out, nil
	}
	if len(b) == 0 {
		return nil, corrupt("%d indices are missing", n)
	}
	most, bad := uint32(dict.count()), false
	err := want.hybrid(b[1:], uint(b[0]), func(x uint32, count int) {
		if x >= most {
			bad = true
			return
		}
		for range count {
			if w == 0 {
				out.index = append(out.index, x)
			} else {
				out.fixed = append(out.fixed, dict.fixed[int(x)*w:int(x+1)*w]...)
			}
		}
	})
	if bad && err == nil {
		err = corrupt("an index beyond the dictionary's %d values", most)
	}
	return out, err
}

// deltaTexts decodes texts whose lengths, and perhaps the lengths of what they share with the one before, are deltas.
func (c *parquetColumn) deltaTexts(enc int, b []byte, n int, want window) (*values, error) {
	var prefixes []int64
	if enc == encDeltaBytes {
		p, used, err := delta(b, n)
		if err != nil {
			return nil, err
		}
		prefixes, b = p, b[used:]
	}
	lengths, used, err := delta(b, n)
	if err != nil {
		return nil, err
	}
	b = b[used:]
	if len(lengths) != n || prefixes != nil && len(prefixes) != n {
		return nil, corrupt("%d lengths of texts, want %d", len(lengths), n)
	}
	v := &values{width: physWidth(c.phys, c.length)}
	var prev []byte
	total := 0
	for i, k := range lengths[:want.hi] {
		if k < 0 || k > int64(len(b)) {
			return nil, corrupt("text %d of %d has %d bytes, %d are left", i, n, k, len(b))
		}
		text := b[:k:k]
		b = b[k:]
		if prefixes != nil {
			p := prefixes[i]
			if p < 0 || p > int64(len(prev)) {
				return nil, corrupt("text %d shares %d bytes with one of %d", i, p, len(prev))
			}
			if total += int(p) + int(k); total > maxTexts {
				return nil, refused("a page with more than %d bytes of texts", maxTexts)
			}
			text = append(append(make([]byte, 0, int(p)+len(text)), prev[:p]...), text...)
			prev = text
		}
		if v.width == 0 {
			if i >= want.lo {
				v.texts = append(v.texts, text)
			}
			continue
		}
		if len(text) != v.width {
			return nil, corrupt("value %d has %d bytes, want %d", i, len(text), v.width)
		}
		if i >= want.lo {
			v.fixed = append(v.fixed, text...)
		}
	}
	return v, nil
}

// levelBits is the width of levels up to most.
func levelBits(most int) uint { return uint(bits.Len(uint(most))) }

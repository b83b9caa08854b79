// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"encoding/binary"
	"fmt"
	"io"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// file is an open TIFF or BigTIFF file.
type file struct {
	r     io.ReaderAt
	size  int64
	big   bool // BigTIFF
	order binary.ByteOrder
	work  int64          // bytes of directories that may still be read
	subs  map[int64]bool // directories that pages list and that have been read

	beside *beside // the other files of its images; nil: none can be opened
	part   bool    // it is one of those
}

const (
	maxPages   = 1 << 20
	maxEntries = 1 << 12
	maxText    = 64 << 20
	maxWork    = 256 << 20
)

// isTIFF reports whether head starts a TIFF or BigTIFF file.
func isTIFF(head []byte) bool {
	if len(head) < 8 {
		return false
	}
	switch string(head[:4]) {
	case "II*\x00", "MM\x00*", "II+\x00", "MM\x00+":
		return true
	}
	return false
}

// types are the sizes of the types of entries, by number; 0 is none.
var types = [19]int64{1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}

const (
	typeByte      = 1
	typeText      = 2
	typeShort     = 3
	typeRational  = 5
	typeSByte     = 6
	typeUndefined = 7
	typeSShort    = 8
	typeSLong     = 9
	typeSRational = 10
	typeFloat     = 11
	typeDouble    = 12
	typeSLong8    = 17
)

// entry is a tag of a page: its values lie in value, or at off.
type entry struct {
	tag, kind int
	count     int64
	off       int64
	value     []byte // nil: at off
}

// ifd is an image file directory.
type ifd struct {
	off     int64
	entries []entry
	next    int64
}

func corrupt(format string, args ...any) error {
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), formats.ErrCorrupt)
}

// newFile reads the header and returns the offset of the first directory.
func newFile(r io.ReaderAt, size int64) (*file, int64, error) {
	f := &file{r: r, size: size, order: binary.LittleEndian, work: maxWork, subs: map[int64]bool{}}
	head := make([]byte, min(size, 16))
	if _, err := r.ReadAt(head, 0); err != nil && err != io.EOF {
		return nil, 0, err
	}
	if !isTIFF(head) {
		return nil, 0, fmt.Errorf("first bytes %q are not TIFF's: %w", head, formats.ErrFormat)
	}
	if head[0] == 'M' {
		f.order = binary.BigEndian
	}
	if f.order.Uint16(head[2:]) == 42 {
		return f, int64(f.order.Uint32(head[4:])), nil
	}
	f.big = true
	if len(head) < 16 || f.order.Uint16(head[4:]) != 8 || f.order.Uint16(head[6:]) != 0 {
		return nil, 0, corrupt("BigTIFF header %x", head)
	}
	return f, int64(f.order.Uint64(head[8:])), nil
}

// bytes reads n bytes at off, which are checked against the file's size before memory is taken.
func (f *file) bytes(off, n int64) ([]byte, error) {
	if off < 0 || n < 0 || off > f.size || n > f.size-off {
		return nil, corrupt("%d bytes at %d of a file of %d", n, off, f.size)
	}
	b := make([]byte, n)
	if m, err := f.r.ReadAt(b, off); int64(m) < n {
		return nil, fmt.Errorf("read %d bytes at %d: %w", n, off, err)
	}
	return b, nil
}

// directory reads the directory at off.
func (f *file) directory(off int64) (*ifd, error) {
	head, item, tail := int64(2), int64(12), int64(4)
	if f.big {
		head, item, tail = 8, 20, 8
	}
	b, err := f.bytes(off, head)
	if err != nil {
		return nil, fmt.Errorf("directory at %d: %w", off, err)
	}
	n := f.word(b)
	if n > maxEntries {
		return nil, corrupt("directory at %d: %d entries, want at most %d", off, n, maxEntries)
	}
	if f.work -= n*item + 256; f.work < 0 {
		return nil, corrupt("directories of more than %d bytes", int64(maxWork))
	}
	if b, err = f.bytes(off+head, min(n*item+tail, f.size-off-head)); err != nil || int64(len(b)) < n*item {
		return nil, corrupt("directory at %d: %d entries do not fit the file", off, n)
	}
	d := &ifd{off: off}
	for i := range n {
		e := b[i*item:]
		x := entry{tag: int(f.order.Uint16(e)), kind: int(f.order.Uint16(e[2:]))}
		var value []byte
		if f.big {
			x.count, value = int64(f.order.Uint64(e[4:])), e[12:20]
		} else {
			x.count, value = int64(f.order.Uint32(e[4:])), e[8:12]
		}
		if x.kind >= len(types) || types[x.kind] == 0 {
			continue // a type of a later version: readers skip it
		}
		if x.count < 0 || x.count > f.size {
			return nil, corrupt("directory at %d: tag %d has %d values", off, x.tag, x.count)
		}
		if x.count*types[x.kind] <= int64(len(value)) {
			x.value = value[:x.count*types[x.kind]]
		} else {
			x.off = f.word(value)
		}
		d.entries = append(d.entries, x)
	}
	if rest := b[n*item:]; int64(len(rest)) == tail { // a file may end without it
		d.next = f.word(rest)
	}
	return d, nil
}

// word is the number in the 2, 4 or 8 bytes of b; what is larger than any file is made negative.
func (f *file) word(b []byte) int64 {
	switch len(b) {
	case 2:
		return int64(f.order.Uint16(b))
	case 4:
		return int64(f.order.Uint32(b))
	}
	return int64(f.order.Uint64(b))
}

// find returns the entry of a tag, or nil.
func (d *ifd) find(tag int) *entry {
	for i := range d.entries {
		if d.entries[i].tag == tag {
			return &d.entries[i]
		}
	}
	return nil
}

// raw returns the bytes of an entry's values, at most limit of them.
func (f *file) raw(e *entry, limit int64) ([]byte, error) {
	if e.value != nil || e.count == 0 {
		return e.value, nil
	}
	n := e.count * types[e.kind]
	if n > limit {
		return nil, fmt.Errorf("tag %d has %d bytes, want at most %d: %w", e.tag, n, limit, formats.ErrFormat)
	}
	b, err := f.bytes(e.off, n)
	if err != nil {
		return nil, fmt.Errorf("tag %d: %w", e.tag, err)
	}
	return b, nil
}

// ints returns the values of an entry of integers.
func (f *file) ints(e *entry) ([]int64, error) {
	b, err := f.raw(e, math.MaxInt64)
	if err != nil {
		return nil, err
	}
	out := make([]int64, e.count)
	size := types[e.kind]
	for i := range out {
		p := b[int64(i)*size:][:size]
		switch e.kind {
		case typeByte, typeUndefined:
			out[i] = int64(p[0])
		case typeSByte:
			out[i] = int64(int8(p[0]))
		case typeSShort:
			out[i] = int64(int16(f.order.Uint16(p)))
		case typeSLong:
			out[i] = int64(int32(f.order.Uint32(p)))
		case typeText, typeRational, typeSRational, typeFloat, typeDouble:
			return nil, corrupt("tag %d holds no integers", e.tag)
		default:
			out[i] = f.word(p)
		}
	}
	return out, nil
}

// number returns the first value of a tag, or def where it is absent.
func (f *file) number(d *ifd, tag int, def int64) (int64, error) {
	e := d.find(tag)
	if e == nil || e.count == 0 {
		return def, nil
	}
	one := *e
	if one.count > 1 {
		one.count = 1
		if one.value != nil {
			one.value = one.value[:types[one.kind]]
		}
	}
	v, err := f.ints(&one)
	if err != nil {
		return 0, err
	}
	if v[0] < 0 && one.kind != typeSLong && one.kind != typeSLong8 && one.kind != typeSByte && one.kind != typeSShort {
		return 0, corrupt("tag %d is %d", tag, uint64(v[0]))
	}
	return v[0], nil
}

// text returns the value of a text tag without what follows its last NUL, "" where it is absent or no text.
func (f *file) text(d *ifd, tag int) (string, error) {
	e := d.find(tag)
	if e == nil || e.kind != typeText && e.kind != typeByte && e.kind != typeUndefined {
		return "", nil
	}
	b, err := f.raw(e, maxText)
	return strings.TrimRight(string(b), "\x00"), err
}

// floats returns the values of an entry of numbers of any type.
func (f *file) floats(e *entry) ([]float64, error) {
	b, err := f.raw(e, maxText)
	if err != nil {
		return nil, err
	}
	size := types[e.kind]
	out := make([]float64, 0, e.count)
	for i := range e.count {
		p := b[i*size:][:size]
		switch e.kind {
		case typeFloat:
			out = append(out, float64(math.Float32frombits(f.order.Uint32(p))))
		case typeDouble:
			out = append(out, math.Float64frombits(f.order.Uint64(p)))
		case typeRational:
			out = append(out, float64(f.order.Uint32(p))/float64(f.order.Uint32(p[4:])))
		case typeSRational:
			out = append(out, float64(int32(f.order.Uint32(p)))/float64(int32(f.order.Uint32(p[4:]))))
		}
	}
	if int64(len(out)) < e.count {
		v, err := f.ints(e)
		for _, x := range v {
			out = append(out, float64(x))
		}
		return out, err
	}
	return out, nil
}

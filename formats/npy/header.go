// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"encoding/binary"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

const magic = "\x93NUMPY"

// maxHeader bounds a header; NumPy's own limit for untrusted files is 10,000 characters.
const maxHeader = 1 << 20

// elem is an element type.
type elem struct {
	dt     dtype.DType
	item   int // bytes in memory
	hole   int // further bytes in the file: records of C programs have holes
	parts  []part
	units  []codec.Unit // in the file
	big    bool
	stored any
}

// part is a run of bytes of a record in the file that is not a hole.
type part struct{ at, n int }

// file is how many bytes an element has in the file.
func (e *elem) file() int { return e.item + e.hole }

// header is what an array's header says, and where its data starts.
type header struct {
	el      elem
	shape   chunk.Shape
	fortran bool
	data    int64 // offset of the first element
}

// readHeader reads the header at the start of r. Errors wrap formats.ErrCorrupt or formats.ErrFormat.
func readHeader(r io.Reader) (*header, error) {
	head := make([]byte, 12)
	if _, err := io.ReadFull(r, head[:10]); err != nil || string(head[:6]) != magic {
		return nil, fmt.Errorf("no npy header: %w", formats.ErrFormat)
	}
	n, start := int64(binary.LittleEndian.Uint16(head[8:])), int64(10)
	switch head[6] {
	case 1:
	case 2, 3:
		if _, err := io.ReadFull(r, head[10:]); err != nil {
			return nil, fmt.Errorf("header is cut off: %w", formats.ErrCorrupt)
		}
		n, start = int64(binary.LittleEndian.Uint32(head[8:])), 12
	default:
		return nil, fmt.Errorf("npy version %d.%d, want 1 to 3: %w", head[6], head[7], formats.ErrFormat)
	}
	if n > maxHeader {
		return nil, fmt.Errorf("header of %d bytes, want at most %d: %w", n, maxHeader, formats.ErrFormat)
	}
	text := make([]byte, n)
	if _, err := io.ReadFull(r, text); err != nil {
		return nil, fmt.Errorf("header is cut off: %w", formats.ErrCorrupt)
	}
	p := &literal{s: string(text)}
	if head[6] < 3 { // up to version 2 a header is Latin-1
		runes := make([]rune, n)
		for i, c := range text {
			runes[i] = rune(c)
		}
		p.s = string(runes)
	}
	v, err := p.value(0)
	if err == nil {
		if p.space(); p.i < len(p.s) {
			err = p.fail("text behind the dictionary")
		}
	}
	d, ok := v.(map[string]any)
	if err == nil && !ok {
		err = fmt.Errorf("header is no dictionary: %w", formats.ErrCorrupt)
	}
	if err != nil {
		return nil, err
	}
	return newHeader(d, start+n)
}

func newHeader(d map[string]any, data int64) (*header, error) {
	h := &header{data: data}
	var ok bool
	if h.fortran, ok = d["fortran_order"].(bool); !ok {
		return nil, fmt.Errorf("header: fortran_order is %v, want True or False: %w", d["fortran_order"], formats.ErrCorrupt)
	}
	dims, ok := d["shape"].([]any)
	if !ok || len(dims) > 64 {
		return nil, fmt.Errorf("header: shape is %v, want a tuple: %w", d["shape"], formats.ErrCorrupt)
	}
	h.shape = make(chunk.Shape, len(dims))
	for i, x := range dims {
		n, ok := x.(int64)
		if !ok || n < 0 {
			return nil, fmt.Errorf("header: shape %v has no lengths: %w", dims, formats.ErrCorrupt)
		}
		h.shape[i] = n
	}
	var err error
	if h.el, err = parseDescr(d["descr"], 0); err != nil {
		return nil, err
	}
	if _, err := h.shape.Bytes(int64(max(1, h.el.file()))); err != nil {
		return nil, fmt.Errorf("header: %w: %w", err, formats.ErrCorrupt)
	}
	return h, nil
}

// maxItem bounds the size of one element.
const maxItem = 1 << 26

func badDescr(v any, why string) error {
	return fmt.Errorf("dtype %v %s: %w", v, why, formats.ErrFormat)
}

// parseDescr reads a descr: a type string, or a list of fields (name, type[, shape]).
func parseDescr(v any, depth int) (elem, error) {
	switch x := v.(type) {
	case string:
		e, err := parseType(x)
		e.parts = []part{{0, e.item}}
		return e, err
	case []any:
		if depth > 8 || len(x) == 0 {
			return elem{}, badDescr(v, "is nested too deeply or empty")
		}
		return parseFields(x, depth)
	}
	return elem{}, badDescr(v, "is not known")
}

func parseFields(x []any, depth int) (elem, error) {
	e := elem{dt: dtype.Raw}
	var list []any
	big, little := false, false
	for _, y := range x {
		f, _ := y.([]any)
		if len(f) < 2 || len(f) > 3 {
			return e, badDescr(x, "has a field that is no tuple of a name and a type")
		}
		el, err := parseDescr(f[1], depth+1)
		if err != nil {
			return e, err
		}
		name := f[0]
		if pair, ok := name.([]any); ok && len(pair) == 2 { // a title and the name
			name = pair[1]
		}
		entry, n := []any{name, el.stored}, 1
		if len(f) == 3 {
			shape, _ := f[2].([]any)
			for _, d := range shape {
				k, ok := d.(int64)
				if !ok || k < 0 || k > maxItem || n*int(k) > maxItem {
					return e, badDescr(x, "has a field with a bad shape")
				}
				n *= int(k)
			}
			entry = append(entry, shape)
		}
		if el.file()*n+e.file() > maxItem || max(len(el.units)*n+len(e.units), len(el.parts)*n+len(e.parts)) > 1<<16 {
			return e, badDescr("of the fields", "is too large")
		}
		if text, _ := el.stored.(string); name == "" && strings.HasPrefix(text, "opaque") { // how NumPy writes a hole
			e.hole += el.file() * n
			continue
		}
		for range n {
			for _, u := range el.units {
				u.Off += e.file()
				e.units = append(e.units, u)
				big, little = big || el.big, little || !el.big
			}
			for _, p := range el.parts {
				if p.at += e.file(); len(e.parts) > 0 && e.parts[len(e.parts)-1].at+e.parts[len(e.parts)-1].n == p.at {
					e.parts[len(e.parts)-1].n += p.n
				} else {
					e.parts = append(e.parts, p)
				}
			}
			e.item += el.item
			e.hole += el.hole
		}
		list = append(list, entry)
	}
	if big && little {
		return e, badDescr(x, "mixes byte orders")
	}
	if len(list) == 0 {
		return e, badDescr(x, "has no fields")
	}
	e.big, e.stored = big, map[string]any{"fields": list}
	return e, nil
}

// parseType reads a type string such as <f4, |S12, >U5 or <M8[ns].
func parseType(s string) (elem, error) {
	order, rest := byte('='), s
	if s != "" && strings.IndexByte("<>|=", s[0]) >= 0 {
		order, rest = s[0], s[1:]
	}
	if rest == "" {
		return elem{}, badDescr(strconv.Quote(s), "is not known")
	}
	e := elem{big: order == '>'}
	kind, arg := rest[0], rest[1:]
	if strings.IndexByte("biufc", kind) >= 0 {
		dt, err := dtype.Parse(rest)
		if err != nil || arg == "" {
			return e, badDescr(strconv.Quote(s), "is not known")
		}
		e.dt, e.item, e.stored = dt, dt.Size(), dt.String()
		w := e.item
		if dt.IsComplex() {
			w /= 2
		}
		e.units = units(w, e.item/w)
		return e, nil
	}
	if kind == 'M' || kind == 'm' {
		if unit, ok := strings.CutPrefix(arg, "8"); ok && (unit == "" || unit[0] == '[' && unit[len(unit)-1] == ']') {
			e.dt, e.item, e.units = dtype.Int64, 8, units(8, 1)
			e.stored = map[byte]string{'M': "datetime64", 'm': "timedelta64"}[kind] + unit
			return e, nil
		}
		return e, badDescr(strconv.Quote(s), "is not known")
	}
	n, err := strconv.Atoi(arg)
	if err != nil || n < 0 || n > maxItem/4 {
		why := "is not known"
		if kind == 'O' {
			why = "holds pickled Python objects, which are not read"
		}
		return e, badDescr(strconv.Quote(s), why)
	}
	e.dt, e.item = dtype.Raw, n
	switch kind {
	case 'S', 'a':
		e.stored = "S" + arg
	case 'U':
		e.item, e.units, e.stored = 4*n, units(4, n), "U"+arg
	case 'V':
		e.stored = "opaque" + arg
	default:
		return e, badDescr(strconv.Quote(s), "is not known")
	}
	return e, nil
}

func units(width, count int) []codec.Unit {
	if width < 2 || count == 0 {
		return nil
	}
	return []codec.Unit{{Width: width, Count: count}}
}

// appendHeader appends a version 1.0 header (2.0 where it is too long), padded to 64 bytes.
func appendHeader(b []byte, descr string, shape chunk.Shape) []byte {
	var t strings.Builder
	fmt.Fprintf(&t, "{'descr': '%s', 'fortran_order': False, 'shape': (", descr)
	for i, n := range shape {
		if i > 0 {
			t.WriteByte(' ')
		}
		fmt.Fprintf(&t, "%d,", n)
	}
	text := t.String()
	if len(shape) > 1 {
		text = text[:len(text)-1]
	}
	text += "), }"
	n := (len(text) + 1 + 10 + 63) / 64 * 64
	b = append(b, magic...)
	b = append(b, 1, 0)
	b = binary.LittleEndian.AppendUint16(b, uint16(n-10))
	b = append(b, text...)
	for range n - 11 - len(text) {
		b = append(b, ' ')
	}
	return append(b, '\n')
}

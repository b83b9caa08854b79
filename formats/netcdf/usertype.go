// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math/bits"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// family is the kind of a userType.
type family int

const (
	familyNumber family = iota
	familyChars         // texts of a fixed size
	familyText          // texts of any length
	familyEnum
	familyOpaque
	familyCompound
	familySequence
)

const (
	maxTypeDepth  = 16
	maxTypeFields = 65535   // their number has 16 bits
	maxTypeBytes  = 1 << 26 // of one element
)

// userType is a data type of an element as the file has it, made of a description such as ArrayMeta.Stored.
type userType struct {
	family family
	size   int
	dtype  dtype.DType // of a number, and of the numbers of an enumeration
	base   *userType   // of an enumeration and a sequence
	fields []userField
	runes  bool     // of a compound: fields of it are texts of UTF-32
	names  []string // of an enumeration, in the order of values
	values []byte   // one number for each
	stored any      // the description

	name, group string // under which it is committed; no name: it is written out where it is used
	addr        uint64
	uses        int // how many headers refer to it
}

// userField is a field of a compound; dims are the lengths of one that is an array.
type userField struct {
	name string
	off  int
	typ  *userType
	dims []int
	wide int // bytes of a text of UTF-32 in memory, which has as many of UTF-8 in the file; 0: it is none
}

func (f *userField) count() int {
	n := 1
	for _, d := range f.dims {
		n *= d
	}
	return n
}

// typeKey tells equal descriptions: fmt prints maps in the order of their keys.
func typeKey(stored any) string { return fmt.Sprint(stored) }

// newType returns the type that a description says. Errors wrap formats.ErrFormat: NetCDF-4 has no such type.
func newType(stored any, depth int) (*userType, error) {
	if depth > maxTypeDepth {
		return nil, fmt.Errorf("a type nested deeper than %d: %w", maxTypeDepth, formats.ErrFormat)
	}
	t := &userType{stored: stored}
	switch x := stored.(type) {
	case string:
		if d, err := dtype.Parse(x); err == nil && d.IsComplex() && d.String() == x {
			return t, t.compound(complexType(d)["fields"], depth)
		}
		return t, t.named(x)
	case map[string]any:
		switch {
		case x["fields"] != nil:
			return t, t.compound(x["fields"], depth)
		case x["enum"] != nil:
			return t, t.enumeration(x["enum"], x["members"])
		case x["vlen"] != nil:
			base, err := newType(x["vlen"], depth+1)
			t.family, t.size, t.base = familySequence, vlenBytes, base
			return t, err
		}
	}
	return nil, fmt.Errorf("a type %v: %w", stored, formats.ErrFormat)
}

// named makes t the type of a name.
func (t *userType) named(name string) error {
	for prefix, f := range map[string]family{"S": familyChars, "opaque": familyOpaque} {
		text, ok := strings.CutPrefix(name, prefix)
		if n, err := strconv.Atoi(text); ok && err == nil && n > 0 && n <= maxTypeBytes {
			t.family, t.size = f, n
			return nil
		}
	}
	switch name {
	case "str":
		t.family, t.size = familyText, vlenBytes
		return nil
	case "bool": // as h5py has it
		t.family, t.size, t.dtype = familyEnum, 1, dtype.Int8
		t.base = &userType{dtype: dtype.Int8, size: 1, stored: "int8"}
		t.names, t.values = []string{"FALSE", "TRUE"}, []byte{0, 1}
		return nil
	}
	if d, err := dtype.Parse(name); err == nil && numberType(d) != nil && d.String() == name {
		t.dtype, t.size = d, d.Size()
		return nil
	}
	return fmt.Errorf("data type %s is not NetCDF's: %w", name, formats.ErrFormat)
}

// compound lays the fields out one behind the other, as records lie in memory.
func (t *userType) compound(fields any, depth int) error {
	list, _ := fields.([]any)
	if len(list) == 0 || len(list) > maxTypeFields {
		return fmt.Errorf("a compound of %d fields: %w", len(list), formats.ErrFormat)
	}
	t.family = familyCompound
	for _, x := range list {
		l, _ := x.([]any)
		if len(l) != 2 && len(l) != 3 {
			return fmt.Errorf("a field %v: want a name, a type and maybe a shape: %w", x, formats.ErrFormat)
		}
		f := userField{off: t.size}
		f.name, _ = l[0].(string)
		if err := checkName("field", f.name); err != nil {
			return err
		}
		var err error
		described := l[1]
		if f.wide = wideText(described); f.wide > 0 {
			described = fmt.Sprintf("S%d", f.wide)
		}
		if f.typ, err = newType(described, depth+1); err != nil {
			return fmt.Errorf("field %q: %w", f.name, err)
		}
		t.runes = t.runes || f.wide > 0 || f.typ.runes
		if len(l) == 3 {
			if f.dims, err = lengths(l[2]); err != nil {
				return fmt.Errorf("field %q: %w", f.name, err)
			}
		}
		if f.typ.family == familyChars && f.typ.size > 1 {
			// netCDF-C knows single characters only inside of compounds
			f.dims = append(f.dims, f.typ.size)
			f.typ = &userType{family: familyChars, size: 1, stored: "S1"}
		}
		size := float64(f.typ.size)
		for _, d := range f.dims {
			size *= float64(d)
		}
		if float64(t.size)+size > maxTypeBytes {
			return fmt.Errorf("a compound of more than %d bytes: %w", maxTypeBytes, formats.ErrFormat)
		}
		t.size += int(size)
		t.fields = append(t.fields, f)
	}
	return nil
}

// lengths reads the shape of a field.
func lengths(v any) (out []int, err error) {
	r := reflect.ValueOf(v)
	if r.Kind() == reflect.Slice && r.Len() <= 4 { // as many as netCDF-C's fields may have
		for i := range r.Len() {
			d := r.Index(i)
			if d.Kind() == reflect.Interface {
				d = d.Elem()
			}
			if !d.CanInt() || d.Int() < 1 || d.Int() > maxTypeBytes {
				r = reflect.Value{}
				break
			}
			out = append(out, int(d.Int()))
		}
	}
	if r.Kind() != reflect.Slice || r.Len() > 4 {
		return nil, fmt.Errorf("shape %v, want at most 4 lengths from 1 on: %w", v, formats.ErrFormat)
	}
	return out, nil
}

// enumeration takes the names in the order of their numbers.
func (t *userType) enumeration(base, members any) error {
	name, _ := base.(string)
	d, err := dtype.Parse(name)
	list, _ := members.(map[string]any)
	if err != nil || numberType(d) == nil || d.IsFloat() {
		return fmt.Errorf("an enumeration of %v, want integers: %w", base, formats.ErrFormat)
	}
	if len(list) == 0 || len(list) > maxTypeFields {
		return fmt.Errorf("an enumeration of %d names: %w", len(list), formats.ErrFormat)
	}
	t.family, t.size, t.dtype, t.base = familyEnum, d.Size(), d, &userType{dtype: d, size: d.Size(), stored: name}
	numbersOf := map[string][]byte{}
	for k, v := range list {
		c, err := convert(v, d)
		if err != nil {
			return fmt.Errorf("member %q of an enumeration: %w", k, err)
		}
		if k == "" || strings.Contains(k, "\x00") || len(k) > 256 {
			return fmt.Errorf("member %q of an enumeration: want a name of 1 to 256 bytes: %w", k, formats.ErrFormat)
		}
		_, numbersOf[k], _, _ = numbers.Encode(c)
		t.names = append(t.names, k)
	}
	number := func(k string) int64 {
		var b [8]byte
		copy(b[:], numbersOf[k])
		shift := 64 - 8*d.Size()
		v := binary.LittleEndian.Uint64(b[:]) << shift
		if d.Kind() == dtype.KindUint {
			return int64(v >> 1) // keeps the order
		}
		return int64(v) >> shift
	}
	slices.SortFunc(t.names, func(a, b string) int { return cmp.Or(cmp.Compare(number(a), number(b)), strings.Compare(a, b)) })
	for _, k := range t.names {
		t.values = append(t.values, numbersOf[k]...)
	}
	return nil
}

// committed reports whether netCDF-C has the type under a name only.
func (t *userType) committed() bool {
	switch t.family {
	case familyEnum, familyOpaque, familyCompound, familySequence:
		return true
	}
	return false
}

// variable reports whether elements have parts of variable length.
func (t *userType) variable() bool {
	return t.family == familyText || t.family == familySequence || slices.ContainsFunc(t.fields, func(f userField) bool { return f.typ.variable() })
}

// message is the datatype message, version 3 where there is a choice.
func (t *userType) message() []byte {
	w := &buf{}
	switch t.family {
	case familyNumber:
		return numberType(t.dtype)
	case familyChars:
		if t.size == 1 {
			return typeChar()
		}
		return w.u(1, 0x13).u(3, 1).u(4, uint64(t.size)).b // padded with NULs
	case familyText:
		return typeVlenText()
	case familyOpaque:
		return w.u(1, 0x15).u(3, 0).u(4, uint64(t.size)).b
	case familySequence:
		return w.u(1, 0x19).u(3, 0).u(4, vlenBytes).bytes(t.base.message()).b
	case familyEnum:
		w.u(1, 0x38).u(3, uint64(len(t.names))).u(4, uint64(t.size)).bytes(t.base.message())
		for _, n := range t.names {
			w.s(n).u(1, 0)
		}
		return w.bytes(t.values).b
	}
	w.u(1, 0x36).u(3, uint64(len(t.fields))).u(4, uint64(t.size))
	for _, f := range t.fields {
		w.s(f.name).u(1, 0).u((bits.Len(uint(t.size))+7)/8, uint64(f.off))
		if len(f.dims) > 0 {
			w.u(1, 0x3a).u(3, 0).u(4, uint64(f.count()*f.typ.size)).u(1, uint64(len(f.dims)))
			for _, d := range f.dims {
				w.u(4, uint64(d))
			}
		}
		w.bytes(f.typ.message())
	}
	return w.b
}

// typeRef is how a header says t: a shared message that points to a committed type, else the type itself.
func (t *userType) typeRef() (body []byte, shared bool) {
	if t.name == "" {
		return t.message(), false
	}
	const byAddress = 2 // both the version of the message and its kind
	return (&buf{}).u(1, byAddress).u(1, byAddress).u(8, t.addr).b, true
}

// Holds says why NetCDF-4 has no place for elements of a dtype that are stored as described, nil where it has.
func Holds(d dtype.DType, itemBytes int, stored any) error {
	_, err := userTypeOf(d, itemBytes, stored)
	return err
}

// HoldsType is Holds for what formats.Attr and formats.Type describe.
func HoldsType(stored any) error {
	_, err := newType(stored, 0)
	return err
}

// complexType describes complex numbers as h5py, netCDF4-python and the nc-complex library have them: a compound of r and i.
func complexType(d dtype.DType) map[string]any {
	part := map[bool]string{true: "float32", false: "float64"}[d == dtype.Complex64]
	return map[string]any{"fields": []any{[]any{"r", part}, []any{"i", part}}}
}

// complexRecord makes a complex number, or the list of its parts that JSON has, a value of complexType; a real number too.
func complexRecord(v any) any {
	r := reflect.ValueOf(v)
	switch {
	case !r.IsValid():
		return v
	case r.CanComplex():
		return map[string]any{"r": real(r.Complex()), "i": imag(r.Complex())}
	case r.Kind() == reflect.Slice && r.Len() == 2:
		return map[string]any{"r": r.Index(0).Interface(), "i": r.Index(1).Interface()}
	case r.CanInt() || r.CanUint() || r.CanFloat():
		return map[string]any{"r": v, "i": 0.0}
	}
	return v
}

// userTypeOf returns the type of a variable's elements, nil where the dtype says it all.
func userTypeOf(d dtype.DType, itemBytes int, stored any) (*userType, error) {
	name, isName := stored.(string)
	switch {
	case d == dtype.Raw && isName && (itemBytes == 1 && name == "S1"), d == dtype.String && (stored == nil || name == "str"):
		return nil, nil
	case d == dtype.Raw && stored == nil && itemBytes == 1:
		return nil, nil
	case d == dtype.Bool:
		return nil, nil
	case d.IsComplex():
		return newType(complexType(d), 0)
	case strings.HasPrefix(name, "datetime64") || strings.HasPrefix(name, "timedelta64"):
		return nil, fmt.Errorf("dtype %s is not NetCDF's; write numbers with units such as \"seconds since 1970-01-01\": %w", name, formats.ErrFormat)
	case d != dtype.Raw && d != dtype.String:
		if numberType(d) == nil {
			return nil, fmt.Errorf("dtype %v is not NetCDF's; cast it: %w", d, formats.ErrFormat)
		}
		if isName || stored == nil {
			return nil, nil
		}
	}
	t, err := newType(stored, 0)
	if err != nil {
		return nil, err
	}
	ok := false
	switch {
	case d == dtype.String:
		ok = t.variable()
	case d == dtype.Raw:
		ok = t.size == itemBytes && !t.variable() && t.family != familyNumber
	default:
		ok = t.family == familyEnum && t.dtype == d
	}
	if !ok {
		return nil, fmt.Errorf("elements of dtype %v and %d bytes, described as %v: %w", d, itemBytes, stored, formats.ErrFormat)
	}
	return t, nil
}

// nul pads a text to n bytes.
func nul(text string, n int) []byte {
	b := bytes.Repeat([]byte{0}, n)
	copy(b, text)
	return b
}

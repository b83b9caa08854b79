// SPDX-License-Identifier: BSD-3-Clause

package dtype

import "fmt"

// DType is an element type. Values are in native byte order; the byte order of
// a file is a codec's business, units and calendars are attributes.
type DType uint8

// The element types. Raw is a fixed-size opaque record (NumPy's S12, void);
// String is variable length. Both are carried, compared and copied; kernels refuse them.
const (
	Invalid DType = iota
	Bool
	Int8
	Int16
	Int32
	Int64
	Uint8
	Uint16
	Uint32
	Uint64
	Float16
	BFloat16
	Float32
	Float64
	Complex64
	Complex128
	Raw
	String
)

// Count is the number of DType values, Invalid included: tables are indexed by DType.
const Count = int(String) + 1

// Kind is the family of a DType, ordered as NumPy's promotion goes.
type Kind uint8

// The families.
const (
	KindInvalid Kind = iota
	KindBool
	KindInt
	KindUint
	KindFloat
	KindComplex
	KindRaw
	KindString
)

// info holds everything about a dtype in one row.
var info = [Count]struct {
	name string
	size int
	kind Kind
}{
	Invalid:    {"invalid", 0, KindInvalid},
	Bool:       {"bool", 1, KindBool},
	Int8:       {"int8", 1, KindInt},
	Int16:      {"int16", 2, KindInt},
	Int32:      {"int32", 4, KindInt},
	Int64:      {"int64", 8, KindInt},
	Uint8:      {"uint8", 1, KindUint},
	Uint16:     {"uint16", 2, KindUint},
	Uint32:     {"uint32", 4, KindUint},
	Uint64:     {"uint64", 8, KindUint},
	Float16:    {"float16", 2, KindFloat},
	BFloat16:   {"bfloat16", 2, KindFloat},
	Float32:    {"float32", 4, KindFloat},
	Float64:    {"float64", 8, KindFloat},
	Complex64:  {"complex64", 8, KindComplex},
	Complex128: {"complex128", 16, KindComplex},
	Raw:        {"raw", 0, KindRaw},
	String:     {"str", 16, KindString},
}

// Size returns the bytes of one element: 0 for Raw, whose size is its chunk's
// ItemBytes, and 16 for String (offset and length into a heap, two int64).
func (d DType) Size() int {
	if int(d) >= Count {
		return 0
	}
	return info[d].size
}

// Kind returns the family of d.
func (d DType) Kind() Kind {
	if int(d) >= Count {
		return KindInvalid
	}
	return info[d].kind
}

// String returns NumPy's name of d.
func (d DType) String() string {
	if int(d) >= Count {
		return fmt.Sprintf("dtype(%d)", uint8(d))
	}
	return info[d].name
}

// IsFloat reports whether d is a real floating-point type.
func (d DType) IsFloat() bool { return d.Kind() == KindFloat }

// IsInteger reports whether d is a signed or unsigned integer type; Bool is not.
func (d DType) IsInteger() bool { k := d.Kind(); return k == KindInt || k == KindUint }

// IsComplex reports whether d is a complex type.
func (d DType) IsComplex() bool { return d.Kind() == KindComplex }

// Part returns the dtype of the real and imaginary parts of d, d itself where it is not complex.
func (d DType) Part() DType {
	switch d {
	case Complex64:
		return Float32
	case Complex128:
		return Float64
	}
	return d
}

// Complex returns the complex dtype with parts of d, or as wide as d where that is complex: complex128 of float64 and complex128, else complex64.
func (d DType) Complex() DType {
	if d.Part() == Float64 {
		return Complex128
	}
	return Complex64
}

// IsNumeric reports whether kernels compute with d: everything but Raw and String.
func (d DType) IsNumeric() bool { k := d.Kind(); return k >= KindBool && k <= KindComplex }

// Reals returns the dtypes that kernels compute with as real numbers, Bool among them, in the order of their values.
func Reals() []DType {
	var out []DType
	for d := range DType(Count) {
		if d.IsNumeric() && !d.IsComplex() {
			out = append(out, d)
		}
	}
	return out
}

// Parse returns the dtype with NumPy's name s ("float32", "f4", "<i2", "bool", "double").
func Parse(s string) (DType, error) {
	if d, ok := names[s]; ok {
		return d, nil
	}
	t := s
	if len(t) > 1 && (t[0] == '<' || t[0] == '>' || t[0] == '=' || t[0] == '|') {
		t = t[1:]
	}
	if d, ok := names[t]; ok {
		return d, nil
	}
	return Invalid, fmt.Errorf("dtype: %q is not a dtype; use a NumPy name such as \"float32\" or \"i2\"", s)
}

// names maps NumPy's names and codes to dtypes.
var names = map[string]DType{
	"bool": Bool, "bool_": Bool, "b1": Bool, "?": Bool,
	"int8": Int8, "i1": Int8, "b": Int8, "byte": Int8,
	"int16": Int16, "i2": Int16, "h": Int16, "short": Int16,
	"int32": Int32, "i4": Int32, "i": Int32, "intc": Int32,
	"int64": Int64, "i8": Int64, "int": Int64, "int_": Int64, "l": Int64, "q": Int64, "longlong": Int64, "intp": Int64,
	"uint8": Uint8, "u1": Uint8, "B": Uint8, "ubyte": Uint8,
	"uint16": Uint16, "u2": Uint16, "H": Uint16, "ushort": Uint16,
	"uint32": Uint32, "u4": Uint32, "I": Uint32, "uintc": Uint32,
	"uint64": Uint64, "u8": Uint64, "uint": Uint64, "L": Uint64, "Q": Uint64, "ulonglong": Uint64, "uintp": Uint64,
	"float16": Float16, "f2": Float16, "e": Float16, "half": Float16,
	"bfloat16": BFloat16,
	"float32":  Float32, "f4": Float32, "f": Float32, "single": Float32,
	"float64": Float64, "f8": Float64, "d": Float64, "double": Float64, "float": Float64, "float_": Float64,
	"complex64": Complex64, "c8": Complex64, "F": Complex64, "csingle": Complex64,
	"complex128": Complex128, "c16": Complex128, "D": Complex128, "complex": Complex128, "cdouble": Complex128,
}

// Number is the set of Go types whose slices hold numeric elements directly.
// Float16 and BFloat16 elements are read through their named types F16 and BF16.
type Number interface {
	bool | int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64 | F16 | BF16 | float32 | float64 | complex64 | complex128
}

// F16 holds the bits of an IEEE 754 binary16 number.
type F16 struct{ Bits uint16 }

// BF16 holds the bits of a bfloat16 number: the upper half of a float32.
type BF16 struct{ Bits uint16 }

// Of returns the dtype whose elements are Go's T.
func Of[T Number]() DType {
	var z T
	switch any(z).(type) {
	case bool:
		return Bool
	case int8:
		return Int8
	case int16:
		return Int16
	case int32:
		return Int32
	case int64:
		return Int64
	case uint8:
		return Uint8
	case uint16:
		return Uint16
	case uint32:
		return Uint32
	case uint64:
		return Uint64
	case F16:
		return Float16
	case BF16:
		return BFloat16
	case float32:
		return Float32
	case float64:
		return Float64
	case complex64:
		return Complex64
	default:
		return Complex128
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/numbers"
)

// storage says how the elements of a datatype become those of an array.
type storage struct {
	ok    bool // a numeric dtype
	dtype dtype.DType
	item  int     // bytes of one element in memory
	width int     // of the numbers whose bytes are in one order
	big   bool    // the file's order is big endian
	dims  []int64 // of an array type: further axes
	low   int     // the lowest bit of an integer that does not use all its bits
	bits  int     // and how many it uses; 0: all
	pack  []field // of records that are not in memory as they are stored
	file  int     // bytes of such a record in the file
}

// storage maps t to a dtype. What has parts of variable length is String, as texts; what no dtype holds is Raw, with its
// stored bytes.
func (t *Type) storage() storage {
	raw := storage{dtype: dtype.Raw, item: t.Size}
	if t.variable() { // a text: see appendText
		return storage{dtype: dtype.String, item: dtype.String.Size()}
	}
	switch t.Class {
	case ClassInt, ClassBitfield:
		off, bits := binary.LittleEndian.Uint16(t.props), binary.LittleEndian.Uint16(t.props[2:])
		d := dtype.Invalid
		signed := t.Class == ClassInt && t.Bits&8 != 0
		for _, x := range []dtype.DType{dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32, dtype.Uint64} {
			if x.Size() == t.Size && (x.Kind() == dtype.KindInt) == signed {
				d = x
			}
		}
		out := storage{ok: true, dtype: d, item: t.Size, width: t.Size, big: t.Bits&1 != 0}
		switch {
		case d == dtype.Invalid, bits == 0, int(off)+int(bits) > 8*t.Size, t.Class == ClassBitfield && int(bits) != 8*t.Size:
			return raw
		case int(bits) != 8*t.Size:
			out.low, out.bits = int(off), int(bits)
		}
		return out
	case ClassFloat:
		for _, x := range floats {
			if t.Size == x.dtype.Size() && bytes.Equal(t.props[2:], x.props) && t.Bits&0x40 == 0 {
				return storage{ok: true, dtype: x.dtype, item: t.Size, width: t.Size, big: t.Bits&1 != 0}
			}
		}
	case ClassOpaque:
		if _, big, ok := t.moment(); ok {
			return storage{ok: true, dtype: dtype.Int64, item: 8, width: 8, big: big}
		}
	case ClassEnum:
		s := t.Base.storage()
		if s.ok && s.dtype == dtype.Int8 && t.boolean() {
			s.dtype = dtype.Bool
		}
		return s
	case ClassComplex:
		return t.Base.storage().complex(raw)
	case ClassCompound:
		if len(t.Members) == 2 && t.Members[0].Name == "r" && t.Members[1].Name == "i" {
			re, im := t.Members[0], t.Members[1]
			a, b := re.Type.storage(), im.Type.storage()
			if a.ok && b.ok && a.dtype == b.dtype && a.big == b.big && len(a.dims)+len(b.dims) == 0 && re.Offset == 0 && im.Offset == a.item && t.Size == 2*a.item {
				return a.complex(raw)
			}
		}
	case ClassArray:
		s := t.Base.storage()
		dims := make([]int64, 0, len(t.Dims)+len(s.dims))
		for _, d := range t.Dims {
			dims = append(dims, int64(d))
		}
		s.dims = append(dims, s.dims...)
		return s
	}
	return raw
}

// complex is the storage of a pair of s.
func (s storage) complex(raw storage) storage {
	switch {
	case !s.ok || len(s.dims) > 0:
		return raw
	case s.dtype == dtype.Float32:
		s.dtype = dtype.Complex64
	case s.dtype == dtype.Float64:
		s.dtype = dtype.Complex128
	default:
		return raw
	}
	s.item *= 2
	return s
}

// floats are the floating-point formats that have a dtype: precision, place and
// size of exponent and mantissa, bias, as the datatype message has them.
var floats = []struct {
	dtype dtype.DType
	props []byte
}{
	{dtype.Float16, []byte{16, 0, 10, 5, 0, 10, 15, 0, 0, 0}},
	{dtype.BFloat16, []byte{16, 0, 7, 8, 0, 7, 127, 0, 0, 0}},
	{dtype.Float32, []byte{32, 0, 23, 8, 0, 23, 127, 0, 0, 0}},
	{dtype.Float64, []byte{64, 0, 52, 11, 0, 52, 255, 3, 0, 0}},
}

// moment reports whether an opaque type is h5py's datetime64 or timedelta64, says which as Zarr's dtypes are called,
// and whether it is big endian: the tag is NumPy's, such as "NUMPY:<M8[ns]".
func (t *Type) moment() (name string, big, ok bool) {
	tag, ok := strings.CutPrefix(t.Tag, "NUMPY:")
	if !ok || t.Size != 8 || len(tag) < 3 {
		return "", false, false
	}
	kind, unit := tag[1:3], tag[3:]
	names := map[string]string{"M8": "datetime64", "m8": "timedelta64"}
	return names[kind] + unit, tag[0] == '>', names[kind] != ""
}

// boolean reports whether an enumeration is h5py's bool.
func (t *Type) boolean() bool {
	return len(t.Members) == 2 && t.Members[0].Name == "FALSE" && t.Members[1].Name == "TRUE" && bytes.Equal(t.Values, []byte{0, 1})
}

// order is the byte order as formats.ArrayMeta has it.
func (s storage) order() string {
	switch {
	case s.width <= 1:
		return ""
	case s.big:
		return "big"
	}
	return "little"
}

// swap is the width to reverse, 0 when the file's order is the machine's.
func (s storage) swap() int {
	if s.width > 1 && s.big {
		return s.width
	}
	return 0
}

// UserDefined reports whether t is a type of the user's, which no dtype says: a compound, an enumeration, a sequence, an opaque type.
func (t *Type) UserDefined() bool {
	switch t.Class {
	case ClassCompound, ClassEnum, ClassVlen, ClassOpaque:
		_, plain := t.Stored().(string)
		return !plain || t.Class == ClassOpaque && !t.storage().ok
	case ClassArray:
		return t.Base.UserDefined()
	}
	return false
}

// Stored describes t as arrayrun info prints it: a name, or a map for compounds,
// enumerations and sequences.
func (t *Type) Stored() any {
	s := t.storage()
	switch t.Class {
	case ClassString:
		return fmt.Sprintf("S%d", t.Size)
	case ClassOpaque, ClassTime:
		if name, _, ok := t.moment(); ok {
			return name
		}
		return fmt.Sprintf("opaque%d", t.Size)
	case ClassReference:
		return "reference"
	case ClassEnum:
		if s.dtype == dtype.Bool {
			break
		}
		members := map[string]any{}
		if b := t.Base.storage(); b.ok {
			for i, m := range t.Members {
				members[m.Name], _ = b.values(t.Values[i*t.Size : (i+1)*t.Size])
			}
		}
		return map[string]any{"enum": t.Base.Stored(), "members": members}
	case ClassCompound:
		if s.ok {
			break
		}
		fields := []any{}
		for _, m := range t.Members {
			f := []any{m.Name, m.Type.Stored()}
			if m.Type.Class == ClassArray {
				f = append(f, m.Type.Dims)
			}
			fields = append(fields, f)
		}
		return map[string]any{"fields": fields}
	case ClassArray:
		return t.Base.Stored()
	case ClassVlen:
		if t.Bits&15 == 1 {
			return "str"
		}
		return map[string]any{"vlen": t.Base.Stored()}
	case ClassFloat:
		if !s.ok && t.Size == 16 {
			return "float128"
		}
	}
	if !s.ok {
		return fmt.Sprintf("opaque%d", t.Size)
	}
	return s.dtype.String()
}

// values decodes stored numbers: nil for none, one as a Go scalar of the stored
// type, others as a slice; float16 becomes float32.
func (s storage) values(b []byte) (any, error) {
	if w := s.swap(); w > 0 {
		b = bytes.Clone(b)
		codec.ByteSwap(b, b, w)
	}
	if s.bits > 0 {
		b = bytes.Clone(b)
		for i := 0; i+s.width <= len(b); i += s.width {
			s.widenOne(b[i:i+s.width], s.dtype.Kind() == dtype.KindInt)
		}
	}
	v, ok := numbers.Decode(s.dtype, b)
	if !ok {
		return nil, fmt.Errorf("hdf5: numbers of dtype %v: %w", s.dtype, formats.ErrFormat)
	}
	return v, nil
}

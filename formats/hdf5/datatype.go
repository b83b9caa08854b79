// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
)

// Class is the family of a datatype, numbered as the specification does.
type Class int

// The datatype classes.
const (
	ClassInt Class = iota
	ClassFloat
	ClassTime
	ClassString
	ClassBitfield
	ClassOpaque
	ClassCompound
	ClassReference
	ClassEnum
	ClassVlen
	ClassArray
	ClassComplex
)

// Type is a parsed datatype.
type Type struct {
	Class   Class
	Version int
	Size    int
	Bits    uint32 // the class's bit field
	Base    *Type  // of Enum, Vlen, Array, Complex
	Members []Member
	Dims    []int  // of Array
	Values  []byte // of Enum: one value of Base for each member
	Tag     string // of Opaque
	props   []byte // of Int, Bitfield, Float
}

// Member is a field of a compound or a name of an enumeration.
type Member struct {
	Name   string
	Offset int
	Type   *Type
}

// Space is a dataspace; Max holds Undef for unlimited dimensions.
type Space struct {
	Dims, Max []uint64
	Null      bool
}

const (
	maxTypeDepth = 32
	maxRank      = 32
)

// datatype parses a datatype message: all classes, versions 1 to 5.
func (c *cursor) datatype(depth int) *Type {
	if depth > maxTypeDepth {
		c.fail("datatype nested deeper than %d", maxTypeDepth)
		return nil
	}
	cv := c.u1()
	t := &Type{Class: Class(cv & 15), Version: cv >> 4, Bits: uint32(c.u(3)), Size: c.u4()}
	if c.err != nil {
		return nil
	}
	if t.Version < 1 || t.Version > 5 {
		c.fail("datatype version %d, want 1 to 5", t.Version)
		return nil
	}
	switch t.Class {
	case ClassInt, ClassBitfield:
		t.props = c.keep(4)
	case ClassFloat:
		t.props = c.keep(12)
	case ClassTime:
		c.n(2)
	case ClassString, ClassReference:
	case ClassOpaque:
		tag, _, _ := bytes.Cut(c.n(int(t.Bits&255)), []byte{0})
		t.Tag = string(tag)
	case ClassCompound:
		c.compound(t, depth)
	case ClassEnum:
		t.Base = c.datatype(depth + 1)
		n := int(t.Bits & 0xffff)
		for i := 0; i < n && c.err == nil; i++ {
			from := c.p
			t.Members = append(t.Members, Member{Name: c.cstr()})
			if t.Version < 3 {
				c.pad(from)
			}
		}
		if c.err == nil {
			t.Values = c.keep(n * t.Base.Size)
		}
	case ClassVlen, ClassComplex:
		t.Base = c.datatype(depth + 1)
	case ClassArray:
		nd := c.count(1, maxRank, "rank of an array type")
		if t.Version < 3 {
			c.n(3)
		}
		for range nd {
			t.Dims = append(t.Dims, c.u4())
		}
		if t.Version < 3 {
			c.n(4 * nd)
		}
		t.Base = c.datatype(depth + 1)
	default:
		c.fail("datatype class %d", t.Class)
	}
	if c.err != nil {
		return nil
	}
	return c.sized(t)
}

// sized checks that a type is as large as its parts say.
func (c *cursor) sized(t *Type) *Type {
	switch t.Class {
	case ClassArray:
		n := uint64(t.Base.Size)
		for _, d := range t.Dims {
			hi, lo := bits.Mul64(n, uint64(d))
			if n = lo; hi != 0 {
				n = Undef
			}
		}
		if n != uint64(t.Size) {
			c.fail("array type of %d bytes, its elements have %d", t.Size, n)
		}
	case ClassCompound:
		for _, m := range t.Members {
			if m.Offset < 0 || m.Offset > t.Size || m.Type.Size > t.Size-m.Offset {
				c.fail("field %q at byte %d of %d does not fit", m.Name, m.Offset, t.Size)
			}
		}
	case ClassEnum:
		if t.Base.Size != t.Size {
			c.fail("enumeration of %d bytes over a type of %d", t.Size, t.Base.Size)
		}
	case ClassComplex:
		if 2*t.Base.Size != t.Size {
			c.fail("complex type of %d bytes over parts of %d", t.Size, t.Base.Size)
		}
	}
	if t.Size <= 0 {
		c.fail("datatype of %d bytes", t.Size)
	}
	if c.err != nil {
		return nil
	}
	return t
}

// compound parses the fields of a compound type.
func (c *cursor) compound(t *Type, depth int) {
	for i := 0; i < int(t.Bits&0xffff) && c.err == nil; i++ {
		from := c.p
		m := Member{Name: c.cstr()}
		if t.Version < 3 {
			c.pad(from)
			m.Offset = c.u4()
		} else {
			m.Offset = int(c.u((bits.Len(uint(t.Size)) + 7) / 8))
		}
		var dims []int
		if t.Version == 1 {
			nd := c.u1()
			c.n(11)
			for k := range 4 {
				if v := c.u4(); k < nd {
					dims = append(dims, v)
				}
			}
		}
		m.Type = c.datatype(depth + 1)
		if m.Type != nil && len(dims) > 0 {
			n := uint64(m.Type.Size)
			for _, v := range dims {
				if n *= uint64(v); n > uint64(t.Size) {
					c.fail("array field %q is larger than its compound", m.Name)
					return
				}
			}
			m.Type = c.sized(&Type{Class: ClassArray, Version: 1, Size: int(n), Base: m.Type, Dims: dims})
		}
		t.Members = append(t.Members, m)
	}
}

// dataspace parses a dataspace message, versions 1 and 2.
func (f *File) dataspace(b []byte) (Space, error) {
	c := f.over(b)
	v := c.u1()
	nd := c.count(1, maxRank, "rank")
	flags := c.u1()
	var s Space
	switch v {
	case 1:
		c.n(5)
	case 2:
		s.Null = c.u1() == 2
	default:
		c.fail("dataspace version %d, want 1 or 2", v)
	}
	for range nd {
		s.Dims = append(s.Dims, c.l())
	}
	s.Max = append([]uint64{}, s.Dims...)
	if flags&1 != 0 {
		for i := range nd {
			s.Max[i] = c.l()
		}
	}
	if c.err != nil {
		return s, c.err
	}
	_, err := s.size(1)
	return s, err
}

// size returns the bytes of all elements of itemBytes; it fails where they are more than 2^62.
func (s Space) size(itemBytes int) (uint64, error) {
	if s.Null {
		return 0, nil
	}
	n := uint64(itemBytes)
	for _, d := range s.Dims {
		if d == 0 {
			return 0, nil
		}
	}
	for _, d := range s.Dims {
		hi, lo := bits.Mul64(n, d)
		if hi != 0 || lo >= 1<<62 {
			return 0, fmt.Errorf("hdf5: dataspace %v of %d-byte elements is larger than any file: %w", s.Dims, itemBytes, formats.ErrCorrupt)
		}
		n = lo
	}
	return n, nil
}

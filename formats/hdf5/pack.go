// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// field is a run of numbers of a record: where it lies in the file's record and, without holes, in memory.
type field struct {
	from, to, n int
	swap        int // width of the numbers to reverse, 0 for none
}

// maxFields bounds the fields of one record; one with more stays as it is stored.
const maxFields = 4096

// packing returns how records of t, which C programs write with holes and some in the other byte order, become
// records whose fields lie one behind the other in the machine's order, with their size. The first is nil where they are that already.
func (t *Type) packing() ([]field, int) {
	var out []field
	size, visits, changed := 0, 0, false
	var add func(t *Type, at int) bool
	add = func(t *Type, at int) bool {
		if visits++; visits > maxFields {
			return false
		}
		s := t.storage()
		switch {
		case s.ok:
		case t.Class == ClassCompound:
			for _, m := range t.Members {
				if !add(m.Type, at+m.Offset) {
					return false
				}
			}
			return true
		case t.Class == ClassArray:
			n := 1
			for _, d := range t.Dims {
				n *= d
			}
			for i := range n {
				if !add(t.Base, at+i*t.Base.Size) {
					return false
				}
			}
			return true
		}
		swap := 0
		if s.ok {
			swap = s.swap()
		}
		changed = changed || swap > 0 || at != size
		if i := len(out) - 1; i >= 0 && out[i].swap == swap && out[i].from+out[i].n == at && swap == 0 {
			out[i].n += t.Size
		} else {
			out = append(out, field{at, size, t.Size, swap})
		}
		size += t.Size
		return true
	}
	if !add(t, 0) || !changed && size == t.Size || size == 0 {
		return nil, t.Size
	}
	return out, size
}

// memory is the storage of t with the packing of records.
func (t *Type) memory() storage {
	s, record := t.storage(), t
	for record.Class == ClassArray {
		record = record.Base
	}
	if record.Class == ClassCompound && s.dtype == dtype.Raw {
		s.pack, s.item = record.packing()
		s.file = record.Size
	}
	return s
}

// pack makes the record in memory of the stored one.
func pack(fields []field, dst, src []byte) {
	for _, f := range fields {
		if f.swap > 0 {
			codec.ByteSwap(dst[f.to:f.to+f.n], src[f.from:f.from+f.n], f.swap)
		} else {
			copy(dst[f.to:f.to+f.n], src[f.from:f.from+f.n])
		}
	}
}

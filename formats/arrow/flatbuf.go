// SPDX-License-Identifier: BSD-3-Clause

package arrow

import "encoding/binary"

var le = binary.LittleEndian

// flatbuf is a FlatBuffers message that is not trusted. What lies outside it reads as zero and sets bad.
type flatbuf struct {
	b     []byte
	bad   bool
	spent int // bytes of texts read: many references to one long text would be a bomb
}

// spend counts n bytes of texts. An honest message holds each of them itself.
func (f *flatbuf) spend(n int) {
	if f.spent += n; f.spent > len(f.b)+1<<10 {
		f.bad = true
	}
}

// at returns n bytes from pos on, or zeros.
func (f *flatbuf) at(pos, n int) []byte {
	if pos < 0 || n < 0 || pos > len(f.b)-n {
		f.bad = true
		return make([]byte, min(max(n, 0), 8))
	}
	return f.b[pos : pos+n]
}

// table is one table of a message. The zero table has no fields.
type table struct {
	f            *flatbuf
	pos          int
	fields, size int // of the list of fields
}

// tableAt returns the table at pos.
func (f *flatbuf) tableAt(pos int) table {
	v := pos - int(int32(le.Uint32(f.at(pos, 4))))
	n := int(le.Uint16(f.at(v, 2)))
	f.at(v, n)
	return table{f, pos, v, n}
}

// root returns the message's first table.
func (f *flatbuf) root() table { return f.tableAt(int(le.Uint32(f.at(0, 4)))) }

// field returns the position of field i, 0 where it is absent.
func (t table) field(i int) int {
	if t.f == nil || 4+2*i+2 > t.size {
		return 0
	}
	o := int(le.Uint16(t.f.at(t.fields+4+2*i, 2)))
	if o == 0 {
		return 0
	}
	return t.pos + o
}

func (t table) u8(i int) byte {
	if p := t.field(i); p != 0 {
		return t.f.at(p, 1)[0]
	}
	return 0
}

func (t table) i16(i int, absent int16) int16 {
	if p := t.field(i); p != 0 {
		return int16(le.Uint16(t.f.at(p, 2)))
	}
	return absent
}

func (t table) i32(i int, absent int32) int32 {
	if p := t.field(i); p != 0 {
		return int32(le.Uint32(t.f.at(p, 4)))
	}
	return absent
}

func (t table) i64(i int) int64 {
	if p := t.field(i); p != 0 {
		return int64(le.Uint64(t.f.at(p, 8)))
	}
	return 0
}

// ref follows the offset at p.
func (f *flatbuf) ref(p int) int { return p + int(le.Uint32(f.at(p, 4))) }

// table returns the table that field i refers to; ok is false where it is absent.
func (t table) table(i int) (u table, ok bool) {
	p := t.field(i)
	if p == 0 {
		return table{}, false
	}
	return t.f.tableAt(t.f.ref(p)), true
}

// text returns the string that field i refers to.
func (t table) text(i int) string {
	p := t.field(i)
	if p == 0 {
		return ""
	}
	p = t.f.ref(p)
	n := int(le.Uint32(t.f.at(p, 4)))
	if t.f.spend(n); t.f.bad || n > len(t.f.b) {
		t.f.bad = true
		return ""
	}
	return string(t.f.at(p+4, n))
}

// vector returns the position and the count of the elements, of size bytes each, that field i refers to.
func (t table) vector(i, size int) (pos, n int) {
	p := t.field(i)
	if p == 0 {
		return 0, 0
	}
	p = t.f.ref(p)
	n = int(le.Uint32(t.f.at(p, 4)))
	if n > (len(t.f.b)-p-4)/size {
		t.f.bad = true
		return 0, 0
	}
	return p + 4, n
}

// pairs returns the texts by name of the vector of KeyValue tables in field i.
func (t table) pairs(i int) (out []pair) {
	p, n := t.vector(i, 4)
	for k := range n {
		if t.f.spend(4); t.f.bad {
			return nil
		}
		kv := t.f.tableAt(t.f.ref(p + 4*k))
		out = append(out, pair{kv.text(0), kv.text(1)})
	}
	return out
}

// pair is one entry of a file's or a column's metadata.
type pair struct{ key, value string }

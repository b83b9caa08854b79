// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
)

// Types of header messages.
const (
	msgSpace      = 0x01
	msgLinkInfo   = 0x02
	msgType       = 0x03
	msgOldFill    = 0x04
	msgFill       = 0x05
	msgLink       = 0x06
	msgExternal   = 0x07
	msgLayout     = 0x08
	msgFilters    = 0x0b
	msgAttr       = 0x0c
	msgTable      = 0x0f
	msgContinue   = 0x10
	msgSymbols    = 0x11
	msgAttrInfo   = 0x15
	msgLast       = 0x18 // the last type the specification names
	flagShared    = 0x02
	flagMustKnow  = 0x80 // fail if the type is not known
	maxBlocks     = 10000
	maxBlockBytes = 256 << 20
)

// message is one header message.
type message struct {
	kind, flags int
	body        []byte
}

// block is a piece of an object header elsewhere in the file.
type block struct{ addr, n uint64 }

// messages returns all messages of an object header, version 1 or 2, following
// continuation blocks. A cycle of blocks ends in an error.
func (f *File) messages(addr uint64) ([]message, error) {
	c := f.at(addr)
	head := c.n(4)
	if c.err != nil {
		return nil, c.err
	}
	if string(head) == "OHDR" {
		return f.messages2(addr)
	}
	c = f.at(addr)
	if v := c.u1(); v != 1 {
		c.fail("object header version %d, want 1 or 2", v)
	}
	c.n(7)
	size := c.u4()
	c.n(4)
	first := c.n(size)
	if c.err != nil {
		return nil, c.err
	}
	var ms []message
	var todo []block
	parse := func(b []byte) error {
		q := f.over(b)
		for q.p+8 <= len(b) {
			kind, n, flags := q.u2(), q.u2(), q.u1()
			q.n(3)
			if q.p+n > len(b) {
				break
			}
			ms = append(ms, message{kind, flags, q.n(n)})
			if kind == msgContinue {
				t := f.over(ms[len(ms)-1].body)
				todo = append(todo, block{t.o(), t.l()})
				if t.err != nil {
					return t.err
				}
			}
		}
		return q.err
	}
	if err := parse(first); err != nil {
		return nil, err
	}
	for i := 0; i < len(todo); i++ {
		b, err := f.headerBlock(todo[i], i)
		if err == nil {
			err = parse(b)
		}
		if err != nil {
			return nil, err
		}
	}
	return ms, nil
}

// headerBlock returns the bytes of continuation block number i.
func (f *File) headerBlock(b block, i int) ([]byte, error) {
	if i > maxBlocks || b.n > maxBlockBytes {
		return nil, fmt.Errorf("hdf5: object header: block %d of %d bytes at %#x: the header never ends: %w", i, b.n, b.addr, formats.ErrCorrupt)
	}
	c := f.at(b.addr)
	out := c.n(int(b.n))
	return out, c.err
}

// messages2 reads a version 2 object header and verifies its checksums.
func (f *File) messages2(addr uint64) ([]message, error) {
	c := f.at(addr)
	c.n(4)
	if v := c.u1(); v != 2 {
		c.fail("object header version %d, want 2", v)
	}
	flags := c.u1()
	prefix := 6
	if flags&0x20 != 0 {
		c.n(16)
		prefix += 16
	}
	if flags&0x10 != 0 {
		c.n(4)
		prefix += 4
	}
	width := 1 << (flags & 3)
	size := c.u(width)
	prefix += width
	if c.err != nil {
		return nil, c.err
	}
	if size > maxBlockBytes {
		return nil, fmt.Errorf("hdf5: object header at %#x: chunk of %d bytes: %w", addr, size, formats.ErrCorrupt)
	}
	var ms []message
	var todo []block
	parse := func(b []byte) error {
		q := f.over(b)
		for q.p+4 <= len(b) {
			kind, n, fl := q.u1(), q.u2(), q.u1()
			if flags&4 != 0 {
				if q.p+2 > len(b) {
					break
				}
				q.n(2)
			}
			if q.p+n > len(b) {
				break
			}
			ms = append(ms, message{kind, fl, q.n(n)})
			if kind == msgContinue {
				t := f.over(ms[len(ms)-1].body)
				todo = append(todo, block{t.o(), t.l()})
				if t.err != nil {
					return t.err
				}
			}
		}
		return q.err
	}
	whole := func(b block, head int) error {
		c := f.at(b.addr)
		x := c.n(int(b.n))
		if c.err != nil {
			return c.err
		}
		k := f.over(x)
		k.pos = b.addr + f.base
		k.n(len(x) - 4)
		if err := k.checksum("object header"); err != nil {
			return err
		}
		return parse(x[head : len(x)-4])
	}
	if err := whole(block{addr, uint64(prefix) + size + 4}, prefix); err != nil {
		return nil, err
	}
	for i := 0; i < len(todo); i++ {
		if i > maxBlocks || todo[i].n > maxBlockBytes || todo[i].n < 8 {
			return nil, fmt.Errorf("hdf5: object header at %#x: continuation %d of %d bytes: %w", addr, i, todo[i].n, formats.ErrCorrupt)
		}
		q := f.at(todo[i].addr)
		if q.sig("OCHK"); q.err != nil {
			return nil, q.err
		}
		if err := whole(todo[i], 4); err != nil {
			return nil, err
		}
	}
	return ms, nil
}

// shared resolves a message that is stored elsewhere, a committed datatype
// mostly. The body of such a message is only a pointer to another object header.
func (f *File) shared(m message, depth int) ([]byte, error) {
	if m.flags&flagShared == 0 {
		return m.body, nil
	}
	c := f.over(m.body)
	v, kind := c.u1(), c.u1()
	if v == 1 {
		c.n(6)
	}
	if v == 3 && kind == 1 {
		id := c.n(8)
		if c.err != nil {
			return nil, c.err
		}
		return f.sharedMessage(m.kind, id)
	}
	addr := c.o()
	if c.err != nil {
		return nil, c.err
	}
	if depth > 16 {
		return nil, fmt.Errorf("hdf5: shared message of type %d at %#x points to itself: %w", m.kind, addr, formats.ErrCorrupt)
	}
	ms, err := f.messages(addr)
	if err != nil {
		return nil, err
	}
	for _, x := range ms {
		if x.kind == m.kind {
			return f.shared(x, depth+1)
		}
	}
	return nil, fmt.Errorf("hdf5: no message of type %d at %#x, where a shared message points: %w", m.kind, addr, formats.ErrCorrupt)
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
)

// sharedTable says in which heap the messages of a type lie that several objects share.
type sharedTable struct {
	once  sync.Once
	heaps []sharedHeap
	err   error
}

// sharedHeap is a heap with the types of messages in it, a bit for each.
type sharedHeap struct {
	types uint
	addr  uint64
}

const maxSharedHeaps = 8 // by the specification

// sharedMessage returns the body of a message in the heap of its type.
func (f *File) sharedMessage(kind int, id []byte) ([]byte, error) {
	t := &f.table
	t.once.Do(func() { t.heaps, t.err = f.sharedHeaps() })
	if t.err != nil {
		return nil, t.err
	}
	for _, s := range t.heaps {
		if s.types>>kind&1 != 0 && s.addr != Undef {
			h, err := f.heap(s.addr)
			if err != nil {
				return nil, err
			}
			return h.get(id)
		}
	}
	return nil, fmt.Errorf("hdf5: a message of type %d is shared, and the file has no heap for such: %w", kind, formats.ErrCorrupt)
}

// sharedHeaps reads the table that the superblock's extension points to.
func (f *File) sharedHeaps() ([]sharedHeap, error) {
	if f.extension == Undef {
		return nil, nil
	}
	ms, err := f.messages(f.extension)
	if err != nil {
		return nil, err
	}
	for _, m := range ms {
		if m.kind != msgTable {
			continue
		}
		q := f.over(m.body)
		q.u1()
		addr, n := q.o(), q.count(1, maxSharedHeaps, "number of indexes of shared messages")
		if q.err != nil {
			return nil, q.err
		}
		c := f.at(addr)
		c.sig("SMTB")
		var out []sharedHeap
		for range n {
			c.n(2)
			types := uint(c.u2())
			c.n(10)
			c.o()
			out = append(out, sharedHeap{types, c.o()})
		}
		if c.err != nil {
			return nil, c.err
		}
		return out, nil
	}
	return nil, nil
}

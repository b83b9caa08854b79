// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"fmt"
	"io"
	"sync"
)

// Object is one value of a store as an io.ReaderAt, safe for concurrent use, for formats that are one file. Small reads, such as
// those of a parser that follows addresses, come from pages that are kept; reads of a page or more go to the store as they are.
type Object struct {
	st   Store
	key  string
	size int64

	mu    sync.Mutex
	pages map[int64]*objectPage
	order []int64 // of use, the oldest first
}

// Pages are as long as a request costs in transfer time on common lines, and 8 MiB of them are kept.
const (
	objectPageBytes = 256 << 10
	objectPages     = 32
)

type objectPage struct {
	once sync.Once
	b    []byte
	err  error
}

// NewObject returns the value at key. Errors are those of Stat.
func NewObject(ctx context.Context, st Store, key string) (*Object, error) {
	i, err := st.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	return &Object{st: st, key: key, size: i.Size, pages: map[int64]*objectPage{}}, nil
}

// Size returns the size the value had when the Object was made.
func (o *Object) Size() int64 { return o.size }

// Latency is that of the store.
func (o *Object) Latency() Latency { return LatencyOf(o.st) }

// ReadAt is io.ReaderAt's. It cannot be cancelled: the store gives up by itself.
func (o *Object) ReadAt(p []byte, off int64) (int, error) {
	if off < 0 {
		return 0, fmt.Errorf("store: read %s/%s at %d: %w", o.st.Name(), o.key, off, ErrRange)
	}
	short := error(nil)
	if int64(len(p)) > o.size-off {
		short = io.EOF
		p = p[:max(o.size-off, 0)]
	}
	if len(p) == 0 {
		return 0, short
	}
	if len(p) >= objectPageBytes {
		b, err := o.st.Get(context.Background(), o.key, Range{off, int64(len(p))}, int64(len(p)), p[:0:len(p)])
		if err != nil {
			return 0, err
		}
		if &b[0] != &p[0] {
			copy(p, b)
		}
		return len(b), short
	}
	n := 0
	for n < len(p) {
		at := off + int64(n)
		b, err := o.page(at / objectPageBytes)
		if err != nil {
			return n, err
		}
		n += copy(p[n:], b[at%objectPageBytes:])
	}
	return n, short
}

// page returns a page; several readers of one send one request.
func (o *Object) page(i int64) ([]byte, error) {
	o.mu.Lock()
	pg := o.pages[i]
	if pg == nil {
		pg = &objectPage{}
		o.pages[i] = pg
		o.order = append(o.order, i)
		for len(o.order) > objectPages {
			delete(o.pages, o.order[0])
			o.order = o.order[1:]
		}
	} else {
		for j, x := range o.order {
			if x == i {
				o.order = append(append(o.order[:j], o.order[j+1:]...), i)
				break
			}
		}
	}
	o.mu.Unlock()
	pg.once.Do(func() {
		lo := i * objectPageBytes
		n := min(objectPageBytes, o.size-lo)
		pg.b, pg.err = o.st.Get(context.Background(), o.key, Range{lo, n}, n, nil)
	})
	if pg.err != nil { // the next reader tries again
		o.mu.Lock()
		if o.pages[i] == pg {
			delete(o.pages, i)
			for j, x := range o.order {
				if x == i {
					o.order = append(o.order[:j], o.order[j+1:]...)
					break
				}
			}
		}
		o.mu.Unlock()
	}
	return pg.b, pg.err
}

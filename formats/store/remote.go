// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"
)

// Object is one value of a store as an io.ReaderAt, safe for concurrent use, for formats that are one file. Small reads, such as
// those of a parser that follows addresses, come from pages that are kept; where pages are asked for one after
// the other, more of them come with each request. Reads of a page or more go to the store as they are.
type Object struct {
	st   Store
	key  string
	size int64

	mu      sync.Mutex
	streams [maxStreams]stream
	clock   int64
}

// Pages are as long as a request costs in transfer time on common lines.
const (
	objectPageBytes = 256 << 10
	maxWindow       = 8  // pages of one request
	maxStreams      = 16 // readers of consecutive pages that are told apart
	maxAhead        = 64 // pages that Ahead asks for
)

// stream is a reader of consecutive pages.
type stream struct {
	next   int64 // the page it will ask for
	window int64 // how many came last
	used   int64 // when, on the object's clock
}

// beginner is a store that tells the size of a value with its first bytes, which saves a request.
type beginner interface {
	// Beginning returns up to n bytes from the start of the value at key, and its size.
	Beginning(ctx context.Context, key string, n int64) ([]byte, int64, error)
}

// NewObject returns the value at key. Errors are those of Stat.
func NewObject(ctx context.Context, st Store, key string) (*Object, error) {
	o := &Object{st: st, key: key}
	if s, ok := st.(beginner); ok {
		b, size, err := s.Beginning(ctx, key, objectPageBytes)
		if err != nil {
			return nil, err
		}
		o.size = size
		if len(b) > 0 {
			o.streams[0] = stream{next: 1, window: 1}
			p, _ := pages.take(o, 0)
			pages.give(p, b, nil)
		}
		return o, nil
	}
	i, err := st.Stat(ctx, key)
	if err != nil {
		return nil, err
	}
	o.size = i.Size
	return o, nil
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
	first, last := off/objectPageBytes, (off+int64(len(p))-1)/objectPageBytes
	n := 0
	for i, pg := range o.pages(first, last) {
		<-pg.ready
		if pg.err != nil {
			return n, pg.err
		}
		n += copy(p[n:], pg.b[off+int64(n)-(first+int64(i))*objectPageBytes:])
	}
	return n, short
}

// pages returns the pages from first to last, which are being read; those that are missing, and some behind them where
// pages are read one after the other, come with one request.
func (o *Object) pages(first, last int64) []*page {
	var mine []*page // that this call has to read
	out := make([]*page, 0, 2)
	for i := first; i <= last; i++ {
		p, missing := pages.take(o, i)
		if missing {
			mine = append(mine, p)
		}
		out = append(out, p)
	}
	if len(mine) == 0 {
		return out
	}
	if from := mine[0].i; mine[len(mine)-1].i == last {
		for i, end := last+1, from+o.window(from, last+1); i < end && i*objectPageBytes < o.size; i++ {
			p, missing := pages.take(o, i)
			if !missing {
				break
			}
			mine = append(mine, p)
		}
	}
	for len(mine) > 0 { // a run at a time: a page between two may be there
		n := 1
		for n < len(mine) && mine[n].i == mine[n-1].i+1 {
			n++
		}
		o.read(mine[:n])
		mine = mine[n:]
	}
	return out
}

// window returns how many pages to ask for where page i is missing and the reader wants those before next.
func (o *Object) window(i, next int64) int64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.clock++
	oldest := &o.streams[0]
	for k := range o.streams {
		s := &o.streams[k]
		if s.window > 0 && s.next == i {
			s.window = min(2*s.window, maxWindow)
			s.next, s.used = max(i+s.window, next), o.clock
			return s.window
		}
		if s.used < oldest.used {
			oldest = s
		}
	}
	*oldest = stream{next: next, window: next - i, used: o.clock}
	return next - i
}

// read fills consecutive pages with one request.
func (o *Object) read(run []*page) {
	lo := run[0].i * objectPageBytes
	hi := min((run[len(run)-1].i+1)*objectPageBytes, o.size)
	b, err := o.st.Get(context.Background(), o.key, Range{lo, hi - lo}, hi-lo, nil)
	for _, p := range run {
		if err != nil {
			pages.give(p, nil, err)
			continue
		}
		at := p.i*objectPageBytes - lo
		v := b[at:min(at+objectPageBytes, int64(len(b)))]
		if len(run) > 1 { // so that each page can be dropped alone
			v = append(make([]byte, 0, len(v)), v...)
		}
		pages.give(p, v, nil)
	}
}

// Ahead reads the pages at offsets that will be asked for, those that are not there, all at once: a parser that knows where several things
// lie waits for one answer instead of for one after the other. It returns when they are there, or cannot be read, which whoever
// asks for them will hear.
func (o *Object) Ahead(offsets []int64) {
	if LatencyOf(o.st) != Remote {
		return
	}
	var mine []*page
	var reqs []Req
	for _, off := range offsets {
		if off < 0 || off >= o.size || len(mine) == maxAhead {
			continue
		}
		p, missing := pages.take(o, off/objectPageBytes)
		if !missing {
			continue
		}
		n := min(objectPageBytes, o.size-p.i*objectPageBytes)
		mine, reqs = append(mine, p), append(reqs, Req{o.key, Range{p.i * objectPageBytes, n}, n})
	}
	given := make([]bool, len(mine))
	err := GetMany(context.Background(), o.st, reqs, func(i int, b []byte, err error) error {
		given[i] = true
		pages.give(mine[i], append([]byte(nil), b...), err)
		return nil
	})
	for i, p := range mine {
		if !given[i] {
			pages.give(p, nil, errors.Join(err, errUnread))
		}
	}
}

var errUnread = errors.New("store: a page was not read")

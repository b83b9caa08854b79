// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"container/list"
	"sync"
)

// maxPageBytes bounds the pages of all Objects of the process together: a data set may have thousands of them open.
const maxPageBytes = 64 << 20

// pageCache holds pages of Objects; those used least recently are dropped.
type pageCache struct {
	mu    sync.Mutex
	most  int64
	bytes int64 // of the pages that are whole
	pages map[pageKey]*page
	lru   list.List // of whole pages, the one used last in front
}

type pageKey struct {
	o *Object
	i int64
}

// page is a page that is being read, until ready is closed, and then does not change.
type page struct {
	pageKey
	ready chan struct{}
	b     []byte
	err   error
	at    *list.Element
}

var pages = pageCache{most: maxPageBytes, pages: map[pageKey]*page{}}

// take returns a page. missing says that the caller is the one who must read and give it.
func (c *pageCache) take(o *Object, i int64) (p *page, missing bool) {
	k := pageKey{o, i}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p = c.pages[k]; p != nil {
		if p.at != nil {
			c.lru.MoveToFront(p.at)
		}
		return p, false
	}
	p = &page{pageKey: k, ready: make(chan struct{})}
	c.pages[k] = p
	return p, true
}

// give completes a page. One that could not be read is forgotten: the next reader tries again.
func (c *pageCache) give(p *page, b []byte, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	p.b, p.err = b, err
	close(p.ready)
	if err != nil {
		delete(c.pages, p.pageKey)
		return
	}
	p.at = c.lru.PushFront(p)
	c.bytes += int64(len(b))
	for c.bytes > c.most && c.lru.Len() > 1 {
		old := c.lru.Remove(c.lru.Back()).(*page)
		c.bytes -= int64(len(old.b))
		delete(c.pages, old.pageKey)
	}
}

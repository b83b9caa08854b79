// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"bytes"
	"fmt"
	"io"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Undef is the undefined address and, in Space.Max, the length of an unlimited dimension.
const Undef = ^uint64(0)

const (
	pageBytes = 64 << 10
	maxPages  = 256 // 16 MiB of cached metadata
	// maxWork bounds what parsing one file may cost, in visits of blocks; a page read counts
	// as 16. Real files of 100 MB need below 100 thousand.
	maxWork = 20_000_000
)

// signature starts a superblock.
const signature = "\x89HDF\r\n\x1a\n"

// File is an open HDF5 file. It is safe for concurrent use.
type File struct {
	r         io.ReaderAt
	size      int64
	base      uint64
	so, sl    int // bytes of an address and of a length
	root      uint64
	extension uint64 // the object header behind the superblock, Undef for none
	table     sharedTable
	work      atomic.Int64
	name      string      // relative to the folder of others
	others    *Neighbours // nil: no other file is opened
	linked    bool        // this is one of them

	mu    sync.Mutex
	pages map[int64][]byte
	heaps map[uint64]*globalHeap
}

// IsHDF5 reports whether head, the start of a file, holds a superblock: at 0 or,
// behind a user block, at 512, 1024, 2048 ...
func IsHDF5(head []byte) bool {
	for off := 0; off+len(signature) <= len(head); off = next(off) {
		if string(head[off:off+len(signature)]) == signature {
			return true
		}
	}
	return false
}

func next(off int) int {
	if off == 0 {
		return 512
	}
	return 2 * off
}

// New opens the HDF5 file whose size bytes r gives. r must stay usable, for
// concurrent calls, as long as the File is.
func New(r io.ReaderAt, size int64) (*File, error) {
	f := &File{r: r, size: size, so: 8, sl: 8, extension: Undef, pages: map[int64][]byte{}, heaps: map[uint64]*globalHeap{}}
	for off := int64(0); off+int64(len(signature)) <= size; off = int64(next(int(off))) {
		c := f.at(uint64(off))
		if bytes.Equal(c.n(len(signature)), []byte(signature)) {
			return f, f.superblock(c, uint64(off))
		}
		if c.err != nil {
			return nil, c.err
		}
	}
	return nil, fmt.Errorf("hdf5: open: no superblock in %d bytes: %w", size, formats.ErrFormat)
}

// superblock parses what follows the signature at off.
func (f *File) superblock(c *cursor, off uint64) error {
	v := c.u1()
	switch v {
	case 0, 1:
		c.n(4)
		f.so, f.sl = c.u1(), c.u1()
		c.n(9)
		if v == 1 {
			c.n(4)
		}
	case 2, 3:
		f.so, f.sl = c.u1(), c.u1()
		c.u1()
	default:
		if c.err == nil {
			return fmt.Errorf("hdf5: open: superblock version %d, want 0 to 3: %w", v, formats.ErrFormat)
		}
	}
	for _, n := range []int{f.so, f.sl} {
		if n != 2 && n != 4 && n != 8 {
			return fmt.Errorf("hdf5: open: addresses of %d and lengths of %d bytes, want 2, 4 or 8: %w", f.so, f.sl, formats.ErrCorrupt)
		}
	}
	base, extension := c.o(), c.o()
	c.o()
	if v < 2 {
		c.o()
		c.o() // the root entry's name
	}
	f.root = c.o()
	if c.err != nil {
		return c.err
	}
	if v >= 2 {
		if err := c.checksum("superblock"); err != nil {
			return err
		}
	}
	f.base = base
	if base == 0 {
		f.base = off
	}
	if v >= 2 {
		f.extension = extension
	}
	return nil
}

// step counts work done and reports whether the file's budget still lasts.
func (f *File) step(n int64) error {
	if f.work.Add(n) > maxWork {
		return fmt.Errorf("hdf5: metadata takes more than %d steps to read: %w", maxWork, formats.ErrCorrupt)
	}
	return nil
}

// bytes returns n bytes at the file position pos (base address added), which the
// caller must not change. They lie in a cached page or are read for the caller.
func (f *File) bytes(pos uint64, n int) ([]byte, error) {
	if n < 0 || pos > uint64(f.size) || uint64(n) > uint64(f.size)-pos {
		return nil, fmt.Errorf("hdf5: %d bytes at offset %d run past the end of the file, %d bytes: %w", n, pos, f.size, formats.ErrCorrupt)
	}
	page := int64(pos) / pageBytes
	if in := int64(pos) % pageBytes; in+int64(n) <= pageBytes {
		p, err := f.page(page)
		if err != nil {
			return nil, err
		}
		return p[in : in+int64(n) : in+int64(n)], nil
	}
	if err := f.step(int64(n)/4096 + 1); err != nil {
		return nil, err
	}
	b := make([]byte, n)
	if _, err := f.r.ReadAt(b, int64(pos)); err != nil {
		return nil, fmt.Errorf("hdf5: read %d bytes at offset %d: %w", n, pos, err)
	}
	return b, nil
}

// page returns a page of the file, cached.
func (f *File) page(i int64) ([]byte, error) {
	f.mu.Lock()
	p, ok := f.pages[i]
	f.mu.Unlock()
	if ok {
		return p, nil
	}
	if err := f.step(16); err != nil {
		return nil, err
	}
	p = make([]byte, min(pageBytes, f.size-i*pageBytes))
	if _, err := f.r.ReadAt(p, i*pageBytes); err != nil && err != io.EOF {
		return nil, fmt.Errorf("hdf5: read %d bytes at offset %d: %w", len(p), i*pageBytes, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.pages) >= maxPages {
		for k := range f.pages { // any one: metadata is read once, mostly
			delete(f.pages, k)
			break
		}
	}
	f.pages[i] = p
	return p, nil
}

// Remote reports whether the file lies behind a network.
func (f *File) Remote() bool { return store.LatencyOf(f.r) == store.Remote }

// Ahead tells a reader behind a network that the headers of the objects that links lead to will be read, so that it does not
// wait for each of them. Others are told nothing.
func (f *File) Ahead(links []Link) {
	r, ok := f.r.(interface{ Ahead(offsets []int64) })
	if !ok || len(links) < 2 {
		return
	}
	offsets := make([]int64, 0, len(links))
	for _, l := range links {
		if pos := f.base + l.Addr; l.Target == "" && l.File == "" && pos >= f.base && pos < uint64(f.size) {
			offsets = append(offsets, int64(pos))
		}
	}
	r.Ahead(offsets)
}

// Forget drops the cached pages and heaps. What was parsed of them stays: a data set of thousands of open files must not
// hold their metadata twice.
func (f *File) Forget() {
	f.mu.Lock()
	defer f.mu.Unlock()
	clear(f.pages)
	clear(f.heaps)
}

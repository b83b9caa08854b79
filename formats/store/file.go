// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"os"
	"sync"
)

// mostDescriptors is how many descriptors Files hold together. Half of what the smallest common hard limit, 1024, allows: outputs,
// sockets and the stores of chunks need some too.
const mostDescriptors = 512

// File is an open file that is read by ranges, safe for concurrent use. It is an io.ReaderAt that may give its descriptor back
// between reads while other Files need one, so that a data set of thousands of files can be open; what was
// parsed of the file stays. A file that has been replaced or changed by then is an error, never other bytes.
type File struct {
	path string
	info os.FileInfo
	pool *descriptors

	opening sync.Mutex // held while the descriptor is being opened again

	// The pool's mutex guards what follows.
	handle     *os.File
	uses       int
	closed     bool
	prev, next *File // neighbours in the ring of idle files
}

// descriptors are the Files of a process with the idle ones in the order of their last use.
type descriptors struct {
	mu   sync.Mutex
	most int
	open int
	idle File // the ring's head: next was used last, prev is the first to give its descriptor back
}

var shared = newDescriptors(mostDescriptors)

func newDescriptors(most int) *descriptors {
	d := &descriptors{most: most}
	d.idle.prev, d.idle.next = &d.idle, &d.idle
	return d
}

// OpenFile opens the file at path for reading. Errors are os.Open's.
func OpenFile(path string) (*File, error) { return shared.file(path) }

func (d *descriptors) file(path string) (*File, error) {
	st, err := os.Stat(path) // before it is opened: a named pipe opens when somebody writes to it
	if err != nil {
		return nil, err
	}
	if mode := st.Mode(); !mode.IsRegular() && !mode.IsDir() {
		return nil, &os.PathError{Op: "open", Path: path, Err: errors.New("it is neither a file nor a directory")}
	}
	h, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	if st, err = h.Stat(); err != nil {
		_ = h.Close() // opened for reading: nothing is lost
		return nil, err
	}
	f := &File{path: path, info: st, pool: d, handle: h}
	d.mu.Lock()
	d.open++
	d.rest(f)
	d.mu.Unlock()
	return f, nil
}

// rest puts an unused file first into the ring and closes the last ones while there are too many. The caller holds mu.
func (d *descriptors) rest(f *File) {
	f.prev, f.next = &d.idle, d.idle.next
	f.prev.next, f.next.prev = f, f
	for d.open > d.most && d.idle.prev != &d.idle {
		d.drop(d.idle.prev)
	}
}

// drop takes a file out of the ring and closes its descriptor. The caller holds mu.
func (d *descriptors) drop(f *File) {
	f.leave()
	_ = f.handle.Close() // opened for reading: nothing is lost
	f.handle = nil
	d.open--
}

// leave takes f out of the ring, if it is there. The caller holds mu.
func (f *File) leave() {
	if f.next != nil {
		f.prev.next, f.next.prev = f.next, f.prev
		f.prev, f.next = nil, nil
	}
}

// Size returns the length of the file when it was opened.
func (f *File) Size() int64 { return f.info.Size() }

// ReadAt is io.ReaderAt's.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	h, err := f.take()
	if err != nil {
		return 0, err
	}
	n, err := h.ReadAt(p, off)
	f.give()
	return n, err
}

// take returns the descriptor, opened again where it was given back; give ends its use.
func (f *File) take() (*os.File, error) {
	d := f.pool
	d.mu.Lock()
	if f.closed {
		d.mu.Unlock()
		return nil, fmt.Errorf("read %s: %w", f.path, os.ErrClosed)
	}
	f.leave()
	f.uses++
	h := f.handle
	d.mu.Unlock()
	if h != nil {
		return h, nil
	}
	h, err := f.reopen()
	if err != nil {
		f.give()
	}
	return h, err
}

// reopen opens the descriptor unless another reader has done so.
func (f *File) reopen() (*os.File, error) {
	d := f.pool
	f.opening.Lock()
	defer f.opening.Unlock()
	d.mu.Lock()
	h := f.handle
	d.mu.Unlock()
	if h != nil {
		return h, nil
	}
	h, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	st, err := h.Stat()
	if err == nil && (!os.SameFile(st, f.info) || st.Size() != f.info.Size() || !st.ModTime().Equal(f.info.ModTime())) {
		err = fmt.Errorf("read %s: the file has changed since it was opened", f.path)
	}
	if err != nil {
		_ = h.Close() // opened for reading: nothing is lost
		return nil, err
	}
	d.mu.Lock()
	f.handle = h
	d.open++
	d.mu.Unlock()
	return h, nil
}

func (f *File) give() {
	d := f.pool
	d.mu.Lock()
	defer d.mu.Unlock()
	f.uses--
	if f.uses > 0 || f.handle == nil {
		return
	}
	d.rest(f)
	if f.closed && f.handle != nil {
		d.drop(f)
	}
}

// Close gives the file up; reads that are going on end first. Further reads, and another Close, are errors wrapping os.ErrClosed.
func (f *File) Close() error {
	d := f.pool
	d.mu.Lock()
	defer d.mu.Unlock()
	if f.closed {
		return fmt.Errorf("close %s: %w", f.path, os.ErrClosed)
	}
	f.closed = true
	if f.uses == 0 && f.handle != nil {
		d.drop(f)
	}
	return nil
}

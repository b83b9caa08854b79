// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"errors"
	"io"
)

const (
	// partsFrom is the decoded size from which a chunk is worth reading part by part.
	partsFrom = 2 << 20
	// readBytes is how much is read at least, where there is as much: a part of the second-level cache.
	readBytes = 128 << 10
)

// window is what a container's bytes are taken from: they are in memory, or come from r part by part.
type window struct {
	r   io.ReaderAt // nil: b is everything
	b   []byte
	at  int // where b starts
	end int // of the container
	// least is how much is read from r at least, and read how much has been.
	least int
	read  int64
}

// from returns the container's bytes from start on: need of them, or as many as there are. They are valid until the next call.
func (w *window) from(start, need int) ([]byte, error) {
	need = min(need, w.end-start)
	if w.r == nil {
		return w.b[start:w.end], nil
	}
	if start >= w.at && start+need <= w.at+len(w.b) {
		return w.b[start-w.at : min(len(w.b), w.end-w.at)], nil
	}
	n, kept := min(max(need, w.least), w.end-start), 0
	old := w.b
	w.b = Grow(w.b, n)
	if start >= w.at && start < w.at+len(old) {
		kept = copy(w.b, old[start-w.at:])
	}
	w.at = start
	got, err := w.r.ReadAt(w.b[kept:], int64(start+kept))
	w.b = w.b[:kept+got]
	w.read += int64(got)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil // whoever needs more says so
	}
	return w.b, err
}

// InParts reports whether chunks of n bytes are decoded from parts of their stored bytes, with no need to have all of them in memory.
func (c *Chain) InParts(n int) bool {
	if len(c.Stages) != 1 || c.Swap || n < partsFrom {
		return false
	}
	_, ok := c.Stages[0].(bloscStage)
	return ok
}

// DecodeParts is Decode, or where rows is not nil DecodeRows, of a chunk whose stored bytes are read from r: a read that goes beyond their end gives
// what there is and io.ErrUnexpectedEOF. The chain must be InParts. It returns how many bytes it has read. What dst or rows hold is not defined after an error.
func (c *Chain) DecodeParts(dst []byte, rows *Rows, n int, r io.ReaderAt, s *Scratch) (read int64, err error) {
	w := window{r: r, b: s.Enc[:0], end: c.StoredLimit(n), least: readBytes}
	got, err := s.bloscFrom(&w, dst, rows, n)
	s.Enc = w.b
	if err == nil && got != n {
		err = corrupt("blosc", "decoded to %d bytes, want %d", got, n)
	}
	return w.read, err
}

// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"archive/zip"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
)

// Format is the row of .npy files.
var Format = formats.Format{
	Name:   "npy",
	Detect: func(head []byte, _ string) bool { return strings.HasPrefix(string(head), magic) },
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return files.Open(ctx, "formats/npy", path, openFile)
	},
	OpenAt:     openFile,
	Extensions: []string{".npy"},
	Free:       true,
	Create:     createFile,
}

// Archive is the row of .npz archives.
var Archive = formats.Format{
	Name:   "npz",
	Detect: detectArchive,
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return files.Open(ctx, "formats/npy", path, openArchive)
	},
	OpenAt:     openArchive,
	Extensions: []string{".npz"},
	Free:       true,
	Create:     createArchive,
}

func openFile(ctx context.Context, f io.ReaderAt, size int64, path string) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	h, err := readHeader(bufio.NewReader(io.NewSectionReader(f, 0, size)))
	var b *box
	if err == nil {
		b, err = newBox("data", f, h, h.data, size-h.data)
	}
	if err != nil {
		return nil, fmt.Errorf("formats/npy: open %s: %w", path, err)
	}
	return &formats.Group{Format: "npy", Bare: true, Vars: []formats.Var{{Name: "data", Source: b}}}, nil
}

// detectArchive takes a zip archive for one of ours by its name or its first member's.
func detectArchive(head []byte, path string) bool {
	h := string(head)
	if strings.HasPrefix(h, "PK\x05\x06") { // no members
		return strings.HasSuffix(path, ".npz")
	}
	if !strings.HasPrefix(h, "PK\x03\x04") || len(h) < 30 {
		return false
	}
	n := int(h[26]) | int(h[27])<<8
	return strings.HasSuffix(path, ".npz") || len(h) >= 30+n && strings.HasSuffix(h[30:30+n], ".npy")
}

func openArchive(ctx context.Context, f io.ReaderAt, size int64, path string) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	z, err := zip.NewReader(f, size)
	if err != nil {
		return nil, fmt.Errorf("formats/npy: open %s: %v: %w", path, err, formats.ErrCorrupt)
	}
	g := &formats.Group{Format: "npz"}
	for _, m := range z.File {
		name, ok := strings.CutSuffix(m.Name, ".npy")
		if !ok || strings.HasSuffix(m.Name, "/") {
			continue
		}
		v := formats.Var{Name: name}
		if b, err := member(f, size, m, name); err != nil {
			v.Err = fmt.Errorf("formats/npy: %s in %s: %w", m.Name, path, err)
		} else {
			v.Source = b
		}
		g.Vars = append(g.Vars, v)
	}
	return g, nil
}

// member returns the array of a member: read in place when it is stored, else decompressed.
func member(f io.ReaderAt, size int64, m *zip.File, name string) (*box, error) {
	start, err := m.DataOffset()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, formats.ErrCorrupt)
	}
	r, err := m.Open()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, formats.ErrFormat)
	}
	defer r.Close()
	h, err := readHeader(bufio.NewReader(r))
	if err != nil {
		return nil, err
	}
	if m.UncompressedSize64 > 1<<62 {
		return nil, fmt.Errorf("size %d: %w", m.UncompressedSize64, formats.ErrCorrupt)
	}
	avail := int64(m.UncompressedSize64) - h.data
	if m.Method == zip.Store {
		return newBox(name, f, h, start+h.data, min(avail, size-start-h.data))
	}
	b, err := newBox(name, newStreams(m), h, h.data, avail)
	if err == nil {
		b.meta.Codecs = []string{"deflate"}
		b.meta.Bytes = int64(m.CompressedSize64)
	}
	return b, err
}

// streams is an io.ReaderAt over a compressed member: a few decompressors, each standing
// somewhere in the member. A read takes the one nearest before its place and leaves it behind it, so
// that readers who go forward never start again. One that is at work shortly before the place is waited for: to
// decompress what lies before once more would take as long, and a processor.
type streams struct {
	m    *zip.File
	mu   sync.Mutex
	left sync.Cond // of mu: a stream is idle again, or gone
	idle []*stream
	busy []*stream
}

// maxStreams is how many decompressors, about 45 KiB each, wait for the next read; nearby is how far before a place one that
// is at work is waited for.
const (
	maxStreams = 4
	nearby     = 32 << 20
)

type stream struct {
	r   io.ReadCloser
	pos int64
	end int64 // where it will be after the read at hand
}

func newStreams(m *zip.File) *streams {
	s := &streams{m: m}
	s.left.L = &s.mu
	return s
}

// ReadAt implements io.ReaderAt. The checksum is verified when the last byte is read.
func (s *streams) ReadAt(p []byte, off int64) (int, error) {
	st, err := s.take(off, off+int64(len(p)))
	if err != nil {
		return 0, fmt.Errorf("%v: %w", err, formats.ErrCorrupt)
	}
	n, err := st.readAt(p, off, int64(s.m.UncompressedSize64))
	s.put(st, err == nil)
	if err != nil {
		return n, fmt.Errorf("decompress %s: %v: %w", s.m.Name, err, formats.ErrCorrupt)
	}
	return n, nil
}

func (st *stream) readAt(p []byte, off, size int64) (int, error) {
	if n, err := io.CopyN(io.Discard, st.r, off-st.pos); err != nil {
		st.pos += n
		return 0, err
	}
	n, err := io.ReadFull(st.r, p)
	st.pos = off + int64(n)
	if err != nil {
		return n, err
	}
	if st.pos == size {
		var one [1]byte
		if _, err := st.r.Read(one[:]); !errors.Is(err, io.EOF) {
			return n, fmt.Errorf("end of member: got %v, want io.EOF", err)
		}
	}
	return n, nil
}

// take returns the stream nearest before off, or a new one; it is busy until it is put back, and then stands at end.
func (s *streams) take(off, end int64) (*stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		best, from := -1, int64(-1)
		for i, st := range s.idle {
			if st.pos <= off && st.pos > from {
				best, from = i, st.pos
			}
		}
		if slices.ContainsFunc(s.busy, func(st *stream) bool { return st.end <= off && st.end > max(from, off-nearby-1) }) {
			s.left.Wait()
			continue
		}
		st := &stream{end: end}
		if best >= 0 {
			st = s.idle[best]
			st.end = end
			s.idle = slices.Delete(s.idle, best, best+1)
		} else {
			r, err := s.m.Open()
			if err != nil {
				return nil, err
			}
			st.r = r
		}
		s.busy = append(s.busy, st)
		return st, nil
	}
}

// put ends the work of a stream, which is kept for the next read where it is whole.
func (s *streams) put(st *stream, whole bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.busy = slices.DeleteFunc(s.busy, func(x *stream) bool { return x == st })
	s.left.Broadcast()
	if !whole {
		_ = st.r.Close() // what went wrong is known
		return
	}
	s.idle = append(s.idle, st)
	if len(s.idle) > maxStreams {
		_ = s.idle[0].r.Close()
		s.idle = s.idle[1:]
	}
}

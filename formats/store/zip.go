// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"archive/zip"
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

// ErrReadOnly is wrapped by Put and Delete of stores that are only read.
var ErrReadOnly = errors.New("store: it can be read only")

// ErrDamaged is wrapped where stored bytes contradict a store's own rules or checksums.
var ErrDamaged = errors.New("store: damaged")

// Zip is a Store in a ZIP archive, which is read: a key is a member's name. Members that are stored as they are
// are read by ranges; compressed ones are decompressed whole for each read, which suits chunks.
type Zip struct {
	r      io.ReaderAt
	size   int64
	name   string
	member map[string]*zip.File
	listed sync.Once
	dirs   map[string][]Info // entries by prefix, sorted; of the first listing on
	closer io.Closer
}

var _ Store = (*Zip)(nil)

// maxDeflate bounds how much longer than its stored bytes a member may be: deflate reaches 1032.
const maxDeflate = 1040

// maxMembers bounds the members of an archive, whose directory takes some 500 bytes of memory for each.
const maxMembers = 4 << 20

// zipMembers returns how many members the end of an archive says that it has: each is parsed into memory before anybody can count them.
// An archive without an end has none; zip.NewReader says so.
func zipMembers(r io.ReaderAt, size int64) (uint64, error) {
	tail := make([]byte, min(size, 22+0xffff))
	if n, err := r.ReadAt(tail, size-int64(len(tail))); n < len(tail) {
		return 0, err
	}
	at := bytes.LastIndex(tail, []byte("PK\x05\x06"))
	if at < 0 || at+22 > len(tail) {
		return 0, nil
	}
	n := uint64(binary.LittleEndian.Uint16(tail[at+10:]))
	if at < 20 || !bytes.HasPrefix(tail[at-20:], []byte("PK\x06\x07")) {
		return n, nil
	}
	end := make([]byte, 56) // of an archive with 64-bit numbers
	if off := binary.LittleEndian.Uint64(tail[at-20+8:]); off < uint64(size) {
		if k, err := r.ReadAt(end, int64(off)); k == len(end) {
			return binary.LittleEndian.Uint64(end[32:]), nil
		} else if err != io.EOF {
			return 0, err
		}
	}
	return n, nil
}

// NewZip reads the directory of the archive of size bytes in r. name says where it is, for messages. Names
// that are no keys are left out; of several members of a name the last one counts. What is no archive wraps fs.ErrInvalid.
func NewZip(r io.ReaderAt, size int64, name string) (*Zip, error) {
	n, err := zipMembers(r, size)
	if err == nil && n > maxMembers {
		return nil, fmt.Errorf("store: open %s: %d members, want at most %d: %w", name, n, maxMembers, ErrDamaged)
	}
	var a *zip.Reader
	if err == nil {
		a, err = zip.NewReader(r, size)
	}
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %v: %w", name, err, fs.ErrInvalid)
	}
	z := &Zip{r: r, size: size, name: name, member: make(map[string]*zip.File, len(a.File))}
	for _, m := range a.File {
		if !strings.HasSuffix(m.Name, "/") && checkKey(m.Name) == nil {
			z.member[m.Name] = m
		}
	}
	return z, nil
}

// list makes the lists of all prefixes. Of 100,000 members that takes as long as reading the directory, and who knows what to get asks for none.
func (z *Zip) list() {
	z.dirs = map[string][]Info{}
	known := make(map[string]bool, len(z.member))
	for key, m := range z.member {
		z.enter(key, Info{Size: int64(min(m.UncompressedSize64, 1<<62))}, known)
	}
	for _, l := range z.dirs {
		slices.SortFunc(l, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	}
}

// OpenZip opens the archive at path; Close closes it.
func OpenZip(path string) (*Zip, error) {
	f, err := OpenFile(path)
	if err != nil {
		return nil, err
	}
	z, err := NewZip(f, f.Size(), path)
	if err != nil {
		_ = f.Close() // opened for reading: nothing is lost
		return nil, err
	}
	z.closer = f
	return z, nil
}

// enter lists an entry under its prefix, and the prefix under its own.
func (z *Zip) enter(key string, info Info, known map[string]bool) {
	for !known[key] {
		known[key] = true
		i := strings.LastIndexByte(key, '/')
		info.Name = key[i+1:]
		prefix := key[:max(i, 0)]
		z.dirs[prefix] = append(z.dirs[prefix], info)
		if i < 0 {
			return
		}
		key, info = prefix, Info{Dir: true, Size: -1}
	}
}

// Close closes the archive that OpenZip opened.
func (z *Zip) Close() error {
	if z.closer == nil {
		return nil
	}
	return z.closer.Close()
}

// Name returns the name of the archive.
func (z *Zip) Name() string { return z.name }

// Latency is that of the archive.
func (z *Zip) Latency() Latency { return LatencyOf(z.r) }

// Get implements Store. A member that is read whole has its checksum verified. One that is encrypted, or compressed by another method than
// deflate, is an error wrapping errors.ErrUnsupported.
func (z *Zip) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	m := z.member[key]
	if m == nil {
		return nil, fmt.Errorf("store: get %q in %s: %w", key, z.name, fs.ErrNotExist)
	}
	b, err := z.get(m, r, limit, buf)
	if err != nil {
		return nil, fmt.Errorf("store: get %q in %s: %w", key, z.name, err)
	}
	return b, nil
}

func (z *Zip) get(m *zip.File, r Range, limit int64, buf []byte) ([]byte, error) {
	switch {
	case m.Flags&1 != 0:
		return nil, fmt.Errorf("it is encrypted; write the archive without a password: %w", errors.ErrUnsupported)
	case m.Method != zip.Store && m.Method != zip.Deflate:
		return nil, fmt.Errorf("it is compressed by method %d of ZIP, want stored or deflated members: %w", m.Method, errors.ErrUnsupported)
	}
	if m.CompressedSize64 > uint64(z.size) {
		return nil, fmt.Errorf("a member of %d bytes in an archive of %d: %w", m.CompressedSize64, z.size, ErrDamaged)
	}
	if m.CompressedSize64 < m.UncompressedSize64/maxDeflate {
		return nil, fmt.Errorf("%d bytes of %d stored ones: %w", m.UncompressedSize64, m.CompressedSize64, ErrDamaged)
	}
	size := int64(m.UncompressedSize64)
	lo, hi, err := r.of(size)
	if err == nil && limit >= 0 && hi-lo > limit {
		err = tooLong(hi-lo, limit)
	}
	if err != nil {
		return nil, err
	}
	if m.Method == zip.Store {
		at, err := m.DataOffset()
		if err != nil {
			return nil, fmt.Errorf("%v: %w", err, ErrDamaged)
		}
		if m.CompressedSize64 != m.UncompressedSize64 {
			return nil, fmt.Errorf("%d stored bytes of %d: %w", m.CompressedSize64, size, ErrDamaged)
		}
		if at < 0 || at > z.size-size {
			return nil, fmt.Errorf("a member of %d bytes at %d in an archive of %d: %w", size, at, z.size, ErrDamaged)
		}
		b, err := readOpen(z.r, at+size, Range{at + lo, hi - lo}, -1, buf)
		if err == nil && hi-lo == size && m.CRC32 != 0 && crc32.ChecksumIEEE(b) != m.CRC32 {
			err = fmt.Errorf("%w: %w", zip.ErrChecksum, ErrDamaged)
		}
		return b, err
	}
	f, err := m.Open()
	if err != nil {
		return nil, fmt.Errorf("%v: %w", err, ErrDamaged)
	}
	defer f.Close()
	if _, err := io.CopyN(io.Discard, f, lo); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	buf = grow(buf, hi-lo)
	if _, err := io.ReadFull(f, buf); err != nil {
		return nil, fmt.Errorf("%w: %w", err, ErrDamaged)
	}
	if hi == size { // what follows is the end, where the checksum is verified
		if _, err := bufio.NewReaderSize(f, 16).ReadByte(); err != io.EOF {
			return nil, fmt.Errorf("behind its end: %v: %w", err, ErrDamaged)
		}
	}
	return buf, nil
}

// Stat implements Store.
func (z *Zip) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	m := z.member[key]
	if m == nil {
		return Info{}, fmt.Errorf("store: stat %q in %s: %w", key, z.name, fs.ErrNotExist)
	}
	return Info{Name: key[strings.LastIndexByte(key, '/')+1:], Size: int64(min(m.UncompressedSize64, 1<<62))}, nil
}

// List implements Store.
func (z *Zip) List(ctx context.Context, prefix string) ([]Info, error) {
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
	}
	z.listed.Do(z.list)
	return append([]Info{}, z.dirs[prefix]...), ctx.Err()
}

// Put fails: the archive is read.
func (z *Zip) Put(_ context.Context, key string, _ []byte, _ PutOpt) error {
	return fmt.Errorf("store: put %q in %s: %w", key, z.name, ErrReadOnly)
}

// Delete fails: the archive is read.
func (z *Zip) Delete(_ context.Context, key string) error {
	return fmt.Errorf("store: delete %q in %s: %w", key, z.name, ErrReadOnly)
}

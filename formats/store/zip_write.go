// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"archive/zip"
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// ZipWriter is a Store in a ZIP archive that is being written: each key is put once and can be read at once. The archive has
// its name from Commit on; until then it is a partial file beside it. Values are stored as they are, for readers
// that ask for ranges: writers compress chunks themselves.
type ZipWriter struct {
	path    string
	partial string

	mu     sync.RWMutex
	f      *os.File // nil when the archive is complete or given up
	w      *zip.Writer
	at     int64 // bytes that w has been given
	member map[string]Range
	broken error // of the first write that failed: what follows would be in the wrong place
}

var _ Store = (*ZipWriter)(nil)

// CreateZip starts an archive at path. Errors are the file system's.
func CreateZip(path string) (*ZipWriter, error) {
	z := &ZipWriter{path: path, partial: Partial(path), member: map[string]Range{}}
	f, err := os.Create(z.partial)
	if err != nil {
		return nil, fmt.Errorf("store: create %w", err)
	}
	z.f, z.w = f, zip.NewWriter(&counted{f, &z.at})
	return z, nil
}

// epoch is the time of every member, the earliest an archive can state: the same values make the same archive.
const epoch = 1<<5 | 1 // January 1st, 1980, as MS-DOS writes it

// counted counts what is written.
type counted struct {
	w io.Writer
	n *int64
}

func (c *counted) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	*c.n += int64(n)
	return n, err
}

// Name returns the path of the archive.
func (z *ZipWriter) Name() string { return z.path }

// Put implements Store. A key that is there is refused with an error wrapping fs.ErrExist, whatever the options.
func (z *ZipWriter) Put(ctx context.Context, key string, b []byte, _ PutOpt) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	sum := crc32.ChecksumIEEE(b)
	z.mu.Lock()
	defer z.mu.Unlock()
	if err := z.put(key, b, sum); err != nil {
		return fmt.Errorf("store: put %q in %s: %w", key, z.path, err)
	}
	return nil
}

func (z *ZipWriter) put(key string, b []byte, sum uint32) error {
	switch _, there := z.member[key]; {
	case z.f == nil:
		return fmt.Errorf("the archive is complete: %w", ErrReadOnly)
	case z.broken != nil:
		return z.broken
	case there:
		return fmt.Errorf("a member of an archive is written once: %w", fs.ErrExist)
	}
	n := uint64(len(b))
	//lint:ignore SA1019 CreateRaw writes this field and does not look at Modified
	h := &zip.FileHeader{Name: key, Method: zip.Store, CRC32: sum, CompressedSize64: n, UncompressedSize64: n, ModifiedDate: epoch}
	h.SetMode(0o644)
	w, err := z.w.CreateRaw(h)
	if err == nil {
		err = z.w.Flush()
	}
	at := z.at
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = z.w.Flush()
	}
	if z.broken = err; err == nil {
		z.member[key] = Range{at, int64(n)}
	}
	return err
}

// Get implements Store.
func (z *ZipWriter) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	m, ok := z.member[key]
	b, err := []byte(nil), error(fs.ErrNotExist)
	switch {
	case z.f == nil:
		err = os.ErrClosed
	case ok:
		b, err = readOpen(io.NewSectionReader(z.f, m.Off, m.Len), m.Len, r, limit, buf)
	}
	if err != nil {
		return nil, fmt.Errorf("store: get %q in %s: %w", key, z.path, err)
	}
	return b, nil
}

// Stat implements Store.
func (z *ZipWriter) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	m, ok := z.member[key]
	if !ok {
		return Info{}, fmt.Errorf("store: stat %q in %s: %w", key, z.path, fs.ErrNotExist)
	}
	return Info{Name: key[strings.LastIndexByte(key, '/')+1:], Size: m.Len}, nil
}

// List implements Store.
func (z *ZipWriter) List(ctx context.Context, prefix string) ([]Info, error) {
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		prefix += "/"
	}
	z.mu.RLock()
	defer z.mu.RUnlock()
	return directly(prefix, func(yield func(string, int64)) {
		for k, m := range z.member {
			yield(k, m.Len)
		}
	}), ctx.Err()
}

// directly returns the entries directly below a prefix that ends in a slash, of all keys with their sizes, sorted.
func directly(prefix string, each func(yield func(key string, size int64))) []Info {
	found := map[string]Info{}
	each(func(k string, size int64) {
		rest, ok := strings.CutPrefix(k, prefix)
		if !ok {
			return
		}
		if name, _, dir := strings.Cut(rest, "/"); dir {
			found[name] = Info{Name: name, Dir: true, Size: -1}
		} else {
			found[name] = Info{Name: name, Size: size}
		}
	})
	out := make([]Info, 0, len(found))
	for _, i := range found {
		out = append(out, i)
	}
	slices.SortFunc(out, func(a, b Info) int { return strings.Compare(a.Name, b.Name) })
	return out
}

// Delete fails where the key is there: what an archive holds, it keeps.
func (z *ZipWriter) Delete(ctx context.Context, key string) error {
	_, err := z.Stat(ctx, key)
	switch {
	case err == nil:
		return fmt.Errorf("store: delete %q in %s: a member of an archive stays: %w", key, z.path, ErrReadOnly)
	case errors.Is(err, fs.ErrNotExist):
		return nil
	}
	return err
}

// Commit completes the archive and moves it to its place as Replace does.
func (z *ZipWriter) Commit(overwrite bool) error {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.f == nil {
		return fmt.Errorf("store: commit %s: it is complete or given up already: %w", z.path, os.ErrClosed)
	}
	err := z.broken
	if err == nil {
		err = z.w.Close()
	}
	if err == nil {
		err = z.f.Sync()
	}
	err = errors.Join(err, z.f.Close())
	z.f = nil
	if err == nil {
		err = Replace(z.partial, z.path, overwrite)
	}
	if err != nil {
		return fmt.Errorf("store: commit %s: %w", z.path, errors.Join(err, os.Remove(z.partial)))
	}
	return nil
}

// Abort gives the archive up; after Commit it does nothing.
func (z *ZipWriter) Abort() error {
	z.mu.Lock()
	defer z.mu.Unlock()
	if z.f == nil {
		return nil
	}
	err := z.f.Close()
	z.f = nil
	return errors.Join(err, os.Remove(z.partial))
}

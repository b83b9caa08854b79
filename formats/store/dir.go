// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
)

// Dir is a Store in a directory of the file system: a key is a path below it.
type Dir struct {
	root  string
	temp  atomic.Int64
	named atomic.Bool // files without a name are not to be had
	held  root
	swept sync.Once
}

var _ Store = (*Dir)(nil)

// NewDir returns the store at the directory root, which need not exist before the first Put.
func NewDir(root string) *Dir { return &Dir{root: filepath.Clean(root)} }

// Name returns the directory.
func (d *Dir) Name() string { return d.root }

func (d *Dir) path(key string) string {
	return d.root + string(filepath.Separator) + filepath.FromSlash(key)
}

// Get implements Store.
func (d *Dir) Get(ctx context.Context, key string, r Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	b, err := d.read(key, r, limit, buf)
	if err != nil {
		return nil, fmt.Errorf("store: get %s: %w", d.path(key), err)
	}
	return b, nil
}

// Stat implements Store. A directory is not a value.
func (d *Dir) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	st, err := os.Stat(d.path(key))
	if err == nil && st.IsDir() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, fmt.Errorf("store: stat %s: %w", d.path(key), err)
	}
	return Info{Name: st.Name(), Size: st.Size()}, nil
}

// List implements Store; sizes are not known. Links are followed.
func (d *Dir) List(ctx context.Context, prefix string) ([]Info, error) {
	dir := d.root
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		dir = d.path(prefix)
	}
	ents, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, ctx.Err()
	}
	if err != nil {
		return nil, fmt.Errorf("store: list %s: %w", dir, err)
	}
	out := make([]Info, 0, len(ents))
	for _, e := range ents {
		isDir := e.IsDir()
		if e.Type()&fs.ModeSymlink != 0 {
			st, err := os.Stat(filepath.Join(dir, e.Name()))
			isDir = err == nil && st.IsDir()
		}
		out = append(out, Info{Name: e.Name(), Dir: isDir, Size: -1})
	}
	return out, ctx.Err()
}

// Put implements Store: a file that has no name, or where there are none a temporary one, until it is whole and on the disk.
func (d *Dir) Put(ctx context.Context, key string, b []byte, opt PutOpt) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	p := d.path(key)
	if opt.Direct && !opt.IfNoneMatch {
		return wrapPut(p, inDir(p, func() error { return writeFile(p, b, os.O_TRUNC, false) }))
	}
	if opt.Direct {
		return wrapPut(p, inDir(p, func() error { return writeFile(p, b, os.O_EXCL, false) }))
	}
	d.swept.Do(func() { sweepTemps(d.root) })
	temps := d.temps(p)
	done, err := false, error(nil)
	if !d.named.Load() {
		err = inDir(p, func() (err error) {
			done, err = putNameless(p, temps, b, opt.IfNoneMatch)
			return err
		})
		d.named.Store(!done)
	}
	if !done && err == nil {
		err = inDir(p, func() error { return putNamed(p, temps, b, opt.IfNoneMatch) })
	}
	return wrapPut(p, err)
}

func wrapPut(p string, err error) error {
	if err != nil {
		return fmt.Errorf("store: put %s: %w", p, err)
	}
	return nil
}

// inDir runs f, and again after making p's directory when that was missing: a
// directory is made once, so trying first costs less than asking each time.
func inDir(p string, f func() error) error {
	err := f()
	if errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(p), 0o777); err != nil {
			return err
		}
		err = f()
	}
	return err
}

func writeFile(p string, b []byte, flag int, sync bool) error {
	f, err := os.OpenFile(p, os.O_WRONLY|os.O_CREATE|flag, 0o666)
	if err != nil {
		return err
	}
	_, err = f.Write(b)
	if err == nil && sync { // else a crash may leave the new name with old or no contents
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Delete implements Store.
func (d *Dir) Delete(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	if err := os.Remove(d.path(key)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("store: delete %w", err)
	}
	return nil
}

// grow returns b with length n, reallocated where its capacity is too small.
func grow(b []byte, n int64) []byte { return growTo(b, n, n) }

// growTo is grow with room for somewhat larger values, up to limit: compressed chunks are all of about one size, and one
// that does not fit a buffer that is used again costs the clearing of new pages.
func growTo(b []byte, n, limit int64) []byte {
	if int64(cap(b)) >= n {
		return b[:n]
	}
	return make([]byte, n, max(n, min(n+n/16, limit)))
}

// readOpen reads range r of an open file of the given size.
func readOpen(f io.ReaderAt, size int64, r Range, limit int64, buf []byte) ([]byte, error) {
	lo, hi, err := r.of(size)
	if err != nil {
		return nil, err
	}
	if limit >= 0 && hi-lo > limit {
		return nil, tooLong(hi-lo, limit)
	}
	buf = growTo(buf, hi-lo, limit)
	if n, err := f.ReadAt(buf, lo); n < len(buf) {
		return nil, fmt.Errorf("read %d of %d bytes at %d: %w", n, len(buf), lo, err)
	}
	return buf, nil
}

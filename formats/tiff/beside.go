// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// beside opens the other files of an image that OME-XML spreads over several: those in the folder of the first and below it, and no
// others. Each is opened once.
type beside struct {
	name  string // of the first file
	open  func(name string) (io.ReaderAt, int64, error)
	files map[string]*other
}

// other is a file beside the first: its pages, or why there are none.
type other struct {
	pages []*page
	err   error
}

// pages returns the pages of the file that a description calls name.
func (b *beside) pages(name string) ([]*page, error) {
	if b == nil {
		return nil, fmt.Errorf("a part lies in the file %q, which cannot be opened from here: %w", name, formats.ErrFormat)
	}
	if o, ok := b.files[name]; ok {
		return o.pages, o.err
	}
	o := &other{}
	if o.pages, o.err = b.read(name); o.err != nil {
		o.err = fmt.Errorf("a part lies in the file %q: %w", name, o.err)
	}
	b.files[name] = o
	return o.pages, o.err
}

func (b *beside) read(name string) ([]*page, error) {
	if local := filepath.FromSlash(name); !filepath.IsLocal(local) || strings.ContainsRune(name, 0) {
		return nil, fmt.Errorf("it is outside the folder of this one, and is not opened; copy it there: %w", formats.ErrFormat)
	}
	r, size, err := b.open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("it is not beside this one; copy it there: %w", fs.ErrNotExist)
	}
	if err != nil {
		return nil, err
	}
	f, off, err := newFile(r, size)
	if err != nil {
		return nil, err
	}
	f.part = true
	return f.pages(off)
}

// openFiles opens the file at path and, where it is a part of an image, the other parts.
func openFiles(ctx context.Context, path string) (*formats.Group, error) {
	var parts []*store.File
	dir, name := filepath.Split(path)
	b := &beside{name: name, files: map[string]*other{}, open: func(name string) (io.ReaderAt, int64, error) {
		f, err := store.OpenFile(filepath.Join(dir, filepath.FromSlash(name)))
		if err != nil {
			return nil, 0, err
		}
		parts = append(parts, f) // while the first is opened, and not later
		return f, f.Size(), nil
	}}
	g, err := files.Open(ctx, "formats/tiff", path, func(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
		return openAt(ctx, r, size, name, b)
	})
	end := func() error {
		var errs []error
		for _, f := range parts {
			errs = append(errs, f.Close())
		}
		return errors.Join(errs...)
	}
	if err != nil {
		return nil, errors.Join(err, end())
	}
	first := g.Close
	g.Close = func() error { return errors.Join(first(), end()) }
	return g, nil
}

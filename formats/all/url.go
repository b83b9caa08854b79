// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// openURL opens a file behind a network, by its first bytes, or else a Zarr hierarchy at the URI.
func openURL(ctx context.Context, uri string) (*formats.Group, error) {
	r := &resolver{}
	st, key, err := r.at(uri)
	if err != nil {
		if errors.Is(err, fs.ErrInvalid) {
			err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
		}
		return nil, fmt.Errorf("formats: open: %w", err)
	}
	whole := st
	if key != "" {
		whole = store.Below(st, key)
	}
	fail := func(err error) (*formats.Group, error) {
		return nil, fmt.Errorf("formats: open %s: %w", whole.Name(), err)
	}
	g, fileErr := openRemoteFile(ctx, r, st, key, whole.Name())
	if g != nil || fileErr != nil && !errors.Is(fileErr, fs.ErrNotExist) && !errors.Is(fileErr, fs.ErrPermission) && !errors.Is(fileErr, errNoFile) {
		return g, fileErr
	}
	g, err = zarr.OpenStore(ctx, whole)
	switch {
	case err == nil:
		return g, nil
	case errors.Is(err, errors.ErrUnsupported) && fileErr != nil: // nothing of a hierarchy is there, and it cannot be listed
		return fail(fileErr)
	case errors.Is(err, formats.ErrFormat) && fileErr != nil:
		return fail(fileErr)
	}
	return fail(err)
}

// errNoFile: there is a value, and no format knows its first bytes.
var errNoFile = fmt.Errorf("no known format (%s): %w", names(false), formats.ErrFormat)

// openRemoteFile opens the value at key where a format of single files knows its first bytes.
func openRemoteFile(ctx context.Context, r *resolver, st store.Store, key, name string) (*formats.Group, error) {
	if key == "" {
		return nil, errNoFile
	}
	o, err := store.NewObject(ctx, st, key)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(o.Size(), 4096))
	if n, err := o.ReadAt(head, 0); err != nil && !(err == io.EOF && n == len(head)) {
		return nil, err
	}
	if kerchunk.Detect(head, key) {
		return openRemoteReferences(ctx, r, st, key, name)
	}
	for i := range Formats {
		if f := &Formats[i]; len(head) > 0 && f.OpenAt != nil && f.Detect != nil && f.Detect(head, key) {
			return f.OpenAt(ctx, o, o.Size(), name)
		}
	}
	return nil, errNoFile
}

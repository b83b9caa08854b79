// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"path"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// isURL reports whether uri is read over HTTP.
func isURL(uri string) bool {
	scheme, _, ok := strings.Cut(uri, "://")
	return ok && (strings.EqualFold(scheme, "http") || strings.EqualFold(scheme, "https"))
}

// openURL opens a file that a server keeps, by its first bytes, or else a Zarr hierarchy at the URL.
func openURL(ctx context.Context, uri string) (*formats.Group, error) {
	whole, err := store.NewHTTP(uri, store.HTTPOptions{})
	if err != nil {
		return nil, fmt.Errorf("formats: open: %w: %w", err, formats.ErrFormat)
	}
	fail := func(err error) (*formats.Group, error) {
		return nil, fmt.Errorf("formats: open %s: %w", whole.Name(), err)
	}
	g, fileErr := openRemoteFile(ctx, uri, whole.Name())
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

// openRemoteFile opens the value at uri where a format of single files knows its first bytes.
func openRemoteFile(ctx context.Context, uri, name string) (*formats.Group, error) {
	u, err := url.Parse(uri)
	if err != nil {
		return nil, err
	}
	dir, key := path.Split(u.Path)
	if key == "" {
		return nil, errNoFile
	}
	u.Path, u.RawPath = dir, ""
	st, err := store.NewHTTP(u.String(), store.HTTPOptions{})
	if err != nil {
		return nil, err
	}
	o, err := store.NewObject(ctx, st, key)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(o.Size(), 4096))
	if n, err := o.ReadAt(head, 0); err != nil && !(err == io.EOF && n == len(head)) {
		return nil, err
	}
	for i := range Formats {
		if f := &Formats[i]; len(head) > 0 && f.OpenAt != nil && f.Detect != nil && f.Detect(head, u.Path+key) {
			return f.OpenAt(ctx, o, o.Size(), name)
		}
	}
	return nil, errNoFile
}

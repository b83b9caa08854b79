// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// Update starts writing regions of arrays of what is at uri. Errors wrap fs.ErrNotExist where nothing is there, formats.ErrFormat
// for formats that are written whole.
func Update(ctx context.Context, uri string, parts []formats.Part) (formats.Writer, error) {
	if s := findScheme(uri); s != nil {
		if strings.HasPrefix(s.name, "http") {
			return nil, fmt.Errorf("formats: update: %s servers are only read: %w", s.name, formats.ErrFormat)
		}
		st, key, err := (&resolver{}).at(uri)
		if err != nil {
			return nil, fmt.Errorf("formats: update: %w", err)
		}
		if key != "" {
			st = store.Below(st, key)
		}
		return zarr.UpdateStore(ctx, st, parts)
	}
	path, err := Path(uri)
	if err != nil {
		return nil, err
	}
	path = strings.TrimRight(path, "/")
	head, err := firstBytes(path)
	if err != nil {
		return nil, fmt.Errorf("formats: update: %w", err)
	}
	for i := range Formats {
		f := &Formats[i]
		switch {
		case f.Detect == nil || !f.Detect(head, path):
		case f.Update == nil:
			return nil, wholeOnly(uri, f)
		default:
			return f.Update(ctx, path, parts)
		}
	}
	return nil, fmt.Errorf("formats: update %s: no known format: %w", path, formats.ErrFormat)
}

// wholeOnly is the refusal to change what a format writes whole.
func wholeOnly(uri string, f *formats.Format) error {
	return fmt.Errorf("formats: update %s: a %s file is written whole, nothing is appended to it; only folders and buckets of Zarr take appended data and regions: write .zarr, or a new file: %w",
		uri, f.Name, formats.ErrFormat)
}

// Updatable returns whether something is at uri that regions can be written to; where nothing is there and the ending is that of
// such a format, it is false without an error.
func Updatable(ctx context.Context, uri string) (bool, error) {
	f, err := Target(uri, "")
	if err == nil && f.Update == nil {
		return false, wholeOnly(uri, f)
	}
	if !Remote(uri) {
		path, err := Path(uri)
		if err != nil {
			return false, err
		}
		if _, err := firstBytes(path); errors.Is(err, fs.ErrNotExist) {
			_, err := Target(uri, "") // an ending of no format cannot be made either
			return false, err
		}
		w, err := Update(ctx, uri, nil)
		if err != nil {
			return false, err
		}
		return true, w.Abort()
	}
	g, err := Open(ctx, uri)
	switch {
	case err == nil:
		if g.Close != nil {
			err = g.Close()
		}
		if err == nil { // ends what an interrupted update has left
			var w formats.Writer
			if w, err = Update(ctx, uri, nil); err == nil {
				err = w.Abort()
			}
		}
		return err == nil, err
	case errors.Is(err, fs.ErrNotExist):
		return false, nil
	}
	return false, err
}

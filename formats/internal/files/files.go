// SPDX-License-Identifier: BSD-3-Clause

package files

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Open opens the file at path and lets read parse it; the group's Close closes it. Errors of opening begin with who.
func Open(ctx context.Context, who, path string, read func(context.Context, io.ReaderAt, int64, string) (*formats.Group, error)) (*formats.Group, error) {
	f, err := store.OpenFile(path)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", who, err)
	}
	g, err := read(ctx, f, f.Size(), path)
	if err != nil {
		f.Close()
		return nil, err
	}
	g.Close = f.Close
	return g, nil
}

// Free returns an error wrapping formats.ErrExists when something is at path and may not be replaced.
func Free(path string, overwrite bool) error {
	if !overwrite && store.Exists(path) {
		return fmt.Errorf("it is there; use --overwrite to replace it: %w", formats.ErrExists)
	}
	return nil
}

// FreeForFile is Free for a file, which never replaces a folder.
func FreeForFile(path string, overwrite bool) error {
	if err := Free(path, overwrite); err != nil {
		return err
	}
	if st, err := os.Stat(path); err == nil && st.IsDir() {
		return fmt.Errorf("it is a folder; remove it or choose another name: %w", formats.ErrExists)
	}
	return nil
}

// Place moves the finished output at partial to path. What appeared there since the output was begun stays, with an
// error wrapping formats.ErrExists, unless it may be replaced.
func Place(partial, path string, overwrite bool) error {
	if !overwrite && store.Exists(path) {
		return fmt.Errorf("it has appeared meanwhile: %w", formats.ErrExists)
	}
	return store.Replace(partial, path, overwrite)
}

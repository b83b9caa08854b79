// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

func openArchive(ctx context.Context, path string) (*formats.Group, error) {
	return files.Open(ctx, "formats/zarr", path, openArchiveAt)
}

func openArchiveAt(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
	return OpenArchive(ctx, r, size, name, OpenStore)
}

// OpenArchive lets open read the hierarchy in a ZIP archive of size bytes: at its root, or in the one folder that there is, however deep.
// What is wrong with the archive is an error wrapping formats.ErrCorrupt; a member that cannot be read is one wrapping formats.ErrFormat.
func OpenArchive(ctx context.Context, r io.ReaderAt, size int64, name string, open func(context.Context, store.Store) (*formats.Group, error)) (*formats.Group, error) {
	fail := func(err error) (*formats.Group, error) {
		if errors.Is(err, fs.ErrInvalid) || errors.Is(err, store.ErrDamaged) {
			err = fmt.Errorf("%w: %w", err, formats.ErrCorrupt)
		} else if errors.Is(err, errors.ErrUnsupported) {
			err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
		}
		return nil, fmt.Errorf("formats/zarr: open %s: %w", name, err)
	}
	z, err := store.NewZip(r, size, name)
	if err != nil {
		return fail(err)
	}
	g, err := open(ctx, inFolders(ctx, z))
	if err != nil {
		return fail(err)
	}
	return g, nil
}

// mostFolders bounds the folders around a hierarchy in an archive.
const mostFolders = 16

// inFolders returns the store of the folder that holds the hierarchy of an archive: as long as there is no metadata and one folder, that one. What
// archivers of macOS put beside it does not count, nor do files.
func inFolders(ctx context.Context, st store.Store) store.Store {
	for range mostFolders {
		if slices.ContainsFunc(documents, func(d string) bool { _, err := st.Stat(ctx, d); return err == nil }) {
			return st
		}
		l, err := st.List(ctx, "")
		if err != nil {
			return st
		}
		var folders []string
		for _, e := range l {
			if e.Dir && e.Name != "__MACOSX" {
				folders = append(folders, e.Name)
			}
		}
		if len(folders) != 1 {
			return st
		}
		st = store.Below(st, folders[0])
	}
	return st
}

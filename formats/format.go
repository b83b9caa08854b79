// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"
	"io"
)

// Format is one row of the table of formats in formats/all.
type Format struct {
	// Name is the family's name: "zarr", "npy", "netcdf". Group.Format says which member a file is.
	Name string
	// Detect reports whether what starts with head (up to 4096 bytes; empty for a
	// directory) and has the given path is this format's. For a directory, it may look inside path.
	Detect func(head []byte, path string) bool
	// Open reads the metadata of the file or directory at path. Errors wrap
	// ErrFormat, ErrCorrupt or the file system's. nil: the format is write-only.
	Open func(ctx context.Context, path string) (*Group, error)
	// OpenAt is Open for the bytes of one file, wherever they are; name says where, for messages and for Detect. The group's
	// Close leaves r open. nil: the format is no single file.
	OpenAt func(ctx context.Context, r io.ReaderAt, size int64, name string) (*Group, error)
	// Extensions are the endings of names that Create is chosen by, with their dot.
	Extensions []string
	// Create starts an output at path. It returns an error wrapping ErrExists when
	// path is there and spec.Overwrite is false. nil: the format is read-only.
	Create func(ctx context.Context, path string, spec Spec) (Writer, error)
}

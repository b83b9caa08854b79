// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"
	"io"

	"github.com/arrayrun/arrayrun/chunk"
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
	// Free tells that outputs have no chunks: their sinks are FreeSinks.
	Free bool
	// Create starts an output at path. It returns an error wrapping ErrExists when
	// path is there and spec.Overwrite is false. nil: the format is read-only.
	Create func(ctx context.Context, path string, spec Spec) (Writer, error)
	// Update starts writing regions of arrays of the output at path, which is there; Sink(i) takes parts[i]. A region beyond the end
	// of an array makes it longer: what lies there is seen after Commit, not before. nil: the format is written whole, or not at all.
	Update func(ctx context.Context, path string, parts []Part) (Writer, error)
}

// Part is a region of an array that is there, to be written by an Update.
type Part struct {
	Name string       // the array's path
	At   chunk.Region // one that reaches beyond the array makes it longer
	Old  chunk.Shape  // the shape the array must still have; nil: any
}

// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/arrow"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// metadataKey is where references that are kept as Parquet have the documents of all arrays, and what tells them from a Zarr hierarchy.
const metadataKey = ".zmetadata"

// isTables reports whether the folder at path holds references that are kept as Parquet.
func isTables(path string) bool {
	at := filepath.Join(path, metadataKey)
	st, err := os.Stat(at)
	if err != nil || !st.Mode().IsRegular() || st.Size() > store.MaxReference {
		return false
	}
	doc, err := os.ReadFile(at)
	return err == nil && store.IsReferenceTables(doc)
}

// openTables opens the references in a local folder.
func openTables(ctx context.Context, path string) (*formats.Group, error) {
	doc, err := os.ReadFile(filepath.Join(path, metadataKey))
	if err != nil {
		return nil, fmt.Errorf("formats: open %s: %w", path, err)
	}
	ref, err := store.NewReferenceTables(doc, store.NewDir(path), localOpener(filepath.Dir(strings.TrimRight(path, "/"))), readRows)
	return hierarchy(ctx, ref, err, path)
}

// openRemoteTables opens the references that are kept as Parquet below a key, nil where there are none.
func openRemoteTables(ctx context.Context, r *resolver, st store.Store, key, name string) (*formats.Group, error) {
	whole := st
	if key != "" {
		whole = store.Below(st, key)
	}
	doc, err := whole.Get(ctx, metadataKey, store.All, store.MaxReference, nil)
	if err != nil || !store.IsReferenceTables(doc) {
		return nil, nil
	}
	ref, err := store.NewReferenceTables(doc, whole, remoteOpener(r, st, key), readRows)
	return hierarchy(ctx, ref, err, name)
}

// archive is the row of hierarchies in ZIP archives, which may be references kept as Parquet.
var archive = formats.Format{
	Name:   zarr.Archive.Name,
	Detect: zarr.Archive.Detect,
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return files.Open(ctx, "formats", path, func(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
			return openArchiveAt(ctx, r, size, name, localOpener(filepath.Dir(path)))
		})
	},
	Extensions: zarr.Archive.Extensions,
	Create:     zarr.Archive.Create,
}

// openArchiveAt opens the archive in r. What references in it refer to is relative to where it lies.
func openArchiveAt(ctx context.Context, r io.ReaderAt, size int64, name string, open store.Opener) (*formats.Group, error) {
	return zarr.OpenArchive(ctx, r, size, name, func(ctx context.Context, st store.Store) (*formats.Group, error) {
		doc, err := st.Get(ctx, metadataKey, store.All, store.MaxReference, nil)
		if err != nil || !store.IsReferenceTables(doc) {
			return zarr.OpenStore(ctx, st)
		}
		ref, err := store.NewReferenceTables(doc, st, open, readRows)
		return hierarchy(ctx, ref, err, name)
	})
}

// readRows reads the columns path, offset, size and raw of a Parquet file.
func readRows(ctx context.Context, st store.Store, key string) (*store.Rows, error) {
	o, err := store.NewObject(ctx, st, key)
	if err != nil {
		return nil, err
	}
	g, err := arrow.Parquet.OpenAt(ctx, o, o.Size(), key)
	if err != nil {
		return nil, err
	}
	n := int64(-1)
	columns := map[string]*chunk.Chunk{}
	for _, v := range g.Vars {
		switch v.Name {
		case "path", "offset", "size", "raw":
		default:
			continue
		}
		if v.Err != nil {
			return nil, fmt.Errorf("column %q: %w", v.Name, v.Err)
		}
		m := v.Source.Meta()
		if n = m.Shape.Size(); n > store.MaxRows {
			return nil, fmt.Errorf("%d references, want at most %d: %w", n, store.MaxRows, formats.ErrFormat)
		}
		switch v.Name {
		case "path", "raw":
			if m.DType != dtype.String { // of a column in which nothing is, the type says nothing
				continue
			}
		default:
			if m.DType != dtype.Int64 {
				return nil, fmt.Errorf("column %q has type %v, want int64: %w", v.Name, m.DType, formats.ErrFormat)
			}
		}
		c := &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: mem.Wrap(make([]byte, n*int64(m.ItemBytes)))}
		if _, err := formats.ReadRegion(ctx, v.Source, chunk.Whole(m.Shape), c); err != nil {
			return nil, fmt.Errorf("column %q: %w", v.Name, err)
		}
		columns[v.Name] = c
	}
	if n < 0 {
		return nil, fmt.Errorf("no column path, offset, size or raw: %w", formats.ErrFormat)
	}
	out := &store.Rows{URL: texts(columns["path"]), Off: integers(columns["offset"], n), Len: integers(columns["size"], n), Raw: texts(columns["raw"])}
	if out.URL == nil {
		out.URL = make([]string, n)
	}
	return out, nil
}

// texts returns the elements of a chunk of texts; equal ones that follow each other are one string. nil is nil.
func texts(c *chunk.Chunk) []string {
	if c == nil {
		return nil
	}
	b, out := c.Bytes(), make([]string, c.Shape.Size())
	for i := range out {
		off, n := binary.NativeEndian.Uint64(b[16*i:]), binary.NativeEndian.Uint64(b[16*i+8:])
		s := c.Heap[off : off+n]
		if i > 0 && out[i-1] == string(s) {
			out[i] = out[i-1]
			continue
		}
		out[i] = string(s)
	}
	return out
}

// integers returns the elements of a chunk of int64, n zeros where there is none.
func integers(c *chunk.Chunk, n int64) []int64 {
	if c == nil {
		return make([]int64, n)
	}
	return append([]int64(nil), chunk.Slice[int64](c)...)
}

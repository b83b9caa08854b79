// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
)

// IPC is the row of Arrow's files and streams; files are written.
var IPC = formats.Format{
	Name: "arrow",
	Detect: func(head []byte, _ string) bool {
		return bytes.HasPrefix(head, []byte(ipcMagic)) || isStream(head)
	},
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return files.Open(ctx, "formats/arrow", path, openIPCAt)
	},
	OpenAt:     openIPCAt,
	Extensions: []string{".arrow", ".feather"},
	Create: func(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
		return create(ctx, path, spec, false, writeIPC)
	},
}

// Parquet is the row of Parquet files.
var Parquet = formats.Format{
	Name:   "parquet",
	Detect: func(head []byte, _ string) bool { return bytes.HasPrefix(head, []byte(parquetMagic)) },
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return files.Open(ctx, "formats/arrow", path, openParquetAt)
	},
	OpenAt:     openParquetAt,
	Extensions: []string{".parquet"},
	Create: func(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
		return create(ctx, path, spec, true, writeParquet)
	},
}

func openIPCAt(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := openIPC(r, size)
	if err == nil {
		var g *formats.Group
		if g, err = f.group(); err == nil {
			return g, nil
		}
	}
	return nil, fmt.Errorf("formats/arrow: open %s: %w", name, err)
}

func openParquetAt(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	f, err := openParquet(r, size)
	if err == nil {
		var g *formats.Group
		if g, err = f.group(); err == nil {
			return g, nil
		}
	}
	return nil, fmt.Errorf("formats/arrow: open %s: %w", name, err)
}

// dimension names the axis of a table: what was recorded, pandas' index where it is one column, or row.
func (f *frame) dimension() string {
	for _, c := range f.cols {
		if _, n := attributes(c.meta); n.Dims != nil && len(*n.Dims) == 1 && (*n.Dims)[0] != "" {
			return (*n.Dims)[0]
		}
	}
	for _, p := range f.meta {
		var doc struct {
			Index []any `json:"index_columns"`
		}
		if p.key != "pandas" || json.Unmarshal([]byte(p.value), &doc) != nil || len(doc.Index) != 1 {
			continue
		}
		name, _ := doc.Index[0].(string)
		for _, c := range f.cols {
			if c.name == name && name != "" {
				return name
			}
		}
	}
	return "row"
}

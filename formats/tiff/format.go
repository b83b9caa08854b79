// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"
	"io"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
)

// Format is the row of TIFF, BigTIFF, GeoTIFF and OME-TIFF files, which are read, and of cloud-optimised GeoTIFF, which is written.
var Format = formats.Format{
	Name:       "tiff",
	Detect:     func(head []byte, _ string) bool { return isTIFF(head) },
	Open:       Open,
	OpenAt:     OpenAt,
	Extensions: []string{".tif", ".tiff"},
	Create:     create,
}

var spare = sync.Pool{New: func() any { return new([]byte) }}

// Open opens the file at path. Its series are variables: image, image_1 and so on; their reduced copies are
// image_overview_1, image_overview_2. The group's Close closes the file. Errors wrap formats.ErrFormat or formats.ErrCorrupt.
//
// The parts of an OME-TIFF image that lie in other files are read from the files beside it. Where one is not there, reading
// its planes gives an error wrapping fs.ErrNotExist.
func Open(ctx context.Context, path string) (*formats.Group, error) { return openFiles(ctx, path) }

// OpenAt is Open for the size bytes of r, which stays open; name says where they are. Parts in other files are not looked for.
func OpenAt(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
	return openAt(ctx, r, size, name, nil)
}

func openAt(ctx context.Context, r io.ReaderAt, size int64, name string, b *beside) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, err := open(r, size, b)
	if err != nil {
		return nil, fmt.Errorf("formats/tiff: open %s: %w", name, err)
	}
	return g, nil
}

// open reads the directories of a file of size bytes, with the files beside it that may belong to it (nil: none can be opened). The sources it makes read from r, for concurrent calls.
func open(r io.ReaderAt, size int64, b *beside) (*formats.Group, error) {
	f, off, err := newFile(r, size)
	if err != nil {
		return nil, err
	}
	f.beside = b
	pages, err := f.pages(off)
	if err != nil {
		return nil, err
	}
	all, err := form(pages)
	if err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, corrupt("no page has an image")
	}
	g := &formats.Group{Format: "tiff", Bare: true, Attrs: formats.Attrs{}}
	sizes := map[string]int64{}
	for i, s := range all {
		name := "image"
		if i > 0 {
			name = fmt.Sprintf("image_%d", i)
		}
		if len(s.levels) == 0 {
			s.levels = []*series{s}
		}
		for l, level := range s.levels {
			level.name = name
			if l > 0 {
				level.name = fmt.Sprintf("%s_overview_%d", name, l)
			}
			src, err := newSource(level)
			v := formats.Var{Name: level.name, Attrs: level.attributes(), Source: src, Err: err}
			if err == nil {
				v.Source, v.Err = src.contiguous()
			}
			for j, d := range level.dims() {
				// series of other sizes have dimensions of their own
				if n, ok := sizes[d]; ok && n != level.shape[j] {
					d += "_" + level.name
				}
				if _, ok := sizes[d]; !ok {
					g.Dims = append(g.Dims, formats.Dim{Name: d, Size: level.shape[j]})
				}
				sizes[d] = level.shape[j]
				v.Dims = append(v.Dims, d)
			}
			g.Vars = append(g.Vars, v)
		}
	}
	return g, nil
}

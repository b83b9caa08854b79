// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/hdf5"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Classic is the row of the classic format, CDF-1, CDF-2 and CDF-5. An output is
// asked for by Spec.Format, not by its name's ending, which is NetCDF-4's.
var Classic = formats.Format{
	Name:   "netcdf3",
	Detect: func(head []byte, _ string) bool { return isClassic(head) },
	Open: func(ctx context.Context, path string) (*formats.Group, error) {
		return open(ctx, path, openClassic)
	},
	OpenAt: func(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
		return openAt(ctx, r, size, name, openClassic)
	},
	Create: CreateClassic,
}

// open opens a file and lets read parse it; the group's Close closes it.
func open(ctx context.Context, path string, read func(io.ReaderAt, int64) (*formats.Group, error)) (*formats.Group, error) {
	return files.Open(ctx, "netcdf", path, func(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
		return openAt(ctx, r, size, name, read)
	})
}

func openAt(ctx context.Context, r io.ReaderAt, size int64, name string, read func(io.ReaderAt, int64) (*formats.Group, error)) (*formats.Group, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	g, err := read(r, size)
	if err != nil {
		return nil, fmt.Errorf("netcdf: open %s: %w", name, err)
	}
	return g, nil
}

// detectHDF5 also looks at 512, 1024, 2048, where head does not reach.
func detectHDF5(head []byte, _ string) bool { return hdf5.IsHDF5(head) }

// openFiles opens an HDF5 file and, as they are needed, those beside it that it names.
func openFiles(ctx context.Context, path string) (*formats.Group, error) {
	var mu sync.Mutex
	var others []*store.File
	dir, name := filepath.Split(path)
	g, err := open(ctx, path, func(r io.ReaderAt, size int64) (*formats.Group, error) {
		f, err := hdf5.New(r, size)
		if err != nil {
			return nil, err
		}
		f.Beside(name, func(name string) (io.ReaderAt, int64, error) {
			f, err := store.OpenFile(filepath.Join(dir, filepath.FromSlash(name)))
			if err != nil {
				return nil, 0, err
			}
			mu.Lock()
			others = append(others, f)
			mu.Unlock()
			return f, f.Size(), nil
		})
		return readHDF5(f)
	})
	end := func() error {
		mu.Lock()
		defer mu.Unlock()
		var errs []error
		for _, f := range others {
			errs = append(errs, f.Close())
		}
		others = nil
		return errors.Join(errs...)
	}
	if err != nil {
		return nil, errors.Join(err, end())
	}
	first := g.Close
	g.Close = func() error { return errors.Join(first(), end()) }
	return g, nil
}

// NetCDF4 is the row of HDF5 files, NetCDF-4 or not.
var NetCDF4 = formats.Format{
	Name:   "netcdf4",
	Detect: detectHDF5,
	Open:   openFiles,
	OpenAt: func(ctx context.Context, r io.ReaderAt, size int64, name string) (*formats.Group, error) {
		return openAt(ctx, r, size, name, openHDF5)
	},
	Extensions: []string{".nc", ".nc4", ".cdf", ".h5", ".hdf5", ".he5"},
	Create:     Create,
}

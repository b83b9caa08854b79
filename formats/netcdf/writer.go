// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// superblockBytes is the size of a version 2 superblock.
const superblockBytes = 48

// writer is a NetCDF-4 file being made: a formats.Writer. Chunks go to the partial
// file as they come; Commit adds indexes, headers, the heap and the superblock.
type writer struct {
	path, partial string
	overwrite     bool
	plain         bool // PlainHDF5
	attrs         formats.Attrs
	groups        []formats.GroupSpec
	dims          []*outDim
	types         []*userType // committed ones, each behind those it is made of
	vars          []*sink
	f             *os.File

	mu   sync.Mutex
	end  uint64 // where the next block goes
	done bool
}

// outDim is a dimension of the output. Its scale is its coordinate variable, or a dataset of its own.
type outDim struct {
	formats.Dim
	group string // the path of its group, "" for the root
	id    int
	coord *sink
}

// Create starts a NetCDF-4 file at path, or one of the classic format when spec.Format says so (CreateClassic).
//
// Dimensions that variables name and spec.Dims lacks are added from the shapes. A
// one-dimensional variable with the name of its dimension is that dimension's
// coordinate. Names of variables may hold slashes: the groups on the way are made;
// dimensions are the root's unless spec.Groups has them. Float16 and Zarr's times are refused with an error wrapping
// formats.ErrFormat; bool becomes int8 with the attribute dtype = "bool", complex numbers compounds of r and i, which readers take for such. Compounds, enumerations, sequences and opaque
// types (VarSpec.Stored, Attr.Type) are committed under the names that spec.Types and the groups give them, else under names of their own.
//
// A variable is contiguous unless it has an unlimited dimension, a Grid hint or a
// Codec ("zlib:4", levels 0 to 9, with shuffle; "zstd:3" needs a plugin in other readers;
// "fletcher32" alone or behind a comma adds checksums).
func Create(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	if strings.HasPrefix(spec.Format, "netcdf3") {
		return CreateClassic(ctx, path, spec)
	}
	path = filepath.Clean(path)
	w, err := newWriter(ctx, path, spec)
	if err != nil {
		return nil, fmt.Errorf("netcdf: create %s: %w", path, err)
	}
	return w, nil
}

func newWriter(ctx context.Context, path string, spec formats.Spec) (*writer, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	switch spec.Format {
	case "", "netcdf", "netcdf4", "hdf5":
	default:
		return nil, fmt.Errorf("format %q: want netcdf4, netcdf3, netcdf3-64bit or netcdf3-64bit-data: %w", spec.Format, formats.ErrFormat)
	}
	if err := files.FreeForFile(path, spec.Overwrite); err != nil {
		return nil, err
	}
	w := &writer{path: path, partial: store.Partial(path), overwrite: spec.Overwrite, plain: PlainHDF5(path, spec.Format), groups: slices.Clone(spec.Groups), end: superblockBytes}
	var err error
	if w.attrs, err = foldAttrs(spec.Attrs, true, w.plain); err != nil {
		return nil, err
	}
	for i := range w.groups {
		g := &w.groups[i]
		if g.Attrs, err = foldAttrs(g.Attrs, true, w.plain); err != nil {
			return nil, fmt.Errorf("group %q: %w", g.Path, err)
		}
	}
	for _, g := range append([]formats.GroupSpec{{Dims: spec.Dims}}, spec.Groups...) {
		if err := checkGroup(g.Path); err != nil {
			return nil, err
		}
		for _, d := range g.Dims {
			if err := w.addDim(g.Path, d); err != nil {
				return nil, err
			}
		}
	}
	names := map[string]bool{}
	for i := range spec.Vars {
		v := &spec.Vars[i]
		s, err := w.newSink(v)
		if err == nil && names[v.Name] {
			err = fmt.Errorf("there are two of the name: %w", formats.ErrFormat)
		}
		if err != nil {
			return nil, fmt.Errorf("variable %q: %w", v.Name, err)
		}
		names[v.Name] = true
		w.vars = append(w.vars, s)
	}
	if err := w.commitTypes(spec.Types); err != nil {
		return nil, err
	}
	// Headers with every attribute are laid out once before anything is written, so
	// that what the format cannot hold is said now.
	objs := w.objects()
	groups, err := groupsOf(objs, w.types, w.groups)
	if err != nil {
		return nil, err
	}
	if _, err := w.headers(&metaHeap{}, objs, groups); err != nil {
		return nil, err
	}
	if err := os.RemoveAll(w.partial); err != nil {
		return nil, err
	}
	f, err := os.OpenFile(w.partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return nil, err
	}
	w.f = f
	for _, s := range w.vars {
		if !s.chunked {
			s.addr = w.alloc(s.bytes())
		}
	}
	return w, nil
}

// checkName refuses what netCDF-C refuses.
func checkName(kind, name string) error {
	if name == "" || strings.ContainsAny(name, "/\x00") || strings.TrimRight(name, " ") != name || len(name) > 256 {
		return fmt.Errorf("%s %q is not a NetCDF name (1 to 256 bytes, no slash, no space at its end): %w", kind, name, formats.ErrFormat)
	}
	return nil
}

// addDim defines a dimension of a group.
func (w *writer) addDim(group string, d formats.Dim) error {
	if err := checkName("dimension", d.Name); err != nil {
		return err
	}
	if w.dimIn(group, d.Name) != nil {
		return fmt.Errorf("dimension %q: there are two of the name: %w", d.Name, formats.ErrFormat)
	}
	if d.Size < 0 {
		return fmt.Errorf("dimension %q of length %d: %w", d.Name, d.Size, chunk.ErrShape)
	}
	w.dims = append(w.dims, &outDim{Dim: d, group: group, id: len(w.dims)})
	return nil
}

// dimIn returns the dimension that the group itself has.
func (w *writer) dimIn(group, name string) *outDim {
	for _, d := range w.dims {
		if d.Name == name && d.group == group {
			return d
		}
	}
	return nil
}

// dim returns the dimension of the name that variables of the group see: its own, else that of the nearest group above.
func (w *writer) dim(group, name string) *outDim {
	for {
		if d := w.dimIn(group, name); d != nil || group == "" {
			return d
		}
		group, _ = splitName(group)
	}
}

// alloc reserves n bytes of the file, aligned to 8.
func (w *writer) alloc(n int64) uint64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := (w.end + 7) &^ 7
	w.end = at + uint64(n)
	return at
}

// writeAt writes b at an address. The file's base address is 0.
func (w *writer) writeAt(addr uint64, b []byte) error {
	_, err := w.f.WriteAt(b, int64(addr))
	return err
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.vars[i] }

// Commit implements formats.Writer: the file is completed and takes its place in one step.
func (w *writer) Commit(ctx context.Context) error {
	if err := w.finish(); err != nil {
		return fmt.Errorf("netcdf: commit %s: %w", w.path, err)
	}
	err := ctx.Err()
	if err == nil {
		err = w.complete()
	}
	if e := w.f.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = files.Place(w.partial, w.path, w.overwrite)
	}
	if err != nil {
		os.RemoveAll(w.partial)
		return fmt.Errorf("netcdf: commit %s: %w", w.path, err)
	}
	return nil
}

// finish lets Commit or Abort happen once.
func (w *writer) finish() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.done {
		return fmt.Errorf("it is committed or aborted already")
	}
	w.done = true
	return nil
}

// Abort implements formats.Writer.
func (w *writer) Abort() error {
	if w.finish() != nil {
		return nil
	}
	w.f.Close()
	return os.RemoveAll(w.partial)
}

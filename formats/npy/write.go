// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// writer makes a file under its partial name: a formats.Writer.
type writer struct {
	path, partial string
	overwrite     bool
	f             *os.File
	sinks         []*sink
	zip           bool
	done          atomic.Bool
}

// sink writes chunks to their places in the file: a formats.Sink.
type sink struct {
	w      *writer
	name   string
	dt     dtype.DType
	item   int
	grid   chunk.Grid
	header []byte
	start  int64 // of the header; elements follow it
	size   int64 // of header and elements
}

func createFile(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	if len(spec.Vars) != 1 {
		return nil, fmt.Errorf("formats/npy: create %s: %d variables, an .npy file holds one; write .npz, .zarr or .nc: %w", path, len(spec.Vars), formats.ErrFormat)
	}
	return create(ctx, path, spec, false)
}

func createArchive(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	return create(ctx, path, spec, true)
}

func create(ctx context.Context, path string, spec formats.Spec, zip bool) (formats.Writer, error) {
	fail := func(err error) (formats.Writer, error) {
		return nil, fmt.Errorf("formats/npy: create %s: %w", path, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	path = filepath.Clean(path)
	if err := files.FreeForFile(path, spec.Overwrite); err != nil {
		return fail(err)
	}
	w := &writer{path: path, partial: store.Partial(path), overwrite: spec.Overwrite, zip: zip}
	at, seen := int64(0), map[string]bool{}
	for i := range spec.Vars {
		s, err := newSink(w, &spec.Vars[i])
		if err != nil {
			return fail(fmt.Errorf("variable %s: %w", spec.Vars[i].Name, err))
		}
		if zip {
			if seen[s.name] || !validMember(s.name) {
				return fail(fmt.Errorf("variable %q: it is there twice or cannot be a member's name: %w", s.name, formats.ErrFormat))
			}
			seen[s.name] = true
			at += localBytes(s.name)
		}
		s.start = at
		at += s.size
		w.sinks = append(w.sinks, s)
	}
	if err := os.RemoveAll(w.partial); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(w.partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fail(err)
	}
	w.f = f
	if err := f.Truncate(at); err != nil {
		return fail(errors.Join(err, w.Abort()))
	}
	for _, s := range w.sinks {
		if _, err := f.WriteAt(s.header, s.start); err != nil {
			return fail(errors.Join(err, w.Abort()))
		}
	}
	return w, nil
}

func newSink(w *writer, v *formats.VarSpec) (*sink, error) {
	descr, item, err := descrOf(v)
	if err != nil {
		return nil, err
	}
	bytes, err := v.Shape.Bytes(int64(item))
	if err != nil {
		return nil, err
	}
	s := &sink{w: w, name: v.Name, dt: v.DType, item: item, grid: chunk.DefaultGrid(v.Shape, item), header: appendHeader(nil, descr, v.Shape)}
	if v.Grid != nil {
		s.grid = *v.Grid
	}
	s.size = int64(len(s.header)) + bytes
	return s, nil
}

// codes are NumPy's codes of the dtypes that have one.
var codes = map[dtype.DType]string{dtype.Bool: "|b1", dtype.Int8: "|i1", dtype.Uint8: "|u1", dtype.Int16: "<i2", dtype.Int32: "<i4",
	dtype.Int64: "<i8", dtype.Uint16: "<u2", dtype.Uint32: "<u4", dtype.Uint64: "<u8", dtype.Float16: "<f2", dtype.Float32: "<f4",
	dtype.Float64: "<f8", dtype.Complex64: "<c8", dtype.Complex128: "<c16"}

// descrOf returns the type string and item size a variable is stored with.
func descrOf(v *formats.VarSpec) (string, int, error) {
	stored, _ := v.Stored.(string)
	if v.DType == dtype.Raw {
		for _, k := range []struct {
			prefix, code string
			size         int
		}{{"S", "|S", 1}, {"U", "<U", 4}, {"opaque", "|V", 1}} {
			n, err := strconv.Atoi(strings.TrimPrefix(stored, k.prefix))
			if err == nil && strings.HasPrefix(stored, k.prefix) && n*k.size == v.ItemBytes {
				return k.code + strconv.Itoa(n), v.ItemBytes, nil
			}
		}
		if v.Stored == nil {
			return "|S" + strconv.Itoa(v.ItemBytes), v.ItemBytes, nil
		}
	}
	if v.DType == dtype.Int64 {
		if unit, ok := strings.CutPrefix(stored, "datetime64"); ok {
			return "<M8" + unit, 8, nil
		}
		if unit, ok := strings.CutPrefix(stored, "timedelta64"); ok {
			return "<m8" + unit, 8, nil
		}
	}
	if c, ok := codes[v.DType]; ok {
		return c, v.DType.Size(), nil
	}
	return "", 0, fmt.Errorf("dtype %v cannot be written to NumPy files: %w", v.DType, formats.ErrFormat)
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.sinks[i] }

// Commit implements formats.Writer.
func (w *writer) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done.Swap(true) {
		return fmt.Errorf("formats/npy: commit %s: it is committed or aborted already", w.path)
	}
	err := w.finish(ctx)
	err = errors.Join(err, w.f.Close())
	if err == nil {
		err = files.Place(w.partial, w.path, w.overwrite)
	}
	if err != nil {
		os.Remove(w.partial)
		return fmt.Errorf("formats/npy: commit %s: %w", w.path, err)
	}
	return nil
}

func (w *writer) finish(ctx context.Context) error {
	if !w.zip {
		return nil
	}
	return w.directory(ctx)
}

// Abort implements formats.Writer.
func (w *writer) Abort() error {
	if w.done.Swap(true) {
		return nil
	}
	return errors.Join(w.f.Close(), os.Remove(w.partial))
}

// Grid implements formats.Sink.
func (s *sink) Grid() chunk.Grid { return s.grid }

// Regrid implements formats.FreeSink.
func (s *sink) Regrid(g chunk.Grid) { s.grid = g }

// pieceBytes is how much of a chunk that is not contiguous is brought together at once.
const pieceBytes = 256 << 10

// ScratchBytes implements formats.Sink.
func (s *sink) ScratchBytes() int64 { return max(pieceBytes, int64(s.item)) + 64<<10 }

// WriteChunk implements formats.Sink: a chunk is written as the runs it makes in the file.
func (s *sink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := s.grid.Region(k)
	if shape := r.Shape(); !c.Shape.Equal(shape) || c.DType != s.dt || int(c.ItemBytes) != s.item {
		return 0, fmt.Errorf("formats/npy: write %s %v: got a %v chunk of shape %v, want %v: %w", s.name, r, c.DType, c.Shape, s.dt, chunk.ErrShape)
	}
	if s.w.done.Load() {
		return 0, fmt.Errorf("formats/npy: write %s %v: the output is committed or aborted already", s.name, r)
	}
	z := codec.Borrow()
	defer z.Return()
	if err := s.put(r, c, z); err != nil {
		return 0, fmt.Errorf("formats/npy: write %s %v: %w", s.name, r, err)
	}
	return c.Shape.Size() * int64(s.item), nil
}

// put writes c to its place r: as it is, or piece by piece where its elements are apart.
func (s *sink) put(r chunk.Region, c *chunk.Chunk, z *codec.Scratch) error {
	if c.Contiguous() {
		return s.runs(r, c.Bytes())
	}
	if n := c.Shape.Size() * int64(s.item); n > pieceBytes {
		axis := slices.IndexFunc(c.Shape, func(n int64) bool { return n > 1 })
		long := c.Shape[axis]
		step := max(1, long*pieceBytes/n)
		for lo := int64(0); lo < long; lo += step {
			hi := min(lo+step, long)
			part, at := chunk.Whole(c.Shape), r.Clone()
			part.Lo[axis], part.Hi[axis] = lo, hi
			at.Lo[axis], at.Hi[axis] = r.Lo[axis]+lo, r.Lo[axis]+hi
			if err := s.put(at, c.Sub(part), z); err != nil {
				return err
			}
		}
		return nil
	}
	z.Dec = codec.Grow(z.Dec, int(c.Shape.Size())*s.item)
	formats.CopyElems(&chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(z.Dec)}, c)
	return s.runs(r, z.Dec)
}

// runs writes the elements of region r, in C order in b, to their places.
func (s *sink) runs(r chunk.Region, b []byte) error {
	if len(b) == 0 {
		return nil
	}
	steps := s.grid.Shape.RowMajor()
	run, outer := int64(1), len(steps) // axes from outer on make one run
	for outer > 0 {
		n := r.Hi[outer-1] - r.Lo[outer-1]
		run *= n
		outer--
		if n != s.grid.Shape[outer] {
			break
		}
	}
	at := make([]int64, outer)
	base := s.start + int64(len(s.header))
	for o := int64(0); o < int64(len(b)); o += run * int64(s.item) {
		pos := int64(0)
		for i := range steps {
			pos += r.Lo[i] * steps[i]
			if i < outer {
				pos += at[i] * steps[i]
			}
		}
		if _, err := s.w.f.WriteAt(b[o:o+run*int64(s.item)], base+pos*int64(s.item)); err != nil {
			return err
		}
		for i := outer - 1; i >= 0; i-- {
			if at[i]++; at[i] < r.Hi[i]-r.Lo[i] {
				break
			}
			at[i] = 0
		}
	}
	return nil
}

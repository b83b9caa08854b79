// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// classicVersions are the versions by the name of the format; 0 is the oldest that holds the data.
var classicVersions = map[string]byte{"": 0, "netcdf3": 0, "netcdf3-64bit": 2, "netcdf3-64bit-data": 5}

// classicWriter is a file of the classic format being made: a formats.Writer. The header is known
// at once, so it is written first; chunks go to their places as they come.
type classicWriter struct {
	classicOut
	path, partial string
	overwrite     bool
	f             *os.File
	done          atomic.Bool
}

// classicSink takes the chunks of one variable: a formats.Sink.
type classicSink struct {
	w       *classicWriter
	name    string
	dims    []int
	shape   chunk.Shape
	dtype   dtype.DType // as it is stored
	item    int
	kind    int
	attrs   formats.Attrs
	fill    []byte // one element, big endian
	grid    chunk.Grid
	record  bool
	slab    int64 // bytes of a record, or of the whole variable
	pad     int64 // bytes of padding behind it
	begin   int64
	written atomic.Int64
}

// CreateClassic starts a file of the classic format at path: CDF-1, CDF-2 or CDF-5, the oldest that holds the data
// unless spec.Format is "netcdf3-64bit" or "netcdf3-64bit-data".
//
// The unlimited dimension must be the first of each variable that has it, and there is one at most. Texts of
// variable length, groups and compression are refused with an error wrapping formats.ErrFormat; bool
// becomes int8 with the attribute dtype = "bool". A _FillValue is converted to the variable's type; other integers of attributes
// become int16 or int32 where the version has no other.
func CreateClassic(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	path = filepath.Clean(path)
	w, err := newClassicWriter(ctx, path, spec)
	if err != nil {
		return nil, fmt.Errorf("netcdf: create %s: %w", path, err)
	}
	return w, nil
}

func newClassicWriter(ctx context.Context, path string, spec formats.Spec) (*classicWriter, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	version, ok := classicVersions[spec.Format]
	if !ok {
		return nil, fmt.Errorf("format %q: want netcdf3, netcdf3-64bit or netcdf3-64bit-data: %w", spec.Format, formats.ErrFormat)
	}
	if err := files.FreeForFile(path, spec.Overwrite); err != nil {
		return nil, err
	}
	w := &classicWriter{path: path, partial: store.Partial(path), overwrite: spec.Overwrite}
	var err error
	if w.attrs, err = foldAttrs(spec.Attrs, false, false); err != nil {
		return nil, err
	}
	if len(spec.Groups) > 0 {
		return nil, fmt.Errorf("group %q: NetCDF-3 has no groups; write netcdf4: %w", spec.Groups[0].Path, formats.ErrFormat)
	}
	for _, d := range spec.Dims {
		if _, err := w.dim(d.Name, d.Size, d.Unlimited); err != nil {
			return nil, err
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
	if err := w.setRecord(); err != nil {
		return nil, err
	}
	if err := w.choose(version); err != nil {
		return nil, err
	}
	head, err := w.header()
	if err != nil {
		return nil, err
	}
	if err := os.RemoveAll(w.partial); err != nil {
		return nil, err
	}
	if w.f, err = os.OpenFile(w.partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666); err != nil {
		return nil, err
	}
	if _, err := w.f.WriteAt(head, 0); err != nil {
		w.Abort()
		return nil, err
	}
	return w, nil
}

// dim finds or defines a dimension and returns its number.
func (w *classicWriter) dim(name string, size int64, unlimited bool) (int, error) {
	for i, d := range w.dims {
		if d.Name == name {
			if d.Size != size {
				return i, fmt.Errorf("dimension %q has length %d and %d: %w", name, d.Size, size, chunk.ErrShape)
			}
			return i, nil
		}
	}
	if err := checkName("dimension", name); err != nil {
		return 0, err
	}
	if size < 0 {
		return 0, fmt.Errorf("dimension %q of length %d: %w", name, size, chunk.ErrShape)
	}
	w.dims = append(w.dims, formats.Dim{Name: name, Size: size, Unlimited: unlimited})
	return len(w.dims) - 1, nil
}

// setRecord finds the record dimension. One of length 0 must be it: the header says length 0 for it alone.
func (w *classicWriter) setRecord() error {
	w.record = -1
	for i, d := range w.dims {
		if !d.Unlimited && d.Size > 0 {
			continue
		}
		if w.record >= 0 {
			return fmt.Errorf("dimensions %q and %q are both unlimited or empty, NetCDF-3 has one such; write netcdf4: %w", w.dims[w.record].Name, d.Name, formats.ErrFormat)
		}
		w.record = i
	}
	for _, s := range w.vars {
		s.slab = int64(s.item)
		for axis, d := range s.dims {
			switch {
			case d != w.record:
				s.slab *= s.shape[axis]
			case axis == 0:
				s.record = true
			default:
				return formats.Refuse(s.name, "the unlimited dimension %q must be its first in NetCDF-3; transpose it or write netcdf4", w.dims[d].Name)
			}
		}
	}
	return nil
}

func (w *classicWriter) newSink(v *formats.VarSpec) (*classicSink, error) {
	if strings.Contains(v.Name, "/") {
		return nil, fmt.Errorf("NetCDF-3 has no groups; write netcdf4: %w", formats.ErrFormat)
	}
	if err := checkName("variable", v.Name); err != nil {
		return nil, err
	}
	if v.Codec != "" && v.Codec != "none" {
		return nil, fmt.Errorf("codec %q: NetCDF-3 does not compress; write netcdf4: %w", v.Codec, formats.ErrFormat)
	}
	s := &classicSink{w: w, name: v.Name, shape: v.Shape.Clone(), dtype: v.DType, item: v.DType.Size()}
	var err error
	if s.attrs, err = foldAttrs(v.Attrs, false, false); err != nil {
		return nil, err
	}
	stored, _ := v.Stored.(string)
	switch {
	case v.DType == dtype.Bool:
		s.dtype = dtype.Int8
		s.attrs = s.attrs.With("dtype", "bool")
	case v.DType == dtype.Raw:
		s.item = v.ItemBytes
	case v.DType == dtype.String:
		return nil, fmt.Errorf("NetCDF-3 has no texts of variable length; write netcdf4: %w", formats.ErrFormat)
	case strings.HasPrefix(stored, "datetime64") || strings.HasPrefix(stored, "timedelta64"):
		return nil, fmt.Errorf("dtype %s is not NetCDF's; write numbers with units such as \"seconds since 1970-01-01\": %w", stored, formats.ErrFormat)
	}
	if s.kind = classicKind(s.dtype); s.kind == 0 || s.item != externals[s.kind].size {
		return nil, fmt.Errorf("dtype %v of %d bytes is not NetCDF-3's; cast it: %w", v.DType, s.item, formats.ErrFormat)
	}
	if _, err := s.shape.Bytes(int64(s.item)); err != nil {
		return nil, err
	}
	if v.Dims != nil && len(v.Dims) != len(s.shape) {
		return nil, fmt.Errorf("%d dimension names for shape %v: %w", len(v.Dims), s.shape, chunk.ErrShape)
	}
	for axis, n := range s.shape {
		name := fmt.Sprintf("%s_axis_%d", v.Name, axis)
		if v.Dims != nil {
			name = v.Dims[axis]
		}
		d, err := w.dim(name, n, false)
		if err != nil {
			return nil, err
		}
		s.dims = append(s.dims, d)
	}
	if err := s.setFill(v.Fill); err != nil {
		return nil, err
	}
	return s, s.setGrid(v.Grid)
}

// setFill takes the fill value, which only padding has: every element is written.
func (s *classicSink) setFill(fill []byte) error {
	own := &sink{dtype: s.dtype, item: s.item, attrs: s.attrs}
	if err := own.setFill(fill); err != nil {
		return err
	}
	s.fill, s.attrs = append([]byte(nil), own.fill...), own.attrs
	codec.ByteSwap(s.fill, s.fill, s.item)
	return nil
}

// minRun is the run of bytes below which chunks cut along inner axes are not taken: each run is a write of its own.
const minRun = 4 << 10

// setGrid takes the hint where its chunks lie in the file as long runs.
func (s *classicSink) setGrid(hint *chunk.Grid) error {
	s.grid = chunk.DefaultGrid(s.shape, s.item)
	if hint == nil {
		return nil
	}
	if len(hint.Axes) != len(s.shape) {
		return fmt.Errorf("chunks of rank %d for shape %v: %w", len(hint.Axes), s.shape, chunk.ErrShape)
	}
	steps := make([]int64, len(s.shape))
	run, whole, inner := int64(s.item), true, false
	for i := len(steps) - 1; i >= 0; i-- {
		steps[i] = max(1, min(hint.Axes[i].Max(), s.shape[i]))
		if whole {
			run *= steps[i]
			inner = inner || i > 0 && steps[i] < s.shape[i]
		}
		whole = whole && steps[i] >= s.shape[i]
	}
	if run >= minRun || !inner {
		s.grid = chunk.Regular(s.shape, steps...)
	}
	return nil
}

// Grid implements formats.Sink.
func (s *classicSink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *classicSink) ScratchBytes() int64 { return s.grid.MaxChunk().Size()*int64(s.item) + 4096 }

// WriteChunk implements formats.Sink.
func (s *classicSink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	n, err := s.write(ctx, k, c)
	if err != nil {
		return n, fmt.Errorf("netcdf: write %s chunk %v of %s: %w", s.name, []int64(k), s.w.path, err)
	}
	s.written.Add(1)
	return n, nil
}

var classicRoom = sync.Pool{New: func() any { return new([]byte) }}

func (s *classicSink) write(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	if s.w.done.Load() {
		return 0, fmt.Errorf("the output is committed or aborted already")
	}
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || int(c.ItemBytes) != s.item || c.DType != s.dtype && !(c.DType == dtype.Bool && s.dtype == dtype.Int8) {
		return 0, fmt.Errorf("got a %v chunk of shape %v, want %v %v: %w", c.DType, c.Shape, s.dtype, r.Shape(), chunk.ErrShape)
	}
	room := classicRoom.Get().(*[]byte)
	defer classicRoom.Put(room)
	n := int(c.Shape.Size()) * s.item
	*room = codec.Grow(*room, n+4)
	b := (*room)[:n]
	from := *c
	from.DType = dtype.Raw
	formats.CopyElems(&chunk.Chunk{DType: dtype.Raw, ItemBytes: int32(s.item), Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(b)}, &from)
	if s.item > 1 {
		codec.ByteSwap(b, b, s.item)
	}
	return int64(n), s.runs(b, r)
}

// runs writes the elements of region r, in C order, to their places: the inner axes that r spans make one run.
func (s *classicSink) runs(b []byte, r chunk.Region) error {
	rank := len(s.shape)
	strides := s.shape.RowMajor()
	for i := range strides {
		strides[i] *= int64(s.item)
	}
	if s.record {
		strides[0] = s.w.stride
	}
	inner, run := rank, int64(s.item) // axes from inner on belong to one run
	for inner > 0 {
		i := inner - 1
		if strides[i] != run && r.Hi[i]-r.Lo[i] > 1 {
			break
		}
		run *= r.Hi[i] - r.Lo[i]
		inner--
		if r.Lo[i] != 0 || r.Hi[i] != s.shape[i] {
			break
		}
	}
	at := s.begin
	for i := range rank {
		at += r.Lo[i] * strides[i]
	}
	var walk func(axis int, at int64) error
	walk = func(axis int, at int64) error {
		if axis < inner {
			for range r.Hi[axis] - r.Lo[axis] {
				if err := walk(axis+1, at); err != nil {
					return err
				}
				at += strides[axis]
			}
			return nil
		}
		out := b[:run]
		b = b[run:]
		_, err := s.w.f.WriteAt(out, at)
		return err
	}
	if len(b) == 0 {
		return nil
	}
	return walk(0, at)
}

// padding writes the fill value behind the variable, or behind each of its records.
func (s *classicSink) padding() error {
	if s.pad == 0 {
		return nil
	}
	p := make([]byte, 0, 4)
	for len(p) < int(s.pad) {
		p = append(p, s.fill...)
	}
	n, step := int64(1), int64(0)
	if s.record {
		n, step = s.shape[0], s.w.stride
	}
	for i := range n {
		if _, err := s.w.f.WriteAt(p[:s.pad], s.begin+i*step+s.slab); err != nil {
			return err
		}
	}
	return nil
}

// Sink implements formats.Writer.
func (w *classicWriter) Sink(i int) formats.Sink { return w.vars[i] }

// Commit implements formats.Writer.
func (w *classicWriter) Commit(ctx context.Context) error {
	if w.done.Swap(true) {
		return fmt.Errorf("netcdf: commit %s: it is committed or aborted already", w.path)
	}
	err := ctx.Err()
	for _, s := range w.vars {
		if n, want := s.written.Load(), s.grid.Len(); err == nil && n != want {
			err = fmt.Errorf("variable %q: %d of its %d chunks were written", s.name, n, want)
		}
		if err == nil {
			err = s.padding()
		}
	}
	if err == nil {
		err = w.f.Truncate(w.data)
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

// Abort implements formats.Writer.
func (w *classicWriter) Abort() error {
	if w.done.Swap(true) {
		return nil
	}
	w.f.Close()
	return os.RemoveAll(w.partial)
}

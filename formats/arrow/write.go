// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"unicode/utf8"

	"github.com/apache/arrow/go/v17/arrow"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// writer keeps the values beside the output's place, column by column as they come, until Commit writes the
// table by rows: a formats.Writer.
type writer struct {
	path, partial, staged string
	overwrite             bool
	spec                  formats.Spec
	stage                 *os.File
	end                   atomic.Int64 // of the stage: texts are appended
	sinks                 []*sink
	cols                  []*outColumn
	rows, group           int64
	parquet               bool
	write                 func(w *writer, out io.WriteSeeker) error
	done                  atomic.Bool
}

// sink takes the chunks of one variable: a formats.Sink.
type sink struct {
	w     *writer
	spec  formats.VarSpec
	item  int
	grid  chunk.Grid
	start int64       // of its elements in the stage
	left  bool        // it is left out of the table
	bytes atomic.Bool // some of its texts are not UTF-8
}

// maxRowGroups is below what Parquet's int16 ordinals count.
const maxRowGroups = 32000

func create(ctx context.Context, path string, spec formats.Spec, parquet bool, write func(*writer, io.WriteSeeker) error) (formats.Writer, error) {
	fail := func(err error) (formats.Writer, error) {
		return nil, fmt.Errorf("formats/arrow: create %s: %w", path, err)
	}
	if err := ctx.Err(); err != nil {
		return fail(err)
	}
	path = filepath.Clean(path)
	if err := files.FreeForFile(path, spec.Overwrite); err != nil {
		return fail(err)
	}
	w := &writer{path: path, partial: store.Partial(path), staged: store.Partial(path + "-columns"), overwrite: spec.Overwrite, spec: spec, parquet: parquet, write: write}
	if err := w.layout(); err != nil {
		return fail(err)
	}
	if err := errors.Join(os.RemoveAll(w.partial), os.RemoveAll(w.staged)); err != nil {
		return fail(err)
	}
	f, err := os.OpenFile(w.staged, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return fail(err)
	}
	w.stage = f
	return w, nil
}

// layout chooses the columns and the rows, and gives every variable its place in the stage.
func (w *writer) layout() error {
	spec := &w.spec
	bounds := map[string]bool{}
	for _, v := range spec.Vars {
		for _, name := range []string{"bounds", "climatology"} {
			if b, ok := v.Attrs.Get(name); ok {
				bounds[fmt.Sprint(b)] = true
			}
		}
	}
	w.rows = -1
	long := longest(spec.Vars, bounds)
	if long != nil {
		w.rows = long.Shape[0]
	}
	at := int64(0)
	for i := range spec.Vars {
		v := &spec.Vars[i]
		s := &sink{w: w, spec: *v, item: v.DType.Size(), left: bounds[v.Name]}
		if v.DType == dtype.Raw {
			s.item = v.ItemBytes
		}
		w.sinks = append(w.sinks, s)
		n, err := v.Shape.Bytes(int64(s.item))
		if err != nil {
			return fmt.Errorf("variable %s: %w", v.Name, err)
		}
		s.grid = chunk.DefaultGrid(v.Shape, s.item)
		if v.Grid != nil {
			s.grid = *v.Grid
		}
		s.start = at
		at += (n + 15) &^ 15
		switch {
		case s.left:
			continue
		case len(v.Shape) > 1:
			return formats.Refuse(v.Name, "it has %d dimensions, a table's columns have one; reduce or select, or write .nc or .zarr", len(v.Shape))
		case len(v.Shape) == 1 && v.Shape[0] != w.rows:
			return formats.Refuse(v.Name, "it has %d elements, %s has %d: the columns of a table are equally long", v.Shape[0], long.Name, w.rows)
		case len(v.Shape) == 1 && v.Dims != nil && long.Dims != nil && v.Dims[0] != long.Dims[0]:
			return formats.Refuse(v.Name, "it lies along %q, %s along %q: the columns of a table have one dimension", v.Dims[0], long.Name, long.Dims[0])
		}
		if slices.ContainsFunc(w.cols, func(c *outColumn) bool { return c.name == v.Name }) {
			return refused("two variables are named %s", v.Name)
		}
		c, err := newOutColumn(s)
		if err != nil {
			return &formats.Misfit{Var: v.Name, Err: err}
		}
		w.cols = append(w.cols, c)
	}
	if len(w.cols) == 0 {
		return refused("there is no variable to write")
	}
	w.end.Store(at)
	if w.rows < 0 {
		w.rows = 1 // scalars alone are one row
	}
	for _, c := range w.cols {
		if w.rows == 0 && len(c.sink.spec.Shape) == 0 {
			return formats.Refuse(c.name, "it is a scalar: a table without rows has no place for its value")
		}
	}
	w.group = w.groupRows(long)
	return nil
}

// longest returns the first of the variables that most others lie beside, nil where none has one dimension.
func longest(vars []formats.VarSpec, left map[string]bool) *formats.VarSpec {
	var best *formats.VarSpec
	most := 0
	for i := range vars {
		v, n := &vars[i], 0
		if len(v.Shape) != 1 || left[v.Name] {
			continue
		}
		for j := range vars {
			if o := &vars[j]; len(o.Shape) == 1 && !left[o.Name] && beside(v, o) {
				n++
			}
		}
		if n > most {
			best, most = v, n
		}
	}
	return best
}

// beside reports whether two variables of one dimension can be columns of one table.
func beside(a, b *formats.VarSpec) bool {
	return a.Shape[0] == b.Shape[0] && (a.Dims == nil || b.Dims == nil || a.Dims[0] == b.Dims[0])
}

// groupBytes and batchBytes are how much a row group or a batch holds where nobody says how many rows it has. A row group is in memory
// a page at a time, a batch twice as a whole: as it is and packed.
const (
	groupBytes = 8 << 20
	batchBytes = 2 << 20
)

// groupRows returns the rows of a row group: the chunks asked for, else what makes a sensible size.
func (w *writer) groupRows(long *formats.VarSpec) int64 {
	row := int64(0)
	for _, c := range w.cols {
		row += int64(c.sink.item)
	}
	most := int64(batchBytes)
	if w.parquet {
		most = groupBytes
	}
	n := min(max(most/row, 1), 1<<20)
	for i := range w.spec.Vars {
		v := &w.spec.Vars[i]
		if v.Grid == nil || len(v.Shape) != 1 || w.sinks[i].left || v.Grid.Axes[0].Edges != nil {
			continue
		}
		if step := v.Grid.Axes[0].Step; step < w.rows && step <= n {
			n = step
			break
		}
	}
	return max(n, (w.rows+maxRowGroups-1)/maxRowGroups, 1)
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.sinks[i] }

// Grid implements formats.Sink.
func (s *sink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *sink) ScratchBytes() int64 { return s.grid.MaxChunk().Size()*int64(s.item) + 64<<10 }

// WriteChunk implements formats.Sink: it puts the elements aside.
func (s *sink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := s.grid.Region(k)
	if shape := r.Shape(); !c.Shape.Equal(shape) || c.DType != s.spec.DType || int(c.ItemBytes) != s.item {
		return 0, fmt.Errorf("formats/arrow: write %s %v: got a %v chunk of shape %v, want %v: %w", s.spec.Name, r, c.DType, c.Shape, s.spec.DType, chunk.ErrShape)
	}
	if s.w.done.Load() {
		return 0, fmt.Errorf("formats/arrow: write %s %v: the output is committed or aborted already", s.spec.Name, r)
	}
	if s.left {
		return 0, nil
	}
	z := codec.Borrow()
	defer z.Return()
	flat := c
	if !c.Contiguous() || c.DType == dtype.String {
		z.Dec = codec.Grow(z.Dec, int(c.Shape.Size())*s.item)
		flat = &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: mem.Wrap(z.Dec)}
		formats.CopyElems(flat, c)
	}
	b := flat.Bytes()
	if c.DType == dtype.String || c.DType == dtype.Raw {
		for i := range c.Shape.Size() {
			if !utf8.Valid(textOf(flat, i)) {
				s.bytes.Store(true)
				break
			}
		}
	}
	if c.DType == dtype.String { // texts go behind all else; their places are counted from the file's start
		at := s.w.end.Add(int64(len(flat.Heap))) - int64(len(flat.Heap))
		if _, err := s.w.stage.WriteAt(flat.Heap, at); err != nil {
			return 0, fmt.Errorf("formats/arrow: write %s %v: %w", s.spec.Name, r, err)
		}
		for o := 0; o < len(b); o += 16 {
			nativeEndian.PutUint64(b[o:], nativeEndian.Uint64(b[o:])+uint64(at))
		}
	}
	at := s.start
	if len(r.Lo) > 0 {
		at += r.Lo[0] * int64(s.item)
	}
	if _, err := s.w.stage.WriteAt(b, at); err != nil {
		return 0, fmt.Errorf("formats/arrow: write %s %v: %w", s.spec.Name, r, err)
	}
	return int64(len(b) + len(flat.Heap)), nil
}

// Commit implements formats.Writer: it writes the table.
func (w *writer) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done.Swap(true) {
		return fmt.Errorf("formats/arrow: commit %s: it is committed or aborted already", w.path)
	}
	err := w.table(ctx)
	err = errors.Join(err, w.stage.Close(), os.Remove(w.staged))
	if err == nil {
		err = files.Place(w.partial, w.path, w.overwrite)
	}
	if err != nil {
		os.Remove(w.partial)
		return fmt.Errorf("formats/arrow: commit %s: %w", w.path, err)
	}
	return nil
}

// stopper ends a long write when its context does. It is no io.Closer: the library would close it.
type stopper struct {
	f       *os.File
	stopped func() error
}

// Seek implements io.Seeker.
func (s stopper) Seek(off int64, whence int) (int64, error) { return s.f.Seek(off, whence) }

// Write implements io.Writer.
func (s stopper) Write(b []byte) (int, error) {
	if err := s.stopped(); err != nil {
		return 0, err
	}
	return s.f.Write(b)
}

// textOf returns the bytes of an element of a contiguous chunk of texts or records.
func textOf(c *chunk.Chunk, i int64) []byte {
	if c.DType == dtype.String {
		return formats.Text(c, i)
	}
	item := int64(c.ItemBytes)
	return c.Bytes()[i*item : (i+1)*item]
}

func (w *writer) table(ctx context.Context) error {
	for _, c := range w.cols {
		if _, text := c.field.Type.(*arrow.StringType); text && !c.runes && c.sink.bytes.Load() {
			c.field.Type = arrow.BinaryTypes.Binary // the formats' texts are UTF-8, and readers refuse others
		}
	}
	f, err := os.OpenFile(w.partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	err = guard("write", func() error { return w.write(w, stopper{f, ctx.Err}) })
	if cause := ctx.Err(); cause != nil {
		err = cause
	}
	return errors.Join(err, f.Close())
}

// Abort implements formats.Writer.
func (w *writer) Abort() error {
	if w.done.Swap(true) {
		return nil
	}
	return errors.Join(w.stage.Close(), os.Remove(w.staged))
}

// level splits a codec's name and level, "zstd:3".
func level(name string) (string, int, error) {
	name, text, ok := strings.Cut(name, ":")
	if !ok {
		return name, -1, nil
	}
	n := 0
	if _, err := fmt.Sscanf(text, "%d", &n); err != nil || n < 0 || n > 22 {
		return "", 0, refused("codec %s:%s: the level is no number from 0 to 22", name, text)
	}
	return name, n, nil
}

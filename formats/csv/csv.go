// SPDX-License-Identifier: BSD-3-Clause

package csv

import (
	"bufio"
	"cmp"
	"context"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Format is the row of the table of formats.
var Format = formats.Format{Name: "csv", Extensions: []string{".csv"}, Create: Create}

// maxValues bounds the bytes of all values of a table.
const maxValues = 16 << 20

// writer keeps the values until they are written: a formats.Writer.
type writer struct {
	path      string
	overwrite bool
	sinks     []*sink
	dims      []string    // of the rows, in order; nil for a matrix
	shape     chunk.Shape // lengths of dims
	columns   []*sink
	coords    map[string]*sink
	rows      string // Spec.Rows
	done      bool
}

// sink keeps one variable: a formats.Sink.
type sink struct {
	w    *writer
	spec formats.VarSpec
	grid chunk.Grid
	mu   sync.Mutex
	data *chunk.Chunk
}

// Create starts a table at path. Errors wrap formats.ErrExists when path is there and must stay,
// formats.ErrFormat for what a table cannot hold.
func Create(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	w := &writer{path: filepath.Clean(path), overwrite: spec.Overwrite, rows: spec.Rows, coords: map[string]*sink{}}
	if err := w.open(ctx, spec); err != nil {
		return nil, fmt.Errorf("formats/csv: create %s: %w", path, err)
	}
	return w, nil
}

func (w *writer) open(ctx context.Context, spec formats.Spec) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := files.FreeForFile(w.path, spec.Overwrite); err != nil {
		return err
	}
	if st, err := os.Stat(filepath.Dir(w.path)); err != nil {
		return err
	} else if !st.IsDir() {
		return fmt.Errorf("%s is no folder: %w", filepath.Dir(w.path), formats.ErrFormat)
	}
	total := int64(0)
	for i := range spec.Vars {
		v := spec.Vars[i]
		item := v.DType.Size()
		if v.DType == dtype.Raw {
			item = v.ItemBytes
		}
		n, err := v.Shape.Bytes(int64(item))
		if err != nil {
			return fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if total += n; total > maxValues {
			return fmt.Errorf("more than %d MiB of values are no small table; write .zarr, .nc or .npy: %w", maxValues>>20, formats.ErrFormat)
		}
		s := &sink{w: w, spec: v, grid: chunk.DefaultGrid(v.Shape, item)}
		if v.Grid != nil {
			s.grid = *v.Grid
		}
		s.data = &chunk.Chunk{DType: v.DType, ItemBytes: int32(item), Shape: v.Shape.Clone(), Strides: v.Shape.RowMajor(), Block: mem.Wrap(make([]byte, n))}
		w.sinks = append(w.sinks, s)
	}
	return w.layout()
}

// layout chooses rows and columns.
func (w *writer) layout() error {
	bounds := map[string]bool{}
	var widest *sink
	for _, s := range w.sinks {
		if b, ok := s.spec.Attrs.Get("bounds"); ok {
			bounds[fmt.Sprint(b)] = true
		}
	}
	for _, s := range w.sinks {
		switch v := &s.spec; {
		case bounds[v.Name]:
		case len(v.Dims) == 1 && v.Dims[0] == v.Name && v.Name != w.rows:
			w.coords[v.Name] = s
		default:
			w.columns = append(w.columns, s)
			if widest == nil || len(v.Shape) > len(widest.spec.Shape) {
				widest = s
			}
		}
	}
	if widest == nil { // coordinates alone
		for _, s := range w.sinks {
			if w.coords[s.spec.Name] == s && widest == nil {
				widest = s
			}
		}
		if widest == nil {
			return fmt.Errorf("there is no variable to write: %w", formats.ErrFormat)
		}
	}
	if widest.spec.Dims == nil && len(w.columns) == 1 && len(widest.spec.Shape) <= 2 {
		return nil // a matrix
	}
	if widest.spec.Dims == nil && len(widest.spec.Shape) > 0 {
		if last := w.columns[len(w.columns)-1]; len(widest.spec.Shape) <= 2 {
			widest = last // a matrix may stay
		}
		return formats.Refuse(widest.spec.Name, "several variables, or more than two axes, without dimension names make no table; write .npz")
	}
	w.dims, w.shape = append([]string{}, widest.spec.Dims...), widest.spec.Shape
	for _, s := range w.columns {
		for i, d := range s.spec.Dims {
			at := slices.Index(w.dims, d)
			if at < 0 || w.shape[at] != s.spec.Shape[i] {
				return formats.Refuse(s.spec.Name, "dimensions %v do not fit rows of %v", s.spec.Dims, w.dims)
			}
		}
		if s.spec.Dims == nil && len(s.spec.Shape) > 0 {
			return formats.Refuse(s.spec.Name, "it has no dimension names")
		}
	}
	return nil
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.sinks[i] }

// Grid implements formats.Sink.
func (s *sink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *sink) ScratchBytes() int64 { return 64 << 10 }

// WriteChunk implements formats.Sink.
func (s *sink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if err := ctx.Err(); err != nil {
		return 0, err
	}
	r := s.grid.Region(k)
	if !c.Shape.Equal(r.Shape()) || c.DType != s.spec.DType || c.ItemBytes != s.data.ItemBytes {
		return 0, fmt.Errorf("formats/csv: write %s %v: got a %v chunk of shape %v: %w", s.spec.Name, r, c.DType, c.Shape, chunk.ErrShape)
	}
	s.mu.Lock() // texts share a heap
	defer s.mu.Unlock()
	part := s.data.Sub(r)
	formats.CopyElems(part, c)
	s.data.Heap = part.Heap
	return c.Shape.Size() * int64(c.ItemBytes), nil
}

// Abort implements formats.Writer; nothing was written.
func (w *writer) Abort() error {
	w.done = true
	return nil
}

// Commit implements formats.Writer.
func (w *writer) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done {
		return fmt.Errorf("formats/csv: commit %s: it is committed or aborted already", w.path)
	}
	w.done = true
	partial := store.Partial(w.path)
	err := w.file(partial)
	if err == nil {
		err = store.Replace(partial, w.path, w.overwrite)
	}
	if err != nil {
		os.Remove(partial)
		return fmt.Errorf("formats/csv: commit %s: %w", w.path, err)
	}
	return nil
}

func (w *writer) file(path string) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	b := bufio.NewWriter(f)
	c := csv.NewWriter(b)
	if w.dims == nil {
		err = w.matrix(c)
	} else {
		err = w.table(c)
	}
	c.Flush()
	// After the first failure, of a full disk say, the others repeat it.
	return cmp.Or(err, c.Error(), b.Flush(), f.Close())
}

func (w *writer) matrix(c *csv.Writer) error {
	s := w.columns[0]
	rows, cols := int64(1), int64(1)
	for i, n := range s.spec.Shape {
		if i == 0 {
			rows = n
		} else {
			cols = n
		}
	}
	row := make([]string, cols)
	for i := range rows {
		for j := range cols {
			row[j] = s.text(i*cols + j)
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	return nil
}

func (w *writer) table(c *csv.Writer) error {
	row := slices.DeleteFunc(slices.Clone(w.dims), func(d string) bool { return d == w.rows })
	for _, s := range w.columns {
		row = append(row, s.spec.Name)
	}
	if len(row) == 0 {
		return nil
	}
	if err := c.Write(row); err != nil {
		return err
	}
	// how far each column moves for a step along each dimension of the rows
	steps := make([][]int64, len(w.columns))
	for i, s := range w.columns {
		steps[i] = make([]int64, len(w.dims))
		for j, d := range s.spec.Dims {
			steps[i][slices.Index(w.dims, d)] = s.data.Strides[j]
		}
	}
	g := chunk.Regular(w.shape, make([]int64, len(w.shape))...)
	for i := range g.Axes {
		g.Axes[i].Step = 1
	}
	k := make(chunk.Key, len(w.dims))
	for n := range w.shape.Size() {
		g.At(n, k)
		row = row[:0]
		for i, d := range w.dims {
			if d == w.rows {
				continue
			}
			if co := w.coords[d]; co != nil {
				row = append(row, co.text(k[i]))
			} else {
				row = append(row, strconv.FormatInt(k[i], 10))
			}
		}
		for i, s := range w.columns {
			at := int64(0)
			for j, x := range k {
				at += x * steps[i][j]
			}
			row = append(row, s.text(at))
		}
		if err := c.Write(row); err != nil {
			return err
		}
	}
	return nil
}

// text returns element i of the variable as the table has it.
func (s *sink) text(i int64) string {
	if f := texts[s.spec.DType]; f != nil {
		return f(s.data, i)
	}
	item := int64(s.data.ItemBytes)
	b := s.data.Block.Bytes()[i*item : (i+1)*item]
	if name, _ := s.spec.Stored.(string); strings.HasPrefix(name, "U") {
		var r []rune
		for ; len(b) >= 4; b = b[4:] {
			if c := rune(b[0]) | rune(b[1])<<8 | rune(b[2])<<16; c != 0 {
				r = append(r, c)
			}
		}
		return string(r)
	}
	return strings.TrimRight(string(b), "\x00")
}

func float(x float64, bits int) string { return strconv.FormatFloat(x, 'g', -1, bits) }

func integer[T int8 | int16 | int32 | int64](c *chunk.Chunk, i int64) string {
	return strconv.FormatInt(int64(chunk.Slice[T](c)[i]), 10)
}

func unsigned[T uint8 | uint16 | uint32 | uint64](c *chunk.Chunk, i int64) string {
	return strconv.FormatUint(uint64(chunk.Slice[T](c)[i]), 10)
}

// complexText is Python's spelling without the parentheses.
func complexText(z complex128, bits int) string {
	im := float(imag(z), bits)
	if im[0] != '-' && im[0] != '+' {
		im = "+" + im
	}
	return float(real(z), bits) + im + "j"
}

// texts spells an element of each numeric dtype.
var texts = [dtype.Count]func(c *chunk.Chunk, i int64) string{
	dtype.Bool:       func(c *chunk.Chunk, i int64) string { return strconv.FormatBool(chunk.Slice[bool](c)[i]) },
	dtype.Int8:       integer[int8],
	dtype.Int16:      integer[int16],
	dtype.Int32:      integer[int32],
	dtype.Int64:      integer[int64],
	dtype.Uint8:      unsigned[uint8],
	dtype.Uint16:     unsigned[uint16],
	dtype.Uint32:     unsigned[uint32],
	dtype.Uint64:     unsigned[uint64],
	dtype.Float16:    func(c *chunk.Chunk, i int64) string { return float(chunk.Slice[dtype.F16](c)[i].Float64(), 32) },
	dtype.BFloat16:   func(c *chunk.Chunk, i int64) string { return float(chunk.Slice[dtype.BF16](c)[i].Float64(), 32) },
	dtype.Float32:    func(c *chunk.Chunk, i int64) string { return float(float64(chunk.Slice[float32](c)[i]), 32) },
	dtype.Float64:    func(c *chunk.Chunk, i int64) string { return float(chunk.Slice[float64](c)[i], 64) },
	dtype.Complex64:  func(c *chunk.Chunk, i int64) string { return complexText(complex128(chunk.Slice[complex64](c)[i]), 32) },
	dtype.Complex128: func(c *chunk.Chunk, i int64) string { return complexText(chunk.Slice[complex128](c)[i], 64) },
	dtype.String:     func(c *chunk.Chunk, i int64) string { return string(formats.Text(c, i)) },
}

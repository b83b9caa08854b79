// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/ndarray/graph"
	"github.com/arrayrun/arrayrun/sched/plan"
)

// scratchFile holds a result that does not fit in memory: every chunk has a slot of the same size in an
// unnamed file. The file is made when the first chunk is written, and is gone when it is closed or the process ends.
type scratchFile struct {
	dir  string
	pool *mem.Pool // of packed copies
	meta formats.ArrayMeta
	slot int64 // bytes
	span int64 // bytes that are read at once where not all of them are wanted

	mu   sync.Mutex
	file *os.File
}

var (
	_ plan.Scratch         = (*scratchFile)(nil)
	_ formats.RegionReader = (*scratchFile)(nil)
)

func newScratchFile(dir string, pool *mem.Pool, n *graph.Node, grid chunk.Grid) *scratchFile {
	item := int64(n.ItemBytes)
	return &scratchFile{dir: dir, pool: pool, span: spanBytes, slot: grid.MaxChunk().Size() * item, meta: formats.ArrayMeta{
		Shape: n.Shape(), DType: n.DType, ItemBytes: n.ItemBytes, Grid: grid, Chunked: true, Bytes: n.Shape().Size() * item}}
}

// Grid returns how the result is cut.
func (s *scratchFile) Grid() chunk.Grid { return s.meta.Grid }

// Meta describes the result.
func (s *scratchFile) Meta() *formats.ArrayMeta { return &s.meta }

// ScratchBytes returns the bytes of a packed copy of a chunk.
func (s *scratchFile) ScratchBytes() int64 { return s.slot }

// open returns the file, made when it is not there yet.
func (s *scratchFile) open() (*os.File, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.file != nil {
		return s.file, nil
	}
	f, err := os.CreateTemp(s.dir, ".arrayrun-spill-*")
	if err != nil {
		return nil, fmt.Errorf("sched: spill %d bytes: %w; name a folder with room with --tmpdir or ARRAYRUN_TMPDIR, or raise --memory", s.meta.Bytes, err)
	}
	if runtime.GOOS != "windows" { // which keeps the names of open files
		// Without a name it is gone even when the process is killed.
		if err := os.Remove(f.Name()); err != nil {
			f.Close()
			return nil, fmt.Errorf("sched: spill: %w", err)
		}
	}
	s.file = f
	return f, nil
}

// Close gives the storage back.
func (s *scratchFile) Close() error {
	f := s.file
	if f == nil {
		return nil
	}
	s.file = nil
	err := f.Close()
	if runtime.GOOS == "windows" {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}

// copyOf returns a packed chunk of c's shape in the bytes of buf.
func copyOf(c *chunk.Chunk, buf *mem.Block) *chunk.Chunk {
	return &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: buf}
}

// WriteChunk stores c in the slot of k.
func (s *scratchFile) WriteChunk(_ context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	f, err := s.open()
	if err != nil {
		return 0, err
	}
	if !c.Contiguous() {
		buf, err := s.pool.Alloc(s.slot)
		if err != nil {
			return 0, err
		}
		defer buf.Release()
		p := copyOf(c, buf)
		formats.CopyElems(p, c)
		c = p
	}
	n, err := f.WriteAt(c.Bytes()[:c.Shape.Size()*int64(s.meta.ItemBytes)], s.meta.Grid.Linear(k)*s.slot)
	if err != nil {
		return int64(n), fmt.Errorf("sched: spill to %s: %w; name a folder with room with --tmpdir or ARRAYRUN_TMPDIR, or raise --memory", filepath.Dir(f.Name()), err)
	}
	return int64(n), nil
}

// ReadChunk reads the chunk at k, which has been written.
func (s *scratchFile) ReadChunk(_ context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	f, err := s.open()
	if err != nil {
		return 0, err
	}
	to := dst
	if !dst.Contiguous() {
		buf, err := s.pool.Alloc(s.slot)
		if err != nil {
			return 0, err
		}
		defer buf.Release()
		to = copyOf(dst, buf)
	}
	n, err := f.ReadAt(to.Bytes()[:dst.Shape.Size()*int64(s.meta.ItemBytes)], s.meta.Grid.Linear(k)*s.slot)
	if err != nil {
		return int64(n), fmt.Errorf("sched: read spilled data: %w", err)
	}
	if to != dst {
		formats.CopyElems(dst, to)
	}
	return int64(n), nil
}

// ReadRegion implements formats.RegionReader: of every chunk what lies in r, run by run.
func (s *scratchFile) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	read := int64(0)
	for k := range s.meta.Grid.Covering(r) {
		if err := ctx.Err(); err != nil {
			return read, err
		}
		whole := s.meta.Grid.Region(k)
		part := whole.Intersect(r)
		to := dst.Sub(formats.Shift(part, r.Lo))
		if part.Equal(whole) {
			n, err := s.ReadChunk(ctx, k, to)
			if read += n; err != nil {
				return read, err
			}
			continue
		}
		n, err := s.readPart(s.meta.Grid.Linear(k)*s.slot, whole.Shape(), formats.Shift(part, whole.Lo), to)
		if read += n; err != nil {
			return read, err
		}
	}
	return read, nil
}

// spanBytes: so much is read at once although not all of it is wanted: that takes about as long as to ask again.
const spanBytes = 32 << 10

// readPart reads region r of a chunk of that shape, which begins at so many bytes.
func (s *scratchFile) readPart(start int64, shape chunk.Shape, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	f, err := s.open()
	if err != nil {
		return 0, err
	}
	// The axes from outer on are read at once, with what lies between as long as that is little.
	outer, steps, item := len(shape), shape.RowMajor(), int64(s.meta.ItemBytes)
	size := r.Shape()
	span := int64(1) // elements from the first to the last, and one
	for outer > 0 {
		wider := span + (size[outer-1]-1)*steps[outer-1]
		if wider*item > s.span && wider != chunk.Shape(size[outer-1:]).Size() {
			break
		}
		outer, span = outer-1, wider
	}
	run := span * item
	strides := append(chunk.Shape(size[:outer]).RowMajor(), steps[outer:]...)
	for i := range outer {
		strides[i] *= span
	}
	packed, err := s.pool.Alloc(chunk.Shape(size[:outer]).Size() * run)
	if err != nil {
		return 0, err
	}
	defer packed.Release()
	buf := packed.Bytes()
	at, n := slices.Clone(r.Lo), int64(0)
	for more := true; more; {
		from := int64(0)
		for i, x := range at {
			from += x * steps[i]
		}
		if _, err := f.ReadAt(buf[n:n+run], start+from*item); err != nil {
			return n, fmt.Errorf("sched: read spilled data: %w", err)
		}
		n += run
		more = false
		for i := outer - 1; i >= 0 && !more; i-- {
			if at[i]++; at[i] < r.Hi[i] {
				more = true
			} else {
				at[i] = r.Lo[i]
			}
		}
	}
	formats.CopyElems(dst, &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: size, Strides: strides, Block: packed})
	return n, nil
}

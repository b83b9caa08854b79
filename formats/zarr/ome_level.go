// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/pyramid"
)

// omeWorkers bounds how many chunks of levels are made at once: each holds the four it covers.
const omeWorkers = 4

// pyramids makes each level of each image from the one before it.
func (w *omeWriter) pyramids(ctx context.Context) error {
	g, err := OpenStore(ctx, w.st)
	if err != nil {
		return err
	}
	for _, m := range w.images {
		in := g
		if m.path != "" {
			if in = below(g, m.path); in == nil {
				return fmt.Errorf("%s: the group is not there: %w", m.path, formats.ErrCorrupt)
			}
		}
		for l := 1; l < len(m.levels); l++ {
			v := groupVar(in, fmt.Sprint(l-1))
			if v == nil || v.Source == nil {
				return fmt.Errorf("%s/%d: the array is not there: %w", m.path, l-1, formats.ErrCorrupt)
			}
			if err := m.reduce(ctx, v.Source, w.writer.sinks[m.first+l]); err != nil {
				return err
			}
		}
	}
	return nil
}

func groupVar(g *formats.Group, name string) *formats.Var {
	for i := range g.Vars {
		if g.Vars[i].Name == name {
			return &g.Vars[i]
		}
	}
	return nil
}

// reduce writes a level of half the height and width of from.
func (m *omeImage) reduce(ctx context.Context, from formats.Source, to *sink) error {
	g := to.Grid()
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make([]error, min(omeWorkers, runtime.GOMAXPROCS(0)))
	for j := range errs {
		wg.Go(func() {
			for errs[j] == nil {
				i := next.Add(1) - 1
				if i >= g.Len() {
					return
				}
				errs[j] = m.piece(ctx, from, to, g.At(i, nil))
			}
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// piece makes one chunk of a level.
func (m *omeImage) piece(ctx context.Context, from formats.Source, to *sink, k chunk.Key) error {
	meta := from.Meta()
	r := to.Grid().Region(k)
	n := len(r.Lo)
	wide := r.Clone()
	for _, i := range []int{n - 2, n - 1} {
		wide.Lo[i], wide.Hi[i] = 2*r.Lo[i], min(2*r.Hi[i], meta.Shape[i])
	}
	src, dst := flat(meta, wide.Shape()), flat(meta, r.Shape())
	if _, err := formats.ReadRegion(ctx, from, wide, src); err != nil {
		return err
	}
	var fill []byte
	if has(m.spec.Attrs, "_FillValue") {
		fill = meta.Fill
	}
	pyramid.Halve(dst, src, n-2, m.nearest(), fill)
	_, err := to.WriteChunk(ctx, k, dst)
	return err
}

func flat(m *formats.ArrayMeta, shape chunk.Shape) *chunk.Chunk {
	return &chunk.Chunk{DType: m.DType, ItemBytes: int32(m.ItemBytes), Shape: shape, Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*int64(m.ItemBytes)))}
}

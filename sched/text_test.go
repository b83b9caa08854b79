// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
)

// textSource holds texts in chunks, each with a heap of its own.
type textSource struct {
	meta  formats.ArrayMeta
	texts []string
}

func newTexts(step int64, texts ...string) *textSource {
	g := chunk.Regular(chunk.Shape{int64(len(texts))}, step)
	return &textSource{formats.ArrayMeta{Shape: g.Shape, DType: dtype.String, ItemBytes: 16, Grid: g}, texts}
}

func (s *textSource) Meta() *formats.ArrayMeta { return &s.meta }
func (s *textSource) ScratchBytes() int64      { return 0 }
func (s *textSource) ReadChunk(_ context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	r := s.meta.Grid.Region(k)
	dst.Heap = []byte("junk before")
	for i := range dst.Shape[0] {
		formats.SetText(dst, i, []byte(s.texts[r.Lo[0]+i]))
	}
	return 0, nil
}

func texts(t *testing.T, e *Engine, a ndarray.Array) []string {
	t.Helper()
	out := make([]string, a.Shape().Size())
	err := e.Run(context.Background(), []ndarray.Output{{Array: a, Each: func(at chunk.Region, c *chunk.Chunk) error {
		flat := heapChunk(dtype.String, c.Shape)
		formats.CopyElems(flat, c)
		for i := range c.Shape[0] {
			out[at.Lo[0]+i] = string(formats.Text(flat, i))
		}
		return nil
	}}})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// TestTextsAreCarried checks that texts are selected, joined and copied, and not computed with.
func TestTextsAreCarried(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	list := []string{"Oslo", "", "Reykjavík", "Bergen", "Tromsø"}
	a := ndarray.FromSource(newTexts(2, list...), "stations")
	if got := texts(t, e, a); !slices.Equal(got, list) {
		t.Errorf("got %q, want %q", got, list)
	}
	if got, want := texts(t, e, a.Index(ndarray.Take([]int64{4, 0, 2, 2}))), []string{"Tromsø", "Oslo", "Reykjavík", "Reykjavík"}; !slices.Equal(got, want) {
		t.Errorf("take: got %q, want %q", got, want)
	}
	if got, want := texts(t, e, a.Index(ndarray.Reversed())), []string{"Tromsø", "Bergen", "Reykjavík", "", "Oslo"}; !slices.Equal(got, want) {
		t.Errorf("reversed: got %q, want %q", got, want)
	}
	both := ndarray.Concat(0, a, ndarray.FromSource(newTexts(1, "Narvik", "Bodø"), "more"))
	if got, want := texts(t, e, both), append(slices.Clone(list), "Narvik", "Bodø"); !slices.Equal(got, want) {
		t.Errorf("concat: got %q, want %q", got, want)
	}
	if _, err := ndarray.Compute(context.Background(), e, a.Reduce("max", ndarray.ReduceOptions{})); !errors.Is(err, kernels.ErrUnsupported) && err == nil {
		t.Errorf("max of texts: got no error")
	}
}

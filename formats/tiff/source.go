// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// series is an array made of pages of one layout: leading axes count pages, the others are a page's own.
type series struct {
	name   string
	axes   string // a letter for each axis; leading ones first
	shape  chunk.Shape
	lead   int             // leading axes
	pages  []*page         // of each position of the leading axes, in C order; nil: never stored
	absent map[int64]error // why a position that has no page cannot be read; none: it was never stored
	planes int64           // > 1: pages holds one, whose pixels so many planes lie behind each other in the file
	levels []*series
	names  []string // of dimensions, where the description has them
	attrs  formats.Attrs
	shaped string // how the series was found, for the law of pyramids
}

// first returns the page that describes the layout.
func (s *series) first() *page {
	for _, p := range s.pages {
		if p != nil {
			return p
		}
	}
	return nil
}

// source is the formats.Source of a series.
type source struct {
	s    *series
	p    *page // that describes the layout
	meta formats.ArrayMeta
	at   [3]int // the axes of rows, columns and samples; -1: there are no samples
}

// newSource makes the source of a series; err says why nothing can be read, the source still describes it.
func newSource(s *series) (*source, error) {
	p := s.first()
	src := &source{s: s, p: p, at: [3]int{-1, -1, -1}}
	steps := make([]int64, len(s.shape))
	for i, a := range s.axes {
		switch steps[i] = 1; {
		case i < s.lead:
		case a == 'Y':
			src.at[0], steps[i] = i, p.segHeight
		case a == 'X':
			src.at[1], steps[i] = i, p.segWidth
		case a == 'S':
			if src.at[2] = i; !p.planar {
				steps[i] = s.shape[i]
			}
		}
	}
	m := &src.meta
	*m = formats.ArrayMeta{Shape: s.shape, DType: p.dtype, ItemBytes: p.dtype.Size(), Chunked: true, Stored: p.dtype.String(), Bytes: -1}
	if p.dtype == dtype.Invalid {
		m.DType, m.ItemBytes = dtype.Raw, (p.bits+7)/8
		m.Stored = fmt.Sprintf("opaque%d", m.ItemBytes)
	}
	if p.bits > 8 {
		m.ByteOrder = "little"
		if p.f.order.Uint16([]byte{0, 1}) == 1 {
			m.ByteOrder = "big"
		}
	}
	switch p.predictor {
	case 2:
		m.Codecs = append(m.Codecs, "delta")
	case 3:
		m.Codecs = append(m.Codecs, "float-delta")
	}
	if c := compressions[p.compression].name; p.compression != compressNone {
		if c == "" {
			c = fmt.Sprintf("compression-%d", p.compression)
		}
		m.Codecs = append(m.Codecs, c)
	}
	m.Grid = chunk.Grid{Shape: s.shape, Axes: make([]chunk.Axis, len(s.shape))}
	for i, n := range s.shape {
		m.Grid.Axes[i] = chunk.Axis{Len: n, Step: min(steps[i], max(n, 1))}
		if i == src.at[0] || i == src.at[1] {
			m.Grid.Axes[i].Step = steps[i] // a tile may be larger than the image
		}
	}
	if _, err := s.shape.Bytes(int64(m.ItemBytes)); err != nil {
		return src, fmt.Errorf("%w: %w", err, formats.ErrCorrupt)
	}
	src.fill()
	if p.err != nil {
		return src, p.err
	}
	return src, nil
}

// fill takes the value of tiles never written from the attribute _FillValue; without it they are zeros.
func (src *source) fill() {
	if b, ok := nodata(src.p); ok {
		src.meta.Fill, src.meta.FillSet = b, true
	}
}

// Meta implements formats.Source.
func (src *source) Meta() *formats.ArrayMeta { return &src.meta }

// ScratchBytes implements formats.Source: the stored bytes, the unpacked and the decoded segment, decoder state.
func (src *source) ScratchBytes() int64 {
	p := src.p
	n := p.segHeight * p.rowBytes()
	return 3*n + 64<<10 + p.segHeight*p.segWidth*int64(p.inPixel()*p.dtype.Size()) + 8*n*int64(map[bool]int{true: 1}[p.compression == compressJPEG]) + 1<<20
}

// ReadChunk implements formats.Source.
func (src *source) ReadChunk(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	n, err := src.read(ctx, k, dst)
	if err != nil {
		return n, fmt.Errorf("formats/tiff: %s chunk %v: %w", src.s.name, []int64(k), err)
	}
	return n, nil
}

func (src *source) read(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	if src.p.err != nil {
		return 0, src.p.err
	}
	p := src.s.pages[src.page(k)]
	if err := src.s.absent[src.page(k)]; err != nil {
		return 0, err
	}
	if p == nil {
		formats.FillElems(dst, src.meta.Fill)
		return 0, nil
	}
	n := src.segmentOf(p, k)
	height := p.segHeight // a tile has all its rows, the last strip may be shorter
	if !p.tiled {
		height = min(height, p.height-k[src.at[0]]*height)
	}
	s := codec.Borrow()
	defer s.Return()
	own := chunk.Shape{height, p.segWidth, int64(p.inPixel())}
	size := own.Size() * int64(p.dtype.Size())
	view := src.view(dst)
	var out []byte
	direct := view.Shape.Equal(own) && view.Contiguous()
	if direct {
		out = view.Bytes()
	} else {
		buf := spare.Get().(*[]byte)
		defer spare.Put(buf)
		*buf = codec.Grow(*buf, int(size))
		out = *buf
	}
	read, ok, err := p.elements(ctx, n, height, out, s)
	switch {
	case err != nil:
		return read, err
	case !ok:
		formats.FillElems(dst, src.meta.Fill)
	case !direct:
		whole := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: own, Strides: own.RowMajor(), Block: mem.Wrap(out)}
		formats.CopyElems(view, whole.Sub(chunk.Whole(view.Shape)))
	}
	return read, nil
}

// view returns dst as rows, columns and the samples of a segment.
func (src *source) view(dst *chunk.Chunk) *chunk.Chunk {
	v := &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Offset: dst.Offset, Block: dst.Block,
		Shape: chunk.Shape{dst.Shape[src.at[0]], dst.Shape[src.at[1]], 1}, Strides: []int64{dst.Strides[src.at[0]], dst.Strides[src.at[1]], 1}}
	if s := src.at[2]; s >= 0 && !src.p.planar {
		v.Shape[2], v.Strides[2] = dst.Shape[s], dst.Strides[s]
	}
	return v
}

// StoredBytes implements formats.Sizer: the sum of the segments' sizes.
func (src *source) StoredBytes(ctx context.Context) (int64, error) {
	if src.s.planes > 1 {
		return src.s.planes * src.p.nbytes(), nil
	}
	total := int64(0)
	for _, p := range src.s.pages {
		if p == nil {
			continue
		}
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		if p.once.Do(p.list); p.listErr != nil {
			return -1, p.listErr
		}
		for _, n := range p.counts {
			total += max(n, 0)
		}
	}
	return total, nil
}

// dims returns the names of the dimensions.
func (s *series) dims() []string {
	out := make([]string, len(s.axes))
	seen := map[string]int{}
	for i, a := range s.axes {
		name := strings.ToLower(string(a))
		if a == 'I' {
			name = "page"
		}
		if s.names != nil && s.names[i] != "" {
			name = s.names[i]
		}
		if seen[name]++; seen[name] > 1 {
			name = fmt.Sprintf("%s_%d", name, seen[name])
		}
		out[i] = name
	}
	return out
}

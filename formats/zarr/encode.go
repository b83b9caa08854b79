// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"encoding/binary"
	"math"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// encode returns the stored bytes of c, a whole unit of p in the axes p sees, in memory of their own. A unit of
// nothing but fill values inside a shard gives none.
func (a *array) encode(p *pipeline, c *chunk.Chunk, s *codec.Scratch) ([]byte, error) {
	if o := p.chain.Order; o != nil {
		view := *c
		view.Shape, view.Strides = permute(c.Shape, o), permute(c.Strides, o)
		c = &view
	}
	var raw []byte
	switch {
	case p.shard != nil:
		var err error
		if raw, err = a.encodeShard(p.shard, c, s); err != nil {
			return nil, err
		}
	case p.vlen != "":
		raw = appendTexts(nil, c, c.Shape, nil)
	default:
		raw = make([]byte, c.Shape.Size()*int64(a.el.item))
		formats.CopyElems(&chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: wrap(raw)}, c)
	}
	return p.chain.Encode(make([]byte, 0, p.chain.Bound(len(raw))), raw, s)
}

// encodeShard makes the bytes of a shard: its chunks that are not all fill value, and the index on the side the metadata says.
func (a *array) encodeShard(sh *shard, c *chunk.Chunk, s *codec.Scratch) ([]byte, error) {
	index := make([]byte, 0, sh.raw)
	var data []byte
	base := 0
	if sh.indexAt == "start" {
		base = sh.stored
	}
	for k := range chunk.Regular(sh.counts, ones(len(sh.counts))...).Covering(chunk.Whole(sh.counts)) {
		r := chunk.Region{Lo: make(chunk.Shape, len(k)), Hi: make(chunk.Shape, len(k))}
		for i, x := range k {
			r.Lo[i] = x * sh.inner.shape[i]
			r.Hi[i] = r.Lo[i] + sh.inner.shape[i]
		}
		part := c.Sub(r)
		off, n := uint64(math.MaxUint64), uint64(math.MaxUint64)
		if !a.isFill(part) {
			enc, err := a.encode(sh.inner, part, s)
			if err != nil {
				return nil, err
			}
			off, n = uint64(base+len(data)), uint64(len(enc))
			data = append(data, enc...)
		}
		index = binary.NativeEndian.AppendUint64(binary.NativeEndian.AppendUint64(index, off), n)
	}
	enc, err := sh.index.Encode(make([]byte, 0, sh.stored), index, s)
	if err != nil {
		return nil, err
	}
	if base > 0 {
		return append(append(make([]byte, 0, len(enc)+len(data)), enc...), data...), nil
	}
	return append(data, enc...), nil
}

// isFill reports whether every element of c is the fill value.
func (a *array) isFill(c *chunk.Chunk) bool {
	n := c.Shape.Size()
	flat := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: c.Shape, Strides: c.Shape.RowMajor(), Block: wrap(make([]byte, n*int64(a.el.item)))}
	formats.CopyElems(flat, c)
	if !a.texts() {
		return isFill(flat.Bytes(), a.meta.Fill, a.el.item)
	}
	for i := range n {
		if string(formats.Text(flat, i)) != string(a.meta.Fill) {
			return false
		}
	}
	return true
}

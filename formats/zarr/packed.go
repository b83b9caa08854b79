// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"io/fs"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

var _ formats.PackedReader = (*array)(nil)

// Packing implements formats.PackedReader. The inner chunks of shards are decoded whole.
func (a *array) Packing() formats.Packing {
	if a.meta.Shards != nil || a.top.shard != nil || a.top.vlen != "" || a.meta.DType.Size() != a.el.item {
		return formats.Native
	}
	_, p := a.top.chain.Unfinished()
	return p
}

// PackedShape implements formats.PackedReader.
func (a *array) PackedShape(k chunk.Key) chunk.Shape {
	full := make(chunk.Shape, len(k))
	for i, x := range k {
		full[i] = a.full(i, x)
	}
	return full
}

// ReadPacked implements formats.PackedReader.
func (a *array) ReadPacked(ctx context.Context, k chunk.Key, dst *chunk.Chunk) (left bool, read int64, err error) {
	s := codec.Borrow()
	defer s.Return()
	src := a.at(nil, k)
	p := *a.top
	p.chain, _ = p.chain.Unfinished()
	err = a.decode(ctx, &src, &p, nil, a.PackedShape(k), dst, s, &read)
	if errors.Is(err, fs.ErrNotExist) {
		formats.FillElems(dst, a.meta.Fill)
		return false, read, nil
	}
	if err != nil {
		return false, read, a.failed(k, src.key, err)
	}
	return true, read, nil
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

var _ formats.RefSource = (*array)(nil)

// RefGrid implements formats.RefSource.
func (a *array) RefGrid() chunk.Grid { return a.meta.Grid }

// Ref implements formats.RefSource: the key of the chunk, with its place in a shard. A shard that a codec
// follows has no places: the reference is the whole of it.
func (a *array) Ref(ctx context.Context, k chunk.Key) (formats.ChunkRef, error) {
	s := codec.Borrow()
	defer s.Return()
	prefix := a.path
	if prefix != "" {
		prefix += "/"
	}
	unit, local := make([]int64, len(k)), make([]int64, len(k))
	copy(unit, k)
	if a.meta.Shards != nil {
		for i, x := range k {
			per := a.unit[i][0] / a.meta.Grid.Axes[i].Step
			unit[i], local[i] = x/per, x%per
		}
	}
	src := source{a: a, key: string(a.keys.append([]byte(prefix), unit)), size: -1}
	ref := formats.ChunkRef{Key: src.key, Len: -1}
	if _, err := a.st.Stat(ctx, src.key); errors.Is(err, fs.ErrNotExist) {
		ref.Missing = true
		return ref, nil
	}
	var read int64
	_, _, missing, err := a.descend(ctx, &src, local, s, &read)
	if err != nil {
		return ref, fmt.Errorf("formats/zarr: %s chunk %s: %w (%s/%s)", a.name, keyText(k), err, a.st.Name(), src.key)
	}
	ref.Missing = missing
	if src.mem == nil && src.size >= 0 {
		ref.Off, ref.Len = src.off, src.size
	}
	return ref, nil
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"strconv"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// descend narrows src from a stored unit to the chunk at the local position inside it, through
// every level of sharding. It returns the chunk's pipeline and the stored order of its axes in array
// axes; missing when the shard or the chunk in it was never written.
func (a *array) descend(ctx context.Context, src *source, local []int64, s *codec.Scratch, read *int64) (p *pipeline, order []int, missing bool, err error) {
	p = a.top
	order = p.chain.Order
	if p.shard == nil {
		return p, order, false, nil
	}
	pos := permute(local, order)
	for p.shard != nil {
		sh := p.shard
		if !p.chain.Plain() {
			if missing, err := a.unpack(ctx, src, p, s, read); err != nil || missing {
				return p, nil, missing, err
			}
		}
		// the position of the inner unit: how many chunks lie in one along each axis
		n, inner := int64(0), make([]int64, len(pos))
		leaf := leafSteps(sh.inner)
		for i := range pos {
			per := sh.inner.shape[i] / leaf[i]
			inner[i] = pos[i] % per
			n = n*sh.counts[i] + pos[i]/per
		}
		idx, err := a.index(ctx, src, sh, s, read)
		if errors.Is(err, fs.ErrNotExist) {
			return p, nil, true, nil
		}
		if err != nil {
			return p, nil, false, err
		}
		off, size := idx[2*n], idx[2*n+1]
		if off == math.MaxUint64 && size == math.MaxUint64 {
			return p, nil, true, nil
		}
		if off > math.MaxInt64 || size > math.MaxInt64 || off+size > math.MaxInt64 || src.size >= 0 && int64(off+size) > src.size {
			return p, nil, false, fmt.Errorf("codec sharding_indexed: chunk %d lies at %d, %d bytes long, outside its shard: %w", n, off, size, formats.ErrCorrupt)
		}
		if src.size < 0 {
			src.off = 0
		}
		src.off, src.size = src.off+int64(off), int64(size)
		p = sh.inner
		if o := p.chain.Order; o != nil {
			if order == nil {
				order = o
			} else {
				next := make([]int, len(o))
				for i, x := range o {
					next[i] = order[x]
				}
				order = next
			}
			inner = permute(inner, o)
		}
		pos = inner
	}
	return p, order, false, nil
}

// leafSteps returns the shape of the innermost chunks in the axes of p's own shape.
func leafSteps(p *pipeline) []int64 {
	if p.shard == nil {
		return p.shape
	}
	in := leafSteps(p.shard.inner)
	if p.chain.Order == nil {
		return in
	}
	out := make([]int64, len(in))
	for i, o := range p.chain.Order {
		out[o] = in[i]
	}
	return out
}

// unpack decodes the codecs behind a sharding codec: the whole shard must be read for each chunk.
func (a *array) unpack(ctx context.Context, src *source, p *pipeline, s *codec.Scratch, read *int64) (missing bool, err error) {
	limit := p.bound(a.el.item)
	if a.texts() {
		limit = maxTexts
	}
	enc, err := src.get(ctx, store.All, 2*int64(limit)+64<<10, s.Enc, read)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	raw, err := p.chain.DecodeAny(enc, limit, s)
	if err != nil {
		return false, err
	}
	*src = source{a: a, key: src.key, mem: append(make([]byte, 0, len(raw)+1), raw...), size: int64(len(raw))}
	return false, nil
}

// index returns the decoded index of the shard in src, from the cache where it is there.
func (a *array) index(ctx context.Context, src *source, sh *shard, s *codec.Scratch, read *int64) ([]uint64, error) {
	key := ""
	if src.mem == nil {
		key = src.key + "#" + strconv.FormatInt(src.off, 10)
		if idx := a.idx.get(key); idx != nil {
			return idx, nil
		}
	}
	r := store.Suffix(int64(sh.stored))
	if sh.indexAt == "start" {
		r = store.Range{Off: 0, Len: int64(sh.stored)}
	}
	enc, err := src.get(ctx, r, int64(sh.stored), s.Enc, read)
	if err != nil {
		return nil, err
	}
	if src.mem == nil {
		s.Enc = enc
	}
	raw := make([]byte, sh.raw)
	if err := sh.index.Decode(raw, enc, s); err != nil {
		return nil, fmt.Errorf("shard index: %w", err)
	}
	idx := make([]uint64, sh.raw/8)
	for i := range idx {
		idx[i] = binary.NativeEndian.Uint64(raw[8*i:])
	}
	if key != "" {
		a.idx.put(key, idx)
	}
	return idx, nil
}

// indexCache keeps the indexes of the shards read last.
type indexCache struct {
	mu    sync.Mutex
	byKey map[string][]uint64
	order []string
	bytes int
}

// maxCached bounds an array's cached indexes; at least one is kept.
const maxCached = 4 << 20

func (c *indexCache) get(key string) []uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.byKey[key]
}

func (c *indexCache) put(key string, idx []uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byKey == nil {
		c.byKey = map[string][]uint64{}
	}
	if _, ok := c.byKey[key]; ok {
		return
	}
	c.byKey[key] = idx
	c.order = append(c.order, key)
	c.bytes += 8 * len(idx)
	for c.bytes > maxCached && len(c.order) > 1 {
		c.bytes -= 8 * len(c.byKey[c.order[0]])
		delete(c.byKey, c.order[0])
		c.order = c.order[1:]
	}
}

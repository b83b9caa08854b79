// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// setShards makes the sink's grid one of shards, where they are asked for: a shard is written by one
// owner, at once. It is a whole number of chunks, and no longer than the axis needs.
func (s *sink) setShards(v *formats.VarSpec, version int) error {
	if v.Shards == nil || len(v.Shape) == 0 {
		return nil
	}
	if version != 3 {
		return fmt.Errorf("shards %v: Zarr version 2 has none; write version 3: %w", v.Shards, formats.ErrFormat)
	}
	if len(v.Shards) != len(v.Shape) {
		return fmt.Errorf("shards %v for shape %v: %w", v.Shards, v.Shape, chunk.ErrShape)
	}
	s.shard = make(chunk.Shape, len(v.Shape))
	count := int64(1)
	for i, n := range v.Shape {
		step := s.full[i]
		per := max((min(v.Shards[i], n)+step-1)/step, 1)
		s.shard[i] = per * step
		s.grid.Axes[i].Step = s.shard[i]
		if count *= per; count > maxIndex/16 {
			return fmt.Errorf("shards %v of chunks %v hold too many of them; ask for smaller ones: %w", v.Shards, s.full, formats.ErrFormat)
		}
	}
	if b, err := s.shard.Bytes(int64(s.el.item)); err != nil || b > maxChunkBytes {
		return fmt.Errorf("shards %v are too large: %w", s.shard, formats.ErrFormat)
	}
	return nil
}

// shardCodecs wraps the codecs of a chunk; the index lies at the end, with its checksum.
func (s *sink) shardCodecs(inner []any) []any {
	index := []any{object{{"name", "bytes"}, {"configuration", object{{"endian", "little"}}}}, object{{"name", "crc32c"}}}
	return []any{object{{"name", "sharding_indexed"}, {"configuration", object{{"chunk_shape", list(s.full)}, {"codecs", inner},
		{"index_codecs", index}, {"index_location", "end"}}}}}
}

// inShard returns the chunks a shard holds.
func (s *sink) inShard() int64 {
	n := int64(1)
	for i := range s.shard {
		n *= s.shard[i] / s.full[i]
	}
	return n
}

// shardBound is an upper bound of the bytes of a shard.
func (s *sink) shardBound() int64 {
	return s.inShard()*int64(s.chain.Bound(int(s.full.Size())*s.el.item)+16) + 4
}

var shardRoom = sync.Pool{New: func() any { return new([]byte) }}

// encodeShard appends the shard of which c is what lies inside the array: its chunks that are not all fill value,
// then the index. A shard without any is empty.
func (s *sink) encodeShard(dst []byte, c *chunk.Chunk, z *codec.Scratch) ([]byte, error) {
	counts := make(chunk.Shape, len(s.shard))
	for i := range counts {
		counts[i] = s.shard[i] / s.full[i]
	}
	index := make([]byte, 0, 16*counts.Size()+4)
	some := false
	for k := range chunk.Regular(counts, ones(len(counts))...).Covering(chunk.Whole(counts)) {
		r := chunk.Region{Lo: make(chunk.Shape, len(k)), Hi: make(chunk.Shape, len(k))}
		for i, x := range k {
			r.Lo[i] = x * s.full[i]
			r.Hi[i] = r.Lo[i] + s.full[i]
		}
		part := r.Intersect(chunk.Whole(c.Shape))
		var enc []byte
		if !part.Empty() {
			var err error
			if enc, err = s.encode(c.Sub(part), z); err != nil {
				return dst, err
			}
		}
		off, n := uint64(math.MaxUint64), uint64(math.MaxUint64)
		if len(enc) > 0 {
			some = true
			off, n = uint64(len(dst)), uint64(len(enc))
			dst = append(dst, enc...)
		}
		index = binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(index, off), n)
	}
	if !some {
		return dst[:0], nil
	}
	return append(dst, codec.AppendCRC32C(index)...), nil
}

func ones(n int) []int64 {
	out := make([]int64, n)
	for i := range out {
		out[i] = 1
	}
	return out
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// decodeSlack is the room behind a buffer that lets inflate run its fast loop to the end.
const decodeSlack = 512

// between holds the results between two filters.
type between [2][]byte

var betweens = sync.Pool{New: func() any { return new(between) }}

// decode undoes filters, given in the order of undoing; dst has the decoded size.
func decode(steps []step, dst, src []byte, sc *codec.Scratch) error {
	if last := len(steps) - 1; last >= 0 {
		tmp := betweens.Get().(*between)
		defer betweens.Put(tmp)
		var err error
		if src, err = tmp.decode(steps[:last], len(dst), src, sc); err != nil {
			return err
		}
		if src, err = steps[last].decode(dst, src, sc); err != nil {
			return fmt.Errorf("%s: %w", steps[last].name, err)
		}
	}
	if len(src) != len(dst) {
		return fmt.Errorf("decoded to %d bytes, want %d: %w", len(src), len(dst), formats.ErrCorrupt)
	}
	if len(dst) > 0 && &src[0] != &dst[0] {
		copy(dst, src)
	}
	return nil
}

// decodeRows is decode of n bytes, the last filter part by part into rows.
func decodeRows(steps []step, to *codec.Rows, n int, src []byte, sc *codec.Scratch) error {
	tmp := betweens.Get().(*between)
	defer betweens.Put(tmp)
	last := len(steps) - 1
	src, err := tmp.decode(steps[:last], n, src, sc)
	if err != nil {
		return err
	}
	if err := steps[last].put(to, n, src, sc); err != nil {
		return fmt.Errorf("%s: %w", steps[last].name, err)
	}
	return nil
}

// decode undoes the filters that come before the last one, of a chunk of n bytes.
func (b *between) decode(steps []step, n int, src []byte, sc *codec.Scratch) ([]byte, error) {
	for i, st := range steps {
		// a filter that comes before may have made its input longer
		b[i&1] = codec.Grow(b[i&1], n+n/64+4096)
		var err error
		if src, err = st.decode(b[i&1], src, sc); err != nil {
			return nil, fmt.Errorf("%s: %w", st.name, err)
		}
	}
	return src, nil
}

// widen gives the elements of c, in the machine's byte order, their value where the type uses only some bits of
// each number: those from low on, sign extended.
func (s storage) widen(c *chunk.Chunk) {
	if s.bits == 0 {
		return
	}
	signed, size := s.dtype.Kind() == dtype.KindInt, s.width
	var walk func(axis int, at int64)
	walk = func(axis int, at int64) {
		if axis < len(c.Shape) {
			for range c.Shape[axis] {
				walk(axis+1, at)
				at += c.Strides[axis]
			}
			return
		}
		s.widenOne(c.Block.Bytes()[at*int64(size):][:size], signed)
	}
	walk(0, c.Offset)
}

func (s storage) widenOne(b []byte, signed bool) {
	var t [8]byte
	copy(t[:], b)
	v := binary.NativeEndian.Uint64(t[:]) << (64 - s.low - s.bits)
	if signed {
		v = uint64(int64(v) >> (64 - s.bits))
	} else {
		v >>= 64 - s.bits
	}
	binary.NativeEndian.PutUint64(t[:], v)
	copy(b, t[:len(b)])
}

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
	var tmp *between
	for i, st := range steps {
		out := dst
		if i < len(steps)-1 {
			if tmp == nil {
				tmp = betweens.Get().(*between)
				defer betweens.Put(tmp)
			}
			// A filter that comes before may have made its input longer.
			n := len(dst) + len(dst)/64 + 4096
			tmp[i&1] = codec.Grow(tmp[i&1], n)
			out = tmp[i&1]
		}
		var err error
		if src, err = st.decode(out, src, sc); err != nil {
			return fmt.Errorf("%s: %w", st.name, err)
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

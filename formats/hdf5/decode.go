// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"fmt"
	"sync"

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

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"errors"
	"io"

	"github.com/pierrec/lz4/v4"
)

// LZ4Frame decodes the LZ4 frame in src into dst and returns the bytes written. A frame that holds more than dst is an error.
func LZ4Frame(dst, src []byte) (int, error) {
	r := lz4.NewReader(bytes.NewReader(src))
	n, err := io.ReadFull(r, dst)
	if err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
		return n, corrupt("lz4", "a frame of %d bytes: %v", len(src), err)
	}
	if err == nil {
		var one [1]byte
		if k, err := r.Read(one[:]); k > 0 || !errors.Is(err, io.EOF) {
			return n, full("lz4", "a frame of %d bytes decodes to more than %d: %v", len(src), len(dst), err)
		}
	}
	return n, nil
}

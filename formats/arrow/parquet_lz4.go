// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"encoding/binary"

	"github.com/arrayrun/arrayrun/formats/codec"
)

// lz4Block decodes one LZ4 block that fills dst.
func lz4Block(dst, src []byte, s *codec.Scratch) error {
	in := le.AppendUint32(make([]byte, 0, len(src)+4), uint32(len(dst))) // our codec's block says its length first
	_, err := lz4.Decode(dst, append(in, src...), s)
	return err
}

// hadoopLZ4 decodes the codec that Parquet calls LZ4, which two kinds of writers understood differently: blocks behind their decoded and
// stored lengths, big endian, as Hadoop has them, or one block without lengths. As in Arrow's reader, what is not the first is the second.
func hadoopLZ4(dst, src []byte, s *codec.Scratch) error {
	out, in := dst, src
	for len(in) >= 8 {
		n, m := binary.BigEndian.Uint32(in), binary.BigEndian.Uint32(in[4:])
		if in = in[8:]; uint64(n) > uint64(len(out)) || uint64(m) > uint64(len(in)) || lz4Block(out[:n], in[:m], s) != nil {
			break
		}
		out, in = out[n:], in[m:]
		if len(out)+len(in) == 0 {
			return nil
		}
	}
	return lz4Block(dst, src, s)
}

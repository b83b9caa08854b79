// SPDX-License-Identifier: BSD-3-Clause

package codec

import "encoding/binary"

// lzfStage reads the LZF filter of h5py: liblzf's format.
type lzfStage struct{}

func newLZF([]uint32, int) (Stage, error) { return lzfStage{}, nil }

// Decode implements Stage.
func (lzfStage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	n := 0
	for i := 0; i < len(src); {
		c := int(src[i])
		i++
		if c < 32 {
			if i+c+1 > len(src) || n+c+1 > len(dst) {
				return nil, corrupt("lzf", "bad code near byte %d of %d", i, len(src))
			}
			n += copy(dst[n:], src[i:i+c+1])
			i += c + 1
			continue
		}
		l := c >> 5
		if l == 7 && i < len(src) {
			l += int(src[i])
			i++
		}
		if i >= len(src) {
			return nil, corrupt("lzf", "cut off at byte %d", len(src))
		}
		ref := n - (c&31)<<8 - int(src[i]) - 1
		i++
		if ref < 0 || n+l+2 > len(dst) {
			return nil, corrupt("lzf", "bad code near byte %d of %d", i, len(src))
		}
		for k := range l + 2 {
			dst[n+k] = dst[ref+k]
		}
		n += l + 2
	}
	return dst[:n], nil
}

func (lzfStage) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("lzf") }

func (lzfStage) Bound(n int) int { return n + n/16 + 64 }

// lz4Filter reads HDF5's LZ4 filter: the decoded length and a block length, then blocks behind
// their lengths; a block as long as its data is stored as it is. Numbers are big endian.
// Specification: HDF5 registered filter 32004, HDF5_LZ4.pdf.
type lz4Filter struct{}

func newLZ4Filter([]uint32, int) (Stage, error) { return lz4Filter{}, nil }

// Decode implements Stage.
func (lz4Filter) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if len(src) < 12 {
		return nil, corrupt("lz4", "%d bytes, want a header of 12", len(src))
	}
	be := binary.BigEndian
	n, block := be.Uint64(src), uint64(be.Uint32(src[8:]))
	if n > uint64(len(dst)) || block == 0 && n > 0 {
		return nil, full("lz4", "decoded length %d in blocks of %d, want at most %d", n, block, len(dst))
	}
	src, dst = src[12:], dst[:n]
	for at := uint64(0); at < n; at += block {
		out := dst[at:min(at+block, n)]
		part, rest, err := lengthBefore("lz4", src)
		if err != nil {
			return nil, err
		}
		if src = rest; len(part) == len(out) {
			copy(out, part)
		} else if err := lz4Block(out, part); err != nil {
			return nil, err
		}
	}
	return dst, nil
}

func (lz4Filter) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("lz4") }

func (lz4Filter) Bound(n int) int { return n + n/255 + 4*(n/64+2) + 64 }

// lengthBefore cuts src behind the bytes whose big-endian 32-bit length comes first.
func lengthBefore(codec string, src []byte) (part, rest []byte, err error) {
	if len(src) < 4 {
		return nil, nil, corrupt(codec, "a block's length is cut off")
	}
	n := uint64(binary.BigEndian.Uint32(src))
	if src = src[4:]; n > uint64(len(src)) {
		return nil, nil, corrupt(codec, "a block has %d bytes, %d are left", n, len(src))
	}
	return src[:n], src[n:], nil
}

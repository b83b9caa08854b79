// SPDX-License-Identifier: BSD-3-Clause

package clib

// Unpacker decodes Zstandard frames with libzstd. It is for one goroutine at a time.
type Unpacker struct{ state }

// NewUnpacker returns nil where there is no library.
func NewUnpacker() *Unpacker {
	u := &Unpacker{}
	if !u.start(LibZstd, newDCtx, freeDCtx) {
		return nil
	}
	return u
}

// Unpack decodes the frames in src into dst and returns the length of the output; ok is false where the library does not take them.
func (u *Unpacker) Unpack(dst, src []byte) (n int, ok bool) {
	r := call(u.lib.fns[decompress], u.at, u.pin(dst), uintptr(len(dst)), u.pin(src), uintptr(len(src)))
	u.unpin()
	return int(r), r <= uintptr(len(dst))
}

// Packer makes Zstandard frames with libzstd. It is for one goroutine at a time.
type Packer struct{ state }

// The numbers of ZSTD_cParameter.
const (
	paramLevel    = 100
	paramChecksum = 201
)

// NewPacker returns nil where there is no library. Frames have a checksum when crc is set.
func NewPacker(level int, crc bool) *Packer {
	p := &Packer{}
	if !p.start(LibZstd, newCCtx, freeCCtx) {
		return nil
	}
	sum := uintptr(0)
	if crc {
		sum = 1
	}
	for _, set := range [][2]uintptr{{paramLevel, uintptr(level)}, {paramChecksum, sum}} {
		if r := call(p.lib.fns[setParameter], p.at, set[0], set[1]); call(p.lib.fns[isError], r)&0xffffffff != 0 {
			return nil
		}
	}
	return p
}

// Pack writes the frame of src to dst and returns its length, 0 where dst is too short.
func (p *Packer) Pack(dst, src []byte) int {
	n := call(p.lib.fns[compress], p.at, p.pin(dst), uintptr(len(dst)), p.pin(src), uintptr(len(src)))
	p.unpin()
	if n > uintptr(len(dst)) {
		return 0
	}
	return int(n)
}

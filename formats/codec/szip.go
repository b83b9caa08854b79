// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"encoding/binary"
	"fmt"
	"math/bits"

	"github.com/arrayrun/arrayrun/formats"
)

// szipStage reads HDF5's szip filter: the decoded length as a little-endian uint32, then one stream of the
// Rice coder that satellites use. Samples of 32 and 64 bits are coded as their byte planes.
// Specification: CCSDS 121.0-B-3, Lossless Data Compression; HDF5 filter 4.
type szipStage struct {
	bits   int // of a coded sample
	bytes  int // of a sample in memory
	planes int // byte planes the samples are split into, 1: none
	block  int // samples of a block
	rsi    int // blocks between two reference samples
	line   int // samples of a scanline; its last block is padded
	big    bool
	nearby bool // the preprocessor predicts a sample from the one before
}

// The option bits of the filter's first client value.
const (
	szipMSB = 16
	szipNN  = 32
)

func newSzip(values []uint32, item int) (Stage, error) {
	if len(values) < 4 {
		return nil, fmt.Errorf("codec szip: %d client values, want 4: %w", len(values), formats.ErrFormat)
	}
	z := szipStage{bits: int(values[2]), planes: 1, block: int(values[1]), line: int(values[3]),
		big: values[0]&szipMSB != 0, nearby: values[0]&szipNN != 0}
	if z.block < 2 || z.block > 256 || z.block%2 != 0 || z.bits < 1 || z.line < 1 || z.line > 1<<24 {
		return nil, fmt.Errorf("codec szip: blocks of %d samples of %d bits, lines of %d: %w", z.block, z.bits, z.line, formats.ErrFormat)
	}
	switch {
	case z.bits == 32 || z.bits == 64:
		z.planes, z.bits = z.bits/8, 8
	case z.bits > 24:
		return nil, fmt.Errorf("codec szip: samples of %d bits: %w", z.bits, formats.ErrFormat)
	}
	z.bytes = map[int]int{0: 1, 1: 2, 2: 4}[(z.bits-1)/8]
	z.rsi = (z.line + z.block - 1) / z.block
	return z, nil
}

// Decode implements Stage.
func (z szipStage) Decode(dst, src []byte, s *Scratch) ([]byte, error) {
	if len(src) < 4 {
		return nil, corrupt("szip", "%d bytes, want at least 4", len(src))
	}
	n := int64(binary.LittleEndian.Uint32(src))
	if n > int64(len(dst)) {
		return nil, full("szip", "decoded length %d, want at most %d", n, len(dst))
	}
	out := dst[:n]
	if z.planes > 1 {
		s.block = Grow(s.block, int(n))
		out = s.block
	}
	samples := int(n) / z.bytes
	// a chunk shorter than a line needs no more of the line than it has
	room := min(z.rsi*z.block, (samples+z.block-1)/z.block*z.block)
	if cap(s.line) < room {
		s.line = make([]uint32, room)
	}
	d := riceReader{z: z, in: src[4:], line: s.line[:room]}
	for at := 0; at < samples; {
		// A run of the coder is one scanline with its padding.
		if err := d.run(); err != nil {
			return nil, err
		}
		k := min(z.line, samples-at)
		z.put(out[at*z.bytes:], d.line[:k])
		at += k
	}
	if z.planes > 1 {
		Unshuffle(dst[:n], out, z.planes)
	}
	return dst[:n], nil
}

// put stores samples in their byte order.
func (z szipStage) put(out []byte, line []uint32) {
	for i, v := range line {
		switch o := out[i*z.bytes:]; {
		case z.bytes == 1:
			o[0] = byte(v)
		case z.bytes == 2 && z.big:
			binary.BigEndian.PutUint16(o, uint16(v))
		case z.bytes == 2:
			binary.LittleEndian.PutUint16(o, uint16(v))
		case z.big:
			binary.BigEndian.PutUint32(o, v)
		default:
			binary.LittleEndian.PutUint32(o, v)
		}
	}
}

func (szipStage) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("szip") }

func (szipStage) Bound(n int) int { return n + n/8 + 1024 }

// riceReader decodes runs of blocks: those from one reference sample to the next.
type riceReader struct {
	z    szipStage
	in   []byte
	at   int // bits read
	line []uint32
}

// take returns the next n bits.
func (r *riceReader) take(n int) (uint32, error) {
	if r.at+n > 8*len(r.in) {
		return 0, corrupt("szip", "the stream ends after %d bytes", len(r.in))
	}
	v := bigUint(r.in, r.at, n)
	r.at += n
	return uint32(v), nil
}

// zeros counts the zero bits before the next one, and takes them and it.
func (r *riceReader) zeros() (uint32, error) {
	n := 0
	for r.at < 8*len(r.in) {
		left := min(64, 8*len(r.in)-r.at)
		v := bigUint(r.in, r.at, left) << (64 - left)
		if k := bits.LeadingZeros64(v); k < left {
			r.at += k + 1
			return uint32(n + k), nil
		}
		n += left
		r.at += left
	}
	return 0, corrupt("szip", "the stream ends after %d bytes", len(r.in))
}

// run decodes one run into line. A stream may end with the samples asked for: the rest stays 0.
func (r *riceReader) run() error {
	z, n := r.z, len(r.line)
	idBits := 3
	if z.bits > 16 {
		idBits = 5
	} else if z.bits > 8 {
		idBits = 4
	}
	clear(r.line)
	for at := 0; at < n; {
		first := 0 // whether the block starts with a reference sample
		if at == 0 && z.nearby {
			first = 1
		}
		id, err := r.take(idBits)
		if err != nil {
			return err
		}
		block := r.line[at : at+z.block]
		switch {
		case id == 0:
			k, err := r.lowEntropy(at, first)
			if err != nil {
				return err
			}
			at += k
			continue
		case int(id) == 1<<idBits-1:
			err = r.raw(block)
		default:
			err = r.split(block, first, int(id)-1)
		}
		if err != nil {
			return err
		}
		at += z.block
	}
	if z.nearby {
		z.unpredict(r.line)
	}
	return nil
}

// raw decodes an uncompressed block.
func (r *riceReader) raw(block []uint32) (err error) {
	for i := range block {
		if block[i], err = r.take(r.z.bits); err != nil {
			return err
		}
	}
	return nil
}

// reference decodes the first sample of a run, which stays as it is.
func (r *riceReader) reference(block []uint32, first int) (err error) {
	if first == 1 {
		block[0], err = r.take(r.z.bits)
	}
	return err
}

// split decodes a block whose samples' k low bits follow the unary codes of the others.
func (r *riceReader) split(block []uint32, first, k int) error {
	if err := r.reference(block, first); err != nil {
		return err
	}
	for i := first; i < len(block); i++ {
		v, err := r.zeros()
		if err != nil {
			return err
		}
		block[i] = v << k
	}
	for i := first; i < len(block) && k > 0; i++ {
		v, err := r.take(k)
		if err != nil {
			return err
		}
		block[i] += v
	}
	return nil
}

// restOfSegment is the code that says that blocks of zeros reach to the end of a segment of 64 blocks.
const restOfSegment = 5

// lowEntropy decodes a block of pairs, or a number of blocks of zeros; it returns the samples.
func (r *riceReader) lowEntropy(at, first int) (int, error) {
	z := r.z
	pairs, err := r.take(1)
	if err != nil {
		return 0, err
	}
	block := r.line[at : at+z.block]
	if err := r.reference(block, first); err != nil {
		return 0, err
	}
	if pairs == 1 {
		return z.block, r.pairs(block, first)
	}
	code, err := r.zeros()
	if err != nil {
		return 0, err
	}
	blocks, done := int(code)+1, at/z.block
	switch {
	case blocks == restOfSegment:
		blocks = min(z.rsi-done, 64-done%64)
	case blocks > restOfSegment:
		blocks--
	}
	if blocks > z.rsi-done {
		return 0, corrupt("szip", "%d blocks of zeros, %d are left", blocks, z.rsi-done)
	}
	return min(blocks*z.block, len(r.line)-at), nil // line was cleared
}

// pairs decodes the second extension: one code for two samples a and b, (a+b)(a+b+1)/2 + b.
func (r *riceReader) pairs(block []uint32, first int) error {
	const most = 90
	for i := first; i < len(block); {
		m, err := r.zeros()
		if err != nil {
			return err
		}
		if m > most {
			return corrupt("szip", "code %d of a pair", m)
		}
		sum := uint32(0)
		for (sum+1)*(sum+2)/2 <= m {
			sum++
		}
		b := m - sum*(sum+1)/2
		if i&1 == 0 {
			block[i] = sum - b
			i++
		}
		block[i] = b
		i++
	}
	return nil
}

// unpredict turns mapped prediction errors into samples.
func (z szipStage) unpredict(line []uint32) {
	most := uint32(1)<<z.bits - 1
	half := most/2 + 1
	x := line[0]
	for i := 1; i < len(line); i++ {
		d, mask := line[i], uint32(0)
		if x&half != 0 {
			mask = most
		}
		if d/2+d&1 <= mask^x {
			x += d>>1 ^ -(d & 1)
		} else {
			x = mask ^ d
		}
		line[i] = x
	}
}

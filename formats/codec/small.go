// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"bytes"
	"compress/bzip2"
	"encoding/binary"
	"fmt"
	"io"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// shuffleStage is the byte shuffle of numcodecs and HDF5.
type shuffleStage struct{ item int }

func newShuffle(c Config, item int) (Stage, error) {
	n, err := c.Int("elementsize", int64(item))
	if err == nil && (n < 1 || n > 1<<20) {
		err = fmt.Errorf("codec shuffle: elementsize %d, want 1 to 1048576: %w", n, formats.ErrFormat)
	}
	return shuffleStage{int(n)}, err
}

// newShuffleFilter takes the item size from the filter's client value.
func newShuffleFilter(values []uint32, item int) (Stage, error) {
	if len(values) > 0 {
		item = int(values[0])
	}
	return newShuffle(Config{"elementsize": int64(item)}, item)
}

func (z shuffleStage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if len(src) > len(dst) {
		return nil, full("shuffle", "%d bytes, want at most %d", len(src), len(dst))
	}
	Unshuffle(dst[:len(src)], src, z.item)
	return dst[:len(src)], nil
}

func (z shuffleStage) Encode(dst, src []byte, _ *Scratch) ([]byte, error) {
	at := len(dst)
	dst = append(dst, src...)
	Shuffle(dst[at:], src, z.item)
	return dst, nil
}

func (shuffleStage) Bound(n int) int { return n }

// lz4Stage is numcodecs' LZ4: the decoded length as a little-endian uint32, then one LZ4 block.
type lz4Stage struct{}

func newLZ4(Config, int) (Stage, error) { return lz4Stage{}, nil }

func (lz4Stage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	if len(src) < 4 {
		return nil, corrupt("lz4", "%d bytes, want at least 4", len(src))
	}
	n := binary.LittleEndian.Uint32(src)
	if int64(n) > int64(len(dst)) {
		return nil, full("lz4", "decoded length %d, want at most %d", n, len(dst))
	}
	return dst[:n], lz4Block(dst[:n], src[4:])
}

// lz4Block decodes an LZ4 block that must fill dst.
func lz4Block(dst, src []byte) error {
	if len(dst) == 0 {
		return nil
	}
	got, err := lz4Decode(dst, src)
	if err != nil || got != len(dst) {
		return corrupt("lz4", "decoded %d of %d bytes: %v", got, len(dst), err)
	}
	return nil
}

func (lz4Stage) Encode(dst, src []byte, s *Scratch) ([]byte, error) {
	dst = binary.LittleEndian.AppendUint32(dst, uint32(len(src)))
	dst = slices.Grow(dst, lz4Bound(len(src)))
	return dst[:len(dst)+s.packLZ4(dst[len(dst):cap(dst)], src, 1)], nil
}

func (lz4Stage) Bound(n int) int { return 4 + n + n/255 + 16 }

// bzip2Stage reads bzip2.
type bzip2Stage struct{}

func newBzip2(Config, int) (Stage, error) { return bzip2Stage{}, nil }

func (bzip2Stage) Decode(dst, src []byte, _ *Scratch) ([]byte, error) {
	r := bzip2.NewReader(bytes.NewReader(src))
	n, err := io.ReadFull(r, dst)
	if err == nil {
		var more [1]byte
		if k, e := r.Read(more[:]); k > 0 {
			return nil, full("bz2", "it decodes to more than %d bytes", len(dst))
		} else if e != nil && e != io.EOF {
			err = e
		}
	} else if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	if err != nil {
		return nil, corrupt("bz2", "%v", err)
	}
	return dst[:n], nil
}

func (bzip2Stage) Encode([]byte, []byte, *Scratch) ([]byte, error) { return nil, readOnly("bz2") }

func (bzip2Stage) Bound(n int) int { return n + n/64 + 1024 }

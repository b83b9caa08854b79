// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// hole is a file of a few bytes at its start and its end; all others are zeros.
type hole struct {
	head, tail []byte
	size       int64
}

func (h hole) ReadAt(b []byte, off int64) (int, error) {
	if off >= h.size {
		return 0, io.EOF
	}
	clear(b)
	if off < int64(len(h.head)) {
		copy(b, h.head[off:])
	}
	if at := h.size - int64(len(h.tail)); off+int64(len(b)) > at {
		if at >= off {
			copy(b[at-off:], h.tail)
		} else {
			copy(b, h.tail[off-at:])
		}
	}
	return min(len(b), int(h.size-off)), nil
}

// TestLargeStrip: an image of 5 GB that is one strip, as tifffile writes it, is read piece by piece; one that is compressed, or whose
// strips are apart, is refused.
func TestLargeStrip(t *testing.T) {
	const side, start = 50_000, 512
	for _, x := range []struct {
		name        string
		compression int64
		height      int64 // of a strip
		offsets     []int64
		ok          bool
	}{{"one strip", 1, side, []int64{start}, true}, {"compressed", 8, side, []int64{start}, false}, {"apart", 1, 30_000, []int64{start, start + 2*30_000*side + 2}, false}} {
		var b []byte
		b = append(b, "II+\x00\x08\x00\x00\x00"...)
		b = binary.LittleEndian.AppendUint64(b, 16)
		counts := make([]int64, len(x.offsets))
		for i := range counts {
			counts[i] = 2 * side * x.height
		}
		b = appendIFD(b, true, []outEntry{longs(tagWidth, side), longs(tagLength, side), shorts(tagBits, 16), shorts(tagCompression, x.compression), shorts(tagPhotometric, 1),
			offsets(tagStripOffsets, true, x.offsets), shorts(tagSamples, 1), longs(tagRowsPerStrip, x.height), offsets(tagStripCounts, true, counts), shorts(tagSampleFormat, 1)}, true)
		size := int64(start + 2*side*side)
		g, err := open(hole{b, []byte{1, 0, 2, 0, 3, 0}, size}, size, nil)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		v := g.Vars[0]
		if !x.ok {
			if !errors.Is(v.Err, formats.ErrFormat) {
				t.Errorf("%s: %v, want ErrFormat", x.name, v.Err)
			}
			continue
		}
		if v.Err != nil {
			t.Fatalf("%s: %v", x.name, v.Err)
		}
		got := formattest.New(dtype.Uint16, 2, chunk.Shape{1, 4})
		if _, err := formats.ReadRegion(context.Background(), v.Source, chunk.Region{Lo: chunk.Shape{side - 1, side - 4}, Hi: chunk.Shape{side, side}}, got); err != nil {
			t.Fatal(err)
		}
		if e := chunk.Slice[uint16](got); e[0] != 0 || e[1] != 1 || e[2] != 2 || e[3] != 3 {
			t.Errorf("%s: the last pixels are %v, want 0 1 2 3", x.name, e)
		}
		if n := v.Source.ScratchBytes(); n > 64<<20 {
			t.Errorf("%s: reading needs %d bytes", x.name, n)
		}
	}
}

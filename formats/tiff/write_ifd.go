// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"slices"
)

// Types of entries that are written, beside those that are read.
const (
	typeLong  = 4
	typeLong8 = 16
)

// outEntry is a tag of a directory being written.
type outEntry struct {
	tag, kind int
	count     int64
	value     []byte
}

func shorts(tag int, v ...int64) outEntry {
	e := outEntry{tag: tag, kind: typeShort, count: int64(len(v))}
	for _, x := range v {
		e.value = le.AppendUint16(e.value, uint16(x))
	}
	return e
}

func longs(tag int, v ...int64) outEntry {
	e := outEntry{tag: tag, kind: typeLong, count: int64(len(v))}
	for _, x := range v {
		e.value = le.AppendUint32(e.value, uint32(x))
	}
	return e
}

func offsets(tag int, big bool, v []int64) outEntry {
	if !big {
		return longs(tag, v...)
	}
	e := outEntry{tag: tag, kind: typeLong8, count: int64(len(v))}
	for _, x := range v {
		e.value = le.AppendUint64(e.value, uint64(x))
	}
	return e
}

func doubles(tag int, v ...float64) outEntry {
	e := outEntry{tag: tag, kind: typeDouble, count: int64(len(v))}
	for _, x := range v {
		e.value = le.AppendUint64(e.value, math.Float64bits(x))
	}
	return e
}

func ascii(tag int, s string) outEntry {
	return outEntry{tag, typeText, int64(len(s) + 1), append([]byte(s), 0)}
}

// ghost tells GDAL how the file is laid out, so that it can read a tile with its size in one request.
const ghost = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\nBLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n "

// head returns the bytes before the first directory.
func (w *writer) head(big bool) []byte {
	var b []byte
	if big {
		b = append(b, "II+\x00\x08\x00\x00\x00"...)
		b = le.AppendUint64(b, 0)
	} else {
		b = append(b, "II*\x00"...)
		b = le.AppendUint32(b, 0)
	}
	if !w.layout.planar { // bands apart have no one order of blocks
		b = fmt.Appendf(b, "GDAL_STRUCTURAL_METADATA_SIZE=%06d bytes\n%s", len(ghost), ghost)
	}
	if len(b)%2 == 1 {
		b = append(b, 0)
	}
	if big {
		le.PutUint64(b[8:], uint64(len(b)))
	} else {
		le.PutUint32(b[4:], uint32(len(b)))
	}
	return b
}

// frame is the bytes around each stored tile: its size before, its last four bytes again behind.
func (w *writer) frame() (before, after int64) {
	if w.layout.planar {
		return 0, 0
	}
	return 4, 4
}

// directories returns head and directories for the tiles' places, which start at base.
func (w *writer) directories(big bool, tags [][]outEntry) (out []byte, err error) {
	for pass, base := 0, int64(0); pass < 2; pass++ { // the first finds how long they are
		at := w.places(base)
		out = w.head(big)
		for n, l := range w.levels {
			entries := append(slices.Clone(tags[n]), offsets(tagTileOffsets, big, at[n]), longs(tagTileCounts, l.counts...))
			out = appendIFD(out, big, entries, n == len(w.levels)-1)
		}
		base = int64(len(out))
	}
	return out, nil
}

// places returns where every tile goes: the smallest level first, as overviews are read first.
func (w *writer) places(base int64) [][]int64 {
	before, after := w.frame()
	at := make([][]int64, len(w.levels))
	for n := len(w.levels) - 1; n >= 0; n-- {
		for _, size := range w.levels[n].counts {
			at[n] = append(at[n], base+before)
			base += before + size + after
		}
	}
	return at
}

// appendIFD appends a directory and its values. The next one follows at once.
func appendIFD(out []byte, big bool, entries []outEntry, last bool) []byte {
	slices.SortFunc(entries, func(a, b outEntry) int { return a.tag - b.tag })
	start := len(out)
	count, item, inline := 2, 12, 4
	if big {
		count, item, inline = 8, 20, 8
	}
	values := start + count + item*len(entries) + inline
	var tail []byte
	number := func(b []byte, n int) []byte {
		if big {
			return le.AppendUint64(b, uint64(n))
		}
		return le.AppendUint32(b, uint32(n))
	}
	if big {
		out = le.AppendUint64(out, uint64(len(entries)))
	} else {
		out = le.AppendUint16(out, uint16(len(entries)))
	}
	for _, e := range entries {
		out = le.AppendUint16(out, uint16(e.tag))
		out = le.AppendUint16(out, uint16(e.kind))
		out = number(out, int(e.count))
		if len(e.value) <= inline {
			out = append(out, e.value...)
			out = append(out, make([]byte, inline-len(e.value))...)
			continue
		}
		out = number(out, values+len(tail))
		tail = append(tail, e.value...)
		tail = append(tail, make([]byte, -len(e.value)&7)...)
	}
	next := 0
	if !last {
		if next = values + len(tail); next%2 == 1 {
			tail = append(tail, 0)
			next++
		}
	}
	return append(number(out, next), tail...)
}

// tags returns the entries of each level that do not depend on where tiles lie.
func (w *writer) tags() ([][]outEntry, error) {
	l := &w.layout
	each := func(v int64) []int64 {
		out := make([]int64, w.samples)
		for i := range out {
			out[i] = v
		}
		return out
	}
	planar := int64(1)
	if l.planar {
		planar = 2
	}
	about, err := w.about()
	if err != nil {
		return nil, err
	}
	var out [][]outEntry
	for n, p := range w.levels {
		e := []outEntry{longs(tagWidth, p.width), longs(tagLength, p.height), shorts(tagBits, each(int64(l.bits))...),
			shorts(tagCompression, int64(l.compression)), shorts(tagPhotometric, int64(l.photometric)), shorts(tagSamples, w.samples),
			shorts(tagPlanar, planar), shorts(tagTileWidth, l.segWidth), shorts(tagTileLength, l.segHeight), shorts(tagSampleFormat, each(int64(l.format))...)}
		if n > 0 {
			e = append(e, longs(tagSubfileType, 1))
		}
		if l.predictor > 1 {
			e = append(e, shorts(tagPredictor, int64(l.predictor)))
		}
		needs := int64(1)
		for _, c := range colours {
			if c.number == l.photometric {
				needs = int64(c.samples)
			}
		}
		if extra := w.samples - needs; extra > 0 {
			e = append(e, shorts(tagExtraSamples, make([]int64, extra)...))
		}
		for _, a := range about {
			if n == 0 || a.tag == tagGDALNodata || a.tag == tagColorMap { // what the values are, of every level
				e = append(e, a)
			}
		}
		out = append(out, e)
	}
	return out, nil
}

// mostClassic is the size up to which offsets of 4 bytes are enough.
const mostClassic = math.MaxUint32 - 1<<20

// assemble writes the file: directories, then the tiles from the stage.
func (w *writer) assemble(ctx context.Context) error {
	tags, err := w.tags()
	if err != nil {
		return err
	}
	head, err := w.directories(true, tags)
	if err != nil {
		return err
	}
	before, after := w.frame()
	total := int64(len(head))
	for _, l := range w.levels {
		for i, size := range l.counts {
			if size == 0 || size > math.MaxUint32 {
				return fmt.Errorf("tile %d was not written", i)
			}
			total += before + size + after
		}
	}
	if total <= w.classic {
		if head, err = w.directories(false, tags); err != nil {
			return err
		}
	}
	f, err := os.OpenFile(w.partial, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return err
	}
	return errors.Join(w.copy(ctx, f, head), f.Close())
}

// copy writes the head and every tile in order.
func (w *writer) copy(ctx context.Context, f io.Writer, head []byte) error {
	out := bufio.NewWriterSize(f, 1<<20)
	if _, err := out.Write(head); err != nil {
		return err
	}
	before, _ := w.frame()
	var buf []byte
	for n := len(w.levels) - 1; n >= 0; n-- {
		l := w.levels[n]
		for i, size := range l.counts {
			if err := ctx.Err(); err != nil {
				return err
			}
			if int64(cap(buf)) < size+8 {
				buf = make([]byte, size+size/4+8)
			}
			b := buf[:before+size]
			if before > 0 {
				binary.LittleEndian.PutUint32(b, uint32(size))
			}
			if k, err := w.stage.ReadAt(b[before:], l.offsets[i]); int64(k) < size {
				return fmt.Errorf("read tile %d: %w", i, err)
			}
			if before > 0 {
				b = append(b, lastFour(b[before:])...)
			}
			if _, err := out.Write(b); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}

// lastFour returns the last four bytes of a tile, zeros before a shorter one.
func lastFour(b []byte) []byte {
	if len(b) >= 4 {
		return b[len(b)-4:]
	}
	return append(make([]byte, 4-len(b)), b...)
}

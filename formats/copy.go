// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"encoding/binary"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// loop is one axis of a copy: n elements, ds and ss apart in destination and source.
type loop struct{ n, ds, ss int64 }

// loops returns the axes of a copy from the outermost to the innermost, which has the
// smallest stride in dst; axes that can be walked as one are joined. ok is false when there is no element.
func loops(shape chunk.Shape, ds, ss []int64, buf []loop) (l []loop, ok bool) {
	l = buf[:0]
	for i, n := range shape {
		if n == 0 {
			return nil, false
		}
		if n > 1 {
			l = append(l, loop{n, ds[i], ss[i]})
		}
	}
	slices.SortStableFunc(l, func(a, b loop) int {
		x, y := max(a.ds, -a.ds), max(b.ds, -b.ds)
		switch {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for i := len(l) - 1; i > 0; i-- {
		if o := l[i-1]; o.ds == l[i].ds*l[i].n && o.ss == l[i].ss*l[i].n {
			l[i-1] = loop{o.n * l[i].n, l[i].ds, l[i].ss}
			l = append(l[:i], l[i+1:]...)
		}
	}
	return l, true
}

// CopyElems copies the elements of src to those of dst. Both have the same dtype, item
// size and shape, any strides, and do not overlap. Texts of String chunks are appended to dst.Heap.
func CopyElems(dst, src *chunk.Chunk) {
	if dst.DType == dtype.String {
		copyStrings(dst, src)
		return
	}
	var buf [8]loop
	l, ok := loops(dst.Shape, dst.Strides, src.Strides, buf[:])
	if !ok {
		return
	}
	item := int64(dst.ItemBytes)
	in := loop{1, 1, 1}
	if len(l) > 0 {
		in = l[len(l)-1]
	}
	if in.ds == 1 && in.ss == 1 {
		d, s := dst.Block.Bytes(), src.Block.Bytes()
		walk(l[:max(0, len(l)-1)], dst.Offset, src.Offset, func(do, so int64) {
			copy(d[do*item:(do+in.n)*item], s[so*item:(so+in.n)*item])
		})
		return
	}
	switch item {
	case 1:
		copyTyped(chunk.Elems[uint8](dst.Block), chunk.Elems[uint8](src.Block), dst.Offset, src.Offset, l)
	case 2:
		copyTyped(chunk.Elems[uint16](dst.Block), chunk.Elems[uint16](src.Block), dst.Offset, src.Offset, l)
	case 4:
		copyTyped(chunk.Elems[uint32](dst.Block), chunk.Elems[uint32](src.Block), dst.Offset, src.Offset, l)
	case 8:
		copyTyped(chunk.Elems[uint64](dst.Block), chunk.Elems[uint64](src.Block), dst.Offset, src.Offset, l)
	default:
		d, s := dst.Block.Bytes(), src.Block.Bytes()
		walk(l, dst.Offset, src.Offset, func(do, so int64) {
			copy(d[do*item:(do+1)*item], s[so*item:(so+1)*item])
		})
	}
}

// walk calls f with the offsets of every step of the loops, outermost first.
func walk(l []loop, do, so int64, f func(do, so int64)) {
	switch len(l) {
	case 0:
		f(do, so)
	case 1:
		for range l[0].n {
			f(do, so)
			do += l[0].ds
			so += l[0].ss
		}
	default:
		for range l[0].n {
			walk(l[1:], do, so, f)
			do += l[0].ds
			so += l[0].ss
		}
	}
}

// tile is the side of the squares in which a transposing copy walks its two axes: 32 lines of
// 32 elements of either side stay in the first-level cache.
const tile = 32

// copyTyped copies where the innermost loop is not contiguous on both sides.
func copyTyped[T uint8 | uint16 | uint32 | uint64](d, s []T, do, so int64, l []loop) {
	in := l[len(l)-1]
	l = l[:len(l)-1]
	// The axis along which the source is closest together becomes the other side of the squares.
	best := -1
	for i, x := range l {
		if x.ss != 0 && max(x.ss, -x.ss) < max(in.ss, -in.ss) && (best < 0 || max(x.ss, -x.ss) < max(l[best].ss, -l[best].ss)) {
			best = i
		}
	}
	if best < 0 {
		walk(l, do, so, func(do, so int64) { copyLine(d, s, do, so, in) })
		return
	}
	other := l[best]
	l = append(l[:best], l[best+1:]...)
	walk(l, do, so, func(do, so int64) {
		for i := int64(0); i < other.n; i += tile {
			ni := min(tile, other.n-i)
			for j := int64(0); j < in.n; j += tile {
				line := loop{min(tile, in.n-j), in.ds, in.ss}
				for k := range ni {
					copyLine(d, s, do+(i+k)*other.ds+j*in.ds, so+(i+k)*other.ss+j*in.ss, line)
				}
			}
		}
	})
}

func copyLine[T uint8 | uint16 | uint32 | uint64](d, s []T, do, so int64, l loop) {
	if l.ds == 1 {
		out := d[do : do+l.n]
		if l.ss == 0 {
			v := s[so]
			for i := range out {
				out[i] = v
			}
			return
		}
		for i := range out {
			out[i] = s[so]
			so += l.ss
		}
		return
	}
	for range l.n {
		d[do] = s[so]
		do += l.ds
		so += l.ss
	}
}

// copyStrings copies texts: their bytes go behind those dst.Heap has.
func copyStrings(dst, src *chunk.Chunk) {
	var buf [8]loop
	l, ok := loops(dst.Shape, dst.Strides, src.Strides, buf[:])
	if !ok {
		return
	}
	d, s := dst.Block.Bytes(), src.Block.Bytes()
	total := int64(0)
	walk(l, dst.Offset, src.Offset, func(_, so int64) {
		_, n := textAt(s, so)
		total += n
	})
	dst.Heap = slices.Grow(dst.Heap, int(total))
	walk(l, dst.Offset, src.Offset, func(do, so int64) {
		off, n := textAt(s, so)
		putText(d, do, int64(len(dst.Heap)), n)
		dst.Heap = append(dst.Heap, src.Heap[off:off+n]...)
	})
}

func textAt(b []byte, i int64) (off, n int64) {
	e := b[16*i : 16*i+16]
	return int64(binary.NativeEndian.Uint64(e)), int64(binary.NativeEndian.Uint64(e[8:]))
}

func putText(b []byte, i, off, n int64) {
	e := b[16*i : 16*i+16]
	binary.NativeEndian.PutUint64(e, uint64(off))
	binary.NativeEndian.PutUint64(e[8:], uint64(n))
}

// Text returns the text of element i of a contiguous String chunk, sharing its heap.
func Text(c *chunk.Chunk, i int64) []byte {
	off, n := textAt(c.Block.Bytes(), c.Offset+i)
	return c.Heap[off : off+n]
}

// SetText makes text the value of element i of a contiguous String chunk, appending it to the heap.
func SetText(c *chunk.Chunk, i int64, text []byte) {
	putText(c.Block.Bytes(), c.Offset+i, int64(len(c.Heap)), int64(len(text)))
	c.Heap = append(c.Heap, text...)
}

// FillElems sets every element of dst to fill, one element in native byte order; nil is
// zeros. For String, fill is the text.
func FillElems(dst *chunk.Chunk, fill []byte) {
	if dst.DType == dtype.String {
		one := make([]byte, 16)
		putText(one, 0, int64(len(dst.Heap)), int64(len(fill)))
		dst.Heap = append(dst.Heap, fill...)
		view := *dst
		view.DType = dtype.Raw
		FillElems(&view, one)
		return
	}
	if fill == nil || allZero(fill) {
		if dst.Contiguous() {
			clear(dst.Bytes())
			return
		}
		fill = make([]byte, dst.ItemBytes)
	}
	if item := int(dst.ItemBytes); dst.Contiguous() && (item == 16 || item > 8 || item&(item-1) != 0) {
		b := dst.Bytes()
		for n := copy(b, fill); n > 0 && n < len(b); n *= 2 {
			copy(b[n:], b[:n])
		}
		return
	}
	CopyElems(dst, &chunk.Chunk{DType: dst.DType, ItemBytes: dst.ItemBytes, Shape: dst.Shape,
		Strides: make([]int64, len(dst.Shape)), Block: mem.Wrap(fill)})
}

func allZero(b []byte) bool {
	for _, x := range b {
		if x != 0 {
			return false
		}
	}
	return true
}

// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
)

// rowWriter puts decoded values into their rows.
type rowWriter struct {
	c      *parquetColumn
	dst    *chunk.Chunk
	fill   []byte
	lo, hi int64 // the rows of dst in their row group
	row    int64 // of the next page's first value
	texts  int
	heapAt []int64 // one more than where the texts of the dictionary are in the heap of dst; 0: they are not
}

// levelRun is neighbouring rows that are all there, or all null.
type levelRun struct {
	there bool
	n     int
}

// page decodes the values of a page of n rows, with their levels, as far as dst has their rows.
func (w *rowWriter) page(levels, b []byte, enc, n int, dict *values) error {
	first := int(min(max(w.lo-w.row, 0), int64(n)))
	last := int(min(max(w.hi-w.row, 0), int64(n)))
	at := w.row + int64(first) - w.lo // the row in dst
	w.row += int64(n)
	there := n
	rows := window{first, last} // of values, without the nulls between them
	var runs []levelRun
	if most := w.c.levels; most > 0 {
		there, rows = 0, window{}
		pos := 0
		err := hybrid(levels, levelBits(most), n, func(l uint32, count int) {
			is := int(l) == most
			skip, end := min(max(first-pos, 0), count), min(max(last-pos, 0), count)
			pos += count
			if is {
				there += count
				rows.lo += skip
				rows.hi += end
			}
			take := end - skip
			if take == 0 {
				return
			}
			if k := len(runs) - 1; k >= 0 && runs[k].there == is {
				runs[k].n += take
			} else {
				runs = append(runs, levelRun{is, take})
			}
		})
		if err != nil {
			return err
		}
	} else {
		runs = []levelRun{{true, last - first}}
	}
	v, err := w.c.decodeValues(enc, b, there, rows, dict)
	if err != nil {
		return err
	}
	if v.count() != rows.hi-rows.lo {
		return corrupt("a page holds %d values, want %d", v.count(), rows.hi-rows.lo)
	}
	next := 0
	for _, r := range runs {
		switch {
		case !r.there:
			w.null(at, r.n)
		case v.width == 0:
			err = w.putTexts(at, v, next, r.n)
		default:
			w.put(at, v.fixed[next*v.width:(next+r.n)*v.width], v.width)
		}
		if err != nil {
			return err
		}
		if r.there {
			next += r.n
		}
		at += int64(r.n)
	}
	return nil
}

// null makes n rows of dst null.
func (w *rowWriter) null(at int64, n int) {
	if w.dst.DType == dtype.String {
		for ; n > 0; n-- {
			shareText(w.dst, at, 0, 0)
			at++
		}
		return
	}
	for item := int64(w.dst.ItemBytes); n > 0; n-- {
		copy(w.dst.Block.Bytes()[(w.dst.Offset+at)*item:], w.fill)
		at++
	}
}

// put stores values of width bytes in the rows from at on.
func (w *rowWriter) put(at int64, values []byte, width int) {
	item := int(w.dst.ItemBytes)
	out := w.dst.Block.Bytes()[(int(w.dst.Offset)+int(at))*item:]
	if width == item {
		copy(out, values)
		return
	}
	for ; len(values) > 0; values, out = values[width:], out[item:] {
		if w.c.phys == physInt96 { // nanoseconds of the day, then the Julian day
			ns := int64(le.Uint64(values)) + (int64(le.Uint32(values[8:]))-2440588)*86400e9
			nativeEndian.PutUint64(out, uint64(ns))
			continue
		}
		copy(out[:item], values[:width]) // narrow integers are the low bytes of wide ones
	}
}

// putTexts stores n texts from text i of v in the rows from at on. Rows that have one entry of the dictionary share its bytes.
func (w *rowWriter) putTexts(at int64, v *values, i, n int) error {
	for ; n > 0; i, n, at = i+1, n-1, at+1 {
		var text []byte
		if v.dict == nil {
			text = v.texts[i]
		} else {
			k := v.index[i]
			if w.heapAt == nil {
				w.heapAt = make([]int64, len(v.dict.texts))
			}
			text = v.dict.texts[k]
			if w.heapAt[k] > 0 {
				shareText(w.dst, at, w.heapAt[k]-1, len(text))
				continue
			}
			w.heapAt[k] = int64(len(w.dst.Heap)) + 1
		}
		if w.texts += len(text); w.texts > maxTexts {
			return refused("%d rows with more than %d bytes of texts; write it again in smaller row groups", w.hi-w.lo, maxTexts)
		}
		formats.SetText(w.dst, at, text)
	}
	return nil
}

// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"encoding/binary"
	"fmt"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// dictValues are the decoded values of a dictionary.
type dictValues struct {
	once sync.Once
	c    *chunk.Chunk
	err  error
}

// dictionary returns the values of a dictionary, decoded at its first use.
func (f *ipcFile) dictionary(d *dictionary) (*dictValues, error) {
	f.mu.Lock()
	v := f.values[d.id]
	if v == nil {
		v = &dictValues{}
		f.values[d.id] = v
	}
	f.mu.Unlock()
	v.once.Do(func() { v.c, v.err = f.decode(d) })
	return v, v.err
}

func (f *ipcFile) decode(d *dictionary) (*chunk.Chunk, error) {
	total := int64(0)
	for _, b := range f.dicts[d.id] {
		total += min(b.rows, maxTexts)
	}
	item := int64(d.values.itemBytes())
	if total > maxTexts/item {
		return nil, refused("dictionary %d has %d values of %d bytes, want at most %d bytes", d.id, total, item, maxTexts)
	}
	out := flatChunk(d.values.dt, int(item), total)
	fill, _ := (&column{typ: d.values}).fill()
	at := int64(0)
	for _, b := range f.dicts[d.id] {
		if len(b.nodes) == 0 {
			return nil, corrupt("dictionary %d has no values", d.id)
		}
		nulls := b.nodes[0].nulls != 0
		if b.rows > 0 && d.values.kind != kindNone {
			if err := b.bufferSizes(0, d.values, b.rows, nulls); err != nil {
				return nil, err
			}
		}
		z := codec.Borrow()
		part := flatChunk(d.values.dt, int(item), b.rows)
		err := (&reader{f: f, b: b, z: z, views: b.viewBuffers(0)}).values(part, d.values, 0, 0, nulls, fill)
		z.Return()
		if err != nil {
			return nil, fmt.Errorf("dictionary %d: %w", d.id, err)
		}
		to := out.Sub(chunk.Region{Lo: chunk.Shape{at}, Hi: chunk.Shape{at + b.rows}})
		formats.CopyElems(to, part)
		out.Heap = to.Heap
		at += b.rows
	}
	return out, nil
}

// pick copies the values that the indices name to dst. Texts of one index share their bytes.
func (v *dictValues) pick(dst, index *chunk.Chunk, valid func(int64) bool, fill []byte) error {
	n := index.Shape.Size()
	out := dst
	if !dst.Contiguous() {
		out = flatChunk(dst.DType, int(dst.ItemBytes), n)
	}
	item, most := int64(out.ItemBytes), v.c.Shape[0]
	elem := func(j int64) []byte { return out.Block.Bytes()[(out.Offset+j)*item : (out.Offset+j+1)*item] }
	ib, w := index.Bytes(), int64(index.ItemBytes)
	var places []int64 // one more than where a text is in the heap; 0: it is not there
	if dst.DType == dtype.String && most <= 4*n {
		places = make([]int64, most)
	}
	total := 0
	for j := range n {
		if valid != nil && !valid(j) {
			if dst.DType == dtype.String {
				clear(elem(j))
			} else {
				copy(elem(j), fill)
			}
			continue
		}
		var e [8]byte
		copy(e[:], ib[j*w:(j+1)*w])
		k := int64(binary.LittleEndian.Uint64(e[:]))
		switch {
		case k < 0 || k >= most:
			return corrupt("index %d of a dictionary of %d values", k, most)
		case dst.DType != dtype.String:
			copy(elem(j), v.c.Block.Bytes()[k*item:])
			continue
		}
		text := formats.Text(v.c, k)
		if places != nil && places[k] > 0 {
			shareText(out, j, places[k]-1, len(text))
			continue
		}
		if total += len(text); total > maxTexts {
			return refused("a batch with more than %d bytes of texts; write it again in smaller batches", maxTexts)
		}
		if places != nil {
			places[k] = int64(len(out.Heap)) + 1
		}
		formats.SetText(out, j, text)
	}
	if out != dst {
		out.Shape, out.Strides = dst.Shape, dst.Shape.RowMajor()
		formats.CopyElems(dst, out)
	}
	return nil
}

// shareText makes n bytes of the heap the text of element i.
func shareText(c *chunk.Chunk, i, off int64, n int) {
	e := c.Block.Bytes()[16*(c.Offset+i):]
	nativeEndian.PutUint64(e, uint64(off))
	nativeEndian.PutUint64(e[8:], uint64(n))
}

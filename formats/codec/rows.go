// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats/codec/internal/bytesimd"
)

// Rows is where the elements of a stored chunk go when they do not lie one behind the other there: rows of a larger array. A chunk
// that is decoded part by part has its parts still in the cache when they are put in their places.
type Rows struct {
	to     []byte
	first  int // of the first element in to
	stored int // bytes of a stored row
	row    int // of which this many are wanted, from the start
	axes   []rowAxis
	stream bool
}

// rowAxis is an axis of rows: stored ones, those that are wanted, and how many bytes they are apart.
type rowAxis struct{ stored, wanted, pitch int }

// streamFrom is the size from which memory counts as larger than the caches: what is put there goes past them.
const streamFrom = 32 << 20

// RowsOf describes dst as the place of the first elements of a chunk that is stored with the shape full, in the order of its axes. ok is false
// where elements of a row are apart, or axes run backwards.
func RowsOf(dst *chunk.Chunk, full []int64) (r Rows, ok bool) {
	item := int(dst.ItemBytes)
	r = Rows{to: dst.Block.Bytes(), first: int(dst.Offset) * item, stored: item, row: item}
	r.stream = len(r.to) >= streamFrom
	r.axes = make([]rowAxis, 0, len(full)+1)
	i := len(full) - 1
	for ; i >= 0 && r.row == r.stored && (dst.Shape[i] <= 1 || int(dst.Strides[i])*item == r.row); i-- {
		r.stored *= int(full[i])
		r.row *= int(dst.Shape[i])
	}
	if r.row == 0 || i == len(full)-1 && len(full) > 0 {
		return r, false
	}
	for ; i >= 0; i-- {
		if dst.Strides[i] < 0 {
			return r, false
		}
		r.axes = append(r.axes, rowAxis{int(full[i]), int(dst.Shape[i]), int(dst.Strides[i]) * item})
	}
	if len(r.axes) == 0 {
		r.axes = append(r.axes, rowAxis{1, 1, 0})
	}
	return r, true
}

// Put puts bytes b of the decoded chunk, which start at byte at of it, where they belong.
func (r *Rows) Put(at int, b []byte) {
	for len(b) > 0 {
		n, within := at/r.stored, at%r.stored
		in := &r.axes[0]
		i := n % in.stored
		to, wanted := r.first+i*in.pitch, i < in.wanted
		for rest, k := n/in.stored, 1; k < len(r.axes); k++ {
			a := &r.axes[k]
			j := rest % a.stored
			rest /= a.stored
			to += j * a.pitch
			wanted = wanted && j < a.wanted
		}
		used := min(r.stored-within, len(b))
		if within == 0 && used == r.stored { // as many whole rows as follow along the axis
			rows := min(in.stored-i, len(b)/r.stored)
			used = rows * r.stored
			if wanted {
				bytesimd.CopyRows(r.to[to:], b, in.pitch, r.stored, r.row, min(rows, in.wanted-i), r.stream)
			}
		} else if wanted && within < r.row {
			copy(r.to[to+within:to+r.row], b[:used])
		}
		at, b = at+used, b[used:]
	}
}

// Get copies the bytes of the chunk from byte at on to b. Rows are all that is stored.
func (r *Rows) Get(b []byte, at int) {
	for len(b) > 0 {
		from, within, rest := r.first, at%r.stored, at/r.stored
		for i := range r.axes {
			from += rest % r.axes[i].stored * r.axes[i].pitch
			rest /= r.axes[i].stored
		}
		used := copy(b, r.to[from+within:from+r.stored])
		at, b = at+used, b[used:]
	}
}

// shortestRow is the length from which rows are copied one by one without much ado.
const shortestRow = 256

// EncodesRows reports whether EncodeRows takes such rows: they are long, and the only codec takes a chunk block by block.
func (c *Chain) EncodesRows(from *Rows) bool {
	_, ok := c.blosc()
	return ok && from.row == from.stored && from.row >= shortestRow
}

// EncodeRows is Encode of the chunk of n bytes that lies in rows, for which EncodesRows is true. Each block is still in the cache when it was
// copied together.
func (c *Chain) EncodeRows(dst []byte, from *Rows, n int, s *Scratch) ([]byte, error) {
	z, _ := c.blosc()
	return z.encode(dst, nil, from, n, s)
}

// blosc returns the stage of a chain that is Blosc and nothing else.
func (c *Chain) blosc() (z bloscStage, ok bool) {
	if len(c.Stages) == 1 && !c.Swap {
		z, ok = c.Stages[0].(bloscStage)
	}
	return z, ok
}

// partStage is implemented by stages that decode a chunk part by part.
type partStage interface {
	// decodeRows decodes src, which becomes n bytes, into their places.
	decodeRows(to *Rows, n int, src []byte, s *Scratch) error
}

// DecodeRows is Decode of a chunk of n bytes whose elements go to rows. What rows hold is not defined after an error.
func (c *Chain) DecodeRows(to *Rows, n int, src []byte, s *Scratch) error {
	if len(c.Stages) > 0 && !c.Swap {
		if p, ok := c.Stages[0].(partStage); ok {
			src, err := c.decodeFrom(1, n, src, s)
			if err != nil {
				return err
			}
			return p.decodeRows(to, n, src, s)
		}
	}
	s.Dec = Grow(s.Dec, n)
	if err := c.Decode(s.Dec, src, s); err != nil {
		return err
	}
	to.Put(0, s.Dec)
	return nil
}

// CanPut reports whether a stage decodes part by part.
func CanPut(st Stage) bool {
	_, ok := st.(partStage)
	return ok
}

// PutStage decodes src with a stage for which CanPut is true, which makes n bytes of it, and puts them in their places. What rows hold is not
// defined after an error.
func PutStage(st Stage, to *Rows, n int, src []byte, s *Scratch) error {
	return st.(partStage).decodeRows(to, n, src, s)
}

// decodeRows implements partStage.
func (bloscStage) decodeRows(to *Rows, n int, src []byte, s *Scratch) error {
	got, err := s.blosc(nil, to, n, src)
	if err == nil && got != n {
		err = corrupt("blosc", "decoded to %d bytes, want %d", got, n)
	}
	return err
}

// decodeRows implements partStage: matches reach back, so the chunk is decoded as a whole, but each block is taken from the cache.
func (z zstdStage) decodeRows(to *Rows, n int, src []byte, s *Scratch) error {
	s.Dec = Grow(s.Dec, n)
	var got int
	var err error
	done := 0
	if haveSequences {
		s.unz.sink = func(end int) {
			to.Put(done, s.Dec[done:end])
			done = end
		}
		got, err = s.unz.decode(s.Dec, src)
		s.unz.sink = nil
	} else {
		got, err = s.Zstd(s.Dec, src)
	}
	if err != nil {
		return err
	}
	if got != n {
		return corrupt("zstd", "decoded to %d bytes, want %d", got, n)
	}
	to.Put(done, s.Dec[done:])
	return nil
}

// decodeRows implements partStage.
func (z shuffleStage) decodeRows(to *Rows, n int, src []byte, s *Scratch) error {
	if len(src) != n {
		return corrupt("shuffle", "%d bytes, want %d", len(src), n)
	}
	s.putPlanes(to, 0, src, z.item)
	return nil
}

// partBytes is how much is unshuffled before it is put in its place: a part of the first-level cache.
const partBytes = 8 << 10

// putPlanes puts elements of size bytes whose byte planes are src where they belong; the first byte is byte at of the chunk.
func (s *Scratch) putPlanes(to *Rows, at int, src []byte, size int) {
	n, step := len(src)/size, max(partBytes/size, 1)
	s.part = Grow(s.part, max(partBytes, size))
	for i := 0; i < n; i += step {
		m := min(step, n-i)
		bytesimd.UnshufflePart(s.part[:m*size], src[:n*size], size, i, i+m)
		to.Put(at+i*size, s.part[:m*size])
	}
	to.Put(at+n*size, src[n*size:])
}

// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"

	"github.com/arrayrun/arrayrun/formats"
)

// sequence selects positions along one axis: count blocks of block positions, stride apart. Undef as count or
// block means as many as there are.
type sequence struct{ start, stride, count, block uint64 }

// n is the number of selected positions.
func (s sequence) n() uint64 { return s.count * s.block }

// at returns the selected position number i.
func (s sequence) at(i uint64) uint64 { return s.start + i/s.block*s.stride + i%s.block }

// before counts the selected positions below x.
func (s sequence) before(x uint64) uint64 {
	if x <= s.start || s.n() == 0 {
		return 0
	}
	k := (x - s.start) / s.stride
	if k >= s.count {
		return s.n()
	}
	return k*s.block + min((x-s.start)-k*s.stride, s.block)
}

// run is the end of the run of neighbouring positions that number i belongs to, as a number.
func (s sequence) run(i uint64) uint64 {
	if s.block == s.stride || s.count <= 1 {
		return s.n()
	}
	return (i/s.block + 1) * s.block
}

func (s sequence) unlimited() bool { return s.count == Undef || s.block == Undef }

// selection is what a mapping selects of a dataspace: a sequence along each axis; nil: everything.
type selection []sequence

// Kinds of stored selections.
const (
	selectNone = iota
	selectPoints
	selectBoxes
	selectAll
)

const maxBlocks1 = 1 << 20 // blocks listed one by one

// selection parses a stored selection.
func (c *cursor) selection() selection {
	kind, version := c.u4(), c.u4()
	switch kind {
	case selectAll:
		c.n(8)
		return nil
	case selectNone:
		c.n(8)
		return selection{}
	case selectBoxes:
	default:
		if c.err == nil {
			c.err = fmt.Errorf("hdf5: a selection of kind %d in a virtual dataset is not read here: %w", kind, formats.ErrFormat)
		}
		return nil
	}
	regular, width := false, 4
	switch version {
	case 1:
		c.n(8)
	case 2:
		regular, width = c.u1()&1 != 0, 8
		c.n(4)
	case 3:
		regular, width = c.u1()&1 != 0, c.u1()
	default:
		c.fail("selection of version %d, want 1 to 3", version)
	}
	rank := c.count(4, maxRank, "rank of a selection")
	if !regular {
		return c.boxes(rank, width)
	}
	num := func() uint64 {
		v := c.u(width)
		if width < 8 && v == 1<<(8*width)-1 {
			return Undef
		}
		return v
	}
	out := selection{}
	for range rank {
		s := sequence{num(), num(), num(), num()}
		if c.err == nil && (s.stride == 0 || s.block == 0 || s.block != Undef && s.count != 1 && s.block > s.stride || s.count == Undef && s.block == Undef) {
			c.fail("selection of blocks of %d, %d apart", s.block, s.stride)
		}
		if s.count == 1 {
			s.stride = s.block
		}
		out = append(out, s)
	}
	return out
}

// boxes parses a list of boxes. Those of virtual datasets are the product of sequences; others are refused.
func (c *cursor) boxes(rank, width int) selection {
	n := c.count(width, maxBlocks1, "number of selected boxes")
	spans := make([]map[[2]uint64]bool, rank)
	for i := range spans {
		spans[i] = map[[2]uint64]bool{}
	}
	for i := 0; i < n && c.err == nil; i++ {
		var lo [maxRank]uint64
		for k := range rank {
			lo[k] = c.u(width)
		}
		for k := range rank {
			hi := c.u(width)
			if hi < lo[k] {
				c.fail("selected box from %d to %d", lo[k], hi)
			}
			spans[k][[2]uint64{lo[k], hi}] = true
		}
	}
	out, product := selection{}, 1
	for _, m := range spans {
		var l [][2]uint64
		for s := range m {
			l = append(l, s)
		}
		slices.SortFunc(l, func(a, b [2]uint64) int { return cmp.Compare(a[0], b[0]) })
		product = min(product*len(l), maxBlocks1+1)
		if len(l) == 0 {
			return selection{}
		}
		s := sequence{start: l[0][0], stride: l[0][1] - l[0][0] + 1, count: uint64(len(l)), block: l[0][1] - l[0][0] + 1}
		if len(l) > 1 {
			s.stride = l[1][0] - l[0][0]
		}
		for i, x := range l {
			if c.err == nil && (x[1]-x[0]+1 != s.block || x[0] != s.start+uint64(i)*s.stride || s.stride < s.block) {
				product = 0
			}
		}
		out = append(out, s)
	}
	if c.err == nil && product != n {
		c.err = fmt.Errorf("hdf5: an irregular selection in a virtual dataset is not read here: %w", formats.ErrFormat)
	}
	return out
}

// within returns the selection of a dataset of lengths dims with everything stated: all of it, none of
// it, and unlimited sequences up to the end.
func (s selection) within(dims []uint64) (selection, error) {
	out := slices.Clone(s)
	if len(s) == 0 {
		out = make(selection, len(dims))
		for i, d := range dims {
			out[i] = sequence{0, max(d, 1), 0, max(d, 1)}
			if s == nil {
				out[i].count = min(d, 1)
			}
		}
		return out, nil
	}
	if len(s) != len(dims) {
		return nil, fmt.Errorf("hdf5: selection of rank %d of a dataset of rank %d: %w", len(s), len(dims), formats.ErrCorrupt)
	}
	for i := range out {
		q := &out[i]
		left := dims[i] - min(dims[i], q.start)
		switch {
		case q.block == Undef:
			q.count, q.stride, q.block = min(left, 1), max(left, 1), max(left, 1)
		case q.count == Undef:
			if q.count = left / q.stride; left%q.stride >= q.block {
				q.count++
			}
		}
		if err := q.check(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// check refuses sequences that reach beyond any file.
func (s sequence) check() error {
	hi, last := bits.Mul64(max(s.count, 1)-1, s.stride)
	if hi != 0 || last >= 1<<60 || s.start >= 1<<60 || s.block >= 1<<60 {
		return fmt.Errorf("hdf5: selection of %d blocks of %d, %d apart, from %d: %w", s.count, s.block, s.stride, s.start, formats.ErrCorrupt)
	}
	if hi, n := bits.Mul64(s.count, s.block); hi != 0 || n >= 1<<60 {
		return fmt.Errorf("hdf5: selection of %d blocks of %d: %w", s.count, s.block, formats.ErrCorrupt)
	}
	return nil
}

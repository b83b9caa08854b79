// SPDX-License-Identifier: BSD-3-Clause

package ref

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// state is the state of a fold: one constant for each component.
type state = []kernels.Const

// element is one folded element: the values of the fold's arguments.
type element []kernels.Const

// runFold writes the states of fold f of a call to out. regs returns the registers of the element
// at an index of the loop; it is called for kept elements in turn, reduced ones row-major inside.
func runFold(p *kernels.Program, f kernels.Fold, c *kernels.Call, out []*chunk.Chunk, regs func(index []int64) ([]kernels.Const, error)) error {
	r := kernels.ReductionOf(f.Op)
	in := p.RegType(f.Args[0])
	if in.IsComplex() {
		return fmt.Errorf("kernels/ref: fold %s of %v: %w", r.Name, in, kernels.ErrUnsupported)
	}
	rank := len(c.Shape)
	var kept, reduced []int
	for i := range rank {
		if f.Axes.Has(i) {
			reduced = append(reduced, i)
		} else {
			kept = append(kept, i)
		}
	}
	index := make([]int64, rank)
	keep := size(c.Shape, kept)
	groups := int64(0)
	if f.Group >= 0 {
		groups = out[0].Shape[0]
	}
	for k := range keep {
		place(index, c.Shape, kept, k)
		var all []element
		byGroup := make([][]element, groups)
		for n := range size(c.Shape, reduced) {
			place(index, c.Shape, reduced, n)
			v, err := regs(index)
			if err != nil {
				return err
			}
			e := make(element, len(f.Args))
			for i, a := range f.Args {
				e[i] = v[a]
			}
			if f.Group < 0 {
				all = append(all, e)
			} else if id := v[f.Group].Int64(); id >= 0 && id < groups {
				byGroup[id] = append(byGroup[id], e)
			}
		}
		for g, es := range byGroup {
			writeState(out, int64(g)*keep+k, foldBlock(r, in, es, 1, r.Identity(in)))
		}
		block, width := kernels.OuterBlock, 1
		if rank > 0 && f.Axes.Has(rank-1) {
			block, width = kernels.InnerBlock, kernels.Lanes
		}
		for b := 0; len(all) > 0; b++ {
			n := min(block, len(all))
			from := r.Identity(in)
			if c.Continue {
				from = readState(out, int64(b)*keep+k)
			}
			writeState(out, int64(b)*keep+k, foldBlock(r, in, all[:n], width, from))
			all = all[n:]
		}
	}
	return nil
}

// size returns the product of the lengths of some axes.
func size(shape chunk.Shape, axes []int) int64 {
	n := int64(1)
	for _, i := range axes {
		n *= shape[i]
	}
	return n
}

// place sets the index along some axes to their n-th position, row-major.
func place(index []int64, shape chunk.Shape, axes []int, n int64) {
	for k := len(axes) - 1; k >= 0; k-- {
		d := shape[axes[k]]
		index[axes[k]] = n % d
		n /= d
	}
}

func writeState(out []*chunk.Chunk, at int64, s state) {
	for i, c := range s {
		putConst(out[i], at, c)
	}
}

func readState(out []*chunk.Chunk, at int64) state {
	s := make(state, len(out))
	for i := range out {
		s[i] = getConst(out[i], at)
	}
	return s
}

// getConst and putConst read and write element i of a contiguous chunk.
func getConst(c *chunk.Chunk, i int64) kernels.Const {
	n := int64(c.ItemBytes)
	k := kernels.Const{DType: c.DType}
	for j, b := range c.Bytes()[i*n : (i+1)*n] {
		k.Bits |= uint64(b) << (8 * j)
	}
	return k
}

func putConst(c *chunk.Chunk, i int64, k kernels.Const) {
	n := int64(c.ItemBytes)
	b := c.Bytes()[i*n : (i+1)*n]
	for j := range b {
		b[j] = byte(k.Bits >> (8 * j))
	}
}

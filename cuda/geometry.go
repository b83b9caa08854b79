// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// geometry is the loop of a call for one part: axes of length 1 are left out and neighbours that all
// live inputs step through evenly are joined. The kept axes come first, then the reduced ones; each list numbers
// its elements row-major. A part without folds keeps all.
type geometry struct {
	dim    []int64
	from   []int // the call's axis, the last one of those joined
	kept   int
	stride [][]int64 // for each input of the program, nil when it is not live
	wide   bool      // positions or offsets need 64 bits
	keep   int64     // product of the kept lengths
	count  int64     // product of the reduced lengths
}

// newGeometry joins the axes of a call. fixed says which axes may not be joined: positions are
// counted along them, or an input is gathered.
func newGeometry(shape chunk.Shape, axes, fixed kernels.AxisSet, in []*chunk.Chunk, live []bool) *geometry {
	g := &geometry{stride: make([][]int64, len(in)), keep: 1, count: 1}
	for i := range in {
		if live[i] {
			g.stride[i] = make([]int64, 0, len(shape))
		}
	}
	elements := int64(1)
	for pass := range 2 {
		first := len(g.dim)
		for a, d := range shape {
			if axes.Has(a) != (pass == 1) {
				continue
			}
			elements *= d
			if pass == 0 {
				g.keep *= d
			} else {
				g.count *= d
			}
			if d == 1 {
				continue
			}
			k := len(g.dim) - 1
			if k >= first && !fixed.Has(a) && !fixed.Has(g.from[k]) && g.even(k, a, d, in) {
				g.dim[k] *= d
				g.from[k] = a
				for i := range in {
					if live[i] {
						g.stride[i][k] = in[i].Strides[a]
					}
				}
				continue
			}
			g.dim, g.from = append(g.dim, d), append(g.from, a)
			for i := range in {
				if live[i] {
					g.stride[i] = append(g.stride[i], in[i].Strides[a])
				}
			}
		}
		if pass == 0 {
			g.kept = len(g.dim)
		}
	}
	g.wide = elements >= 1<<31
	for i, c := range in {
		if live[i] {
			lo, hi := span(c)
			g.wide = g.wide || hi-lo >= math.MaxInt32
		}
	}
	return g
}

// even reports whether all live inputs step from joined axis k to the call's axis a, of length d, evenly.
func (g *geometry) even(k, a int, d int64, in []*chunk.Chunk) bool {
	for i, s := range g.stride {
		if s != nil && s[k] != in[i].Strides[a]*d {
			return false
		}
	}
	return true
}

// span returns the lowest and the highest offset of a chunk's elements from the one at index 0.
// A chunk without elements has 0 and -1.
func span(c *chunk.Chunk) (lo, hi int64) {
	for i, d := range c.Shape {
		switch s := c.Strides[i]; {
		case s == 0: // repeated: any length
		case d <= 0:
			return 0, -1
		case s > 0:
			hi += (d - 1) * s
		default:
			lo += (d - 1) * s
		}
	}
	return lo, hi
}

// at returns the joined axis that is the call's axis a, or -1 when that has length 1.
func (g *geometry) at(a int) int {
	for k, f := range g.from {
		if f == a {
			return k
		}
	}
	return -1
}

// class says how an input follows joined axis k: '0' not at all, '1' closely, 's' in steps. Without axes nothing varies.
func (g *geometry) class(i, k int) byte {
	s := g.stride[i]
	if k < 0 {
		return '0'
	}
	switch s[k] {
	case 0:
		return '0'
	case 1:
		return '1'
	}
	return 's'
}

// same reports whether an input has one value for the whole loop.
func (g *geometry) same(i int) bool {
	for _, s := range g.stride[i] {
		if s != 0 {
			return false
		}
	}
	return true
}

// key tells geometries apart that need different sources.
func (g *geometry) key(fixed kernels.AxisSet, template string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %v %d/%d", template, g.wide, g.kept, len(g.dim))
	for a := range kernels.MaxAxes {
		if fixed.Has(a) {
			fmt.Fprintf(&b, " %d@%d", a, g.at(a))
		}
	}
	for i, s := range g.stride {
		if s != nil {
			fmt.Fprintf(&b, " %c", g.class(i, len(g.dim)-1))
			if g.same(i) {
				b.WriteByte('=')
			}
		}
	}
	return b.String()
}

// divider returns what quick divides numbers below 2^31 by d with: a multiplier, and a shift in the high half.
// Source: Granlund, Montgomery (1994), Division by invariant integers using multiplication, figure 4.1.
func divider(d int64) uint64 {
	if d < 1 || d >= 1<<31 {
		return 0 // not used: the 64-bit form divides
	}
	l := uint64(bits.Len64(uint64(d - 1)))
	m := ((1<<l-uint64(d))<<32)/uint64(d) + 1
	return m | l<<32
}

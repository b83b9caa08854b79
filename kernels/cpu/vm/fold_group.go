// SPDX-License-Identifier: BSD-3-Clause

package vm

import "unsafe"

// walkGroups feeds the box to grouped folds: ids says which of the groups an element belongs to.
// Elements go row-major to the accumulator of their group and kept element. The last entry
// of all has the ids as its operand and no sweep.
func (g *geometry) walkGroups(b *box, all []folding, groups, pass int, dst []int) {
	for i := range g.n {
		if b.dim[i] == 0 {
			return
		}
	}
	var offs [maxFolds + 1][2]int
	off := offs[:len(all)]
	mine := len(all) - 1
	fs, ids := all[:mine], &all[mine].src[0]
	last := g.n - 1
	length := b.dim[last]
	kept, number := g.numbers(b)
	outer, red := odometer{axes: g.order[:g.nkept]}, odometer{axes: g.order[g.nkept:]}
	step := ids.stride[last]
	for {
		for {
			first := ids.id(off[mine][0])
			if g.inner || step != 0 {
				for j := range length {
					dst[j] = -1
					if id := ids.id(off[mine][0] + j*step); id >= 0 && id < groups {
						dst[j] = id*g.keep + kept
						if !g.inner {
							dst[j] += j
						}
					}
				}
			}
			for f := range fs {
				d := &fs[f]
				if pass >= d.sweep.passes() {
					continue
				}
				if g.inner || step != 0 {
					x, _ := d.load(off[f], 0, last, length)
					d.sweep.scatter(pass, dst[:length], x)
				} else if first >= 0 && first < groups {
					x, _ := d.load(off[f], 0, last, length)
					d.sweep.grow(pass, first*g.keep+kept, length, x)
				}
			}
			if !red.next(g, b, &number, all, off) {
				break
			}
		}
		if !outer.next(g, b, &kept, all, off) {
			return
		}
	}
}

// id returns the int32 at an offset.
func (s *source) id(off int) int { return int(*(*int32)(unsafe.Pointer(s.at(off)))) }

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats/hdf5"
)

// treeFanout is the most entries of a B-tree node, twice the library's default K of 32.
const treeFanout = 64

// place is where a stored chunk lies.
type place struct {
	addr uint64
	size uint32 // 0: not written
}

// entry is an entry of a B-tree node: the first chunk below it and its address.
type entry struct {
	size uint32
	off  []uint64
	addr uint64
}

// chunkTree writes a version 1 B-tree of the chunks of grid and returns its root's
// address, hdf5.Undef when there is none. Nodes of a level lie side by side; a node
// has one key more than children, the last one the next node's first.
func (w *writer) chunkTree(g chunk.Grid, cell chunk.Shape, places []place) (uint64, error) {
	nd := len(cell)
	var level []entry
	key := make(chunk.Key, nd)
	for i, p := range places {
		if p.size == 0 {
			continue
		}
		g.At(int64(i), key)
		off := make([]uint64, nd)
		for k := range off {
			off[k] = uint64(key[k] * cell[k])
		}
		level = append(level, entry{p.size, off, p.addr})
	}
	if len(level) == 0 {
		return hdf5.Undef, nil
	}
	end := make([]uint64, nd)
	for k := range end {
		end[k] = uint64(g.Axes[k].Count() * cell[k])
	}
	for depth := uint64(0); ; depth++ {
		nodes := (len(level) + treeFanout - 1) / treeFanout
		size := uint64(24 + (treeFanout+1)*(8+8*(nd+1)) + treeFanout*8)
		block := make([]byte, size*uint64(nodes))
		base := w.alloc(int64(len(block)))
		var up []entry
		for q := range nodes {
			es := level[q*treeFanout : min((q+1)*treeFanout, len(level))]
			n := (&buf{}).s("TREE").u(1, 1).u(1, depth).u(2, uint64(len(es)))
			left, right := hdf5.Undef, hdf5.Undef
			if q > 0 {
				left = base + uint64(q-1)*size
			}
			if q < nodes-1 {
				right = base + uint64(q+1)*size
			}
			n.u(8, left).u(8, right)
			put := func(e entry) {
				n.u(4, uint64(e.size)).u(4, 0)
				for _, o := range e.off {
					n.u(8, o)
				}
				n.u(8, 0)
			}
			for _, e := range es {
				put(e)
				n.u(8, e.addr)
			}
			if (q+1)*treeFanout < len(level) {
				put(level[(q+1)*treeFanout])
			} else {
				put(entry{off: end})
			}
			copy(block[uint64(q)*size:], n.b)
			up = append(up, entry{es[0].size, es[0].off, base + uint64(q)*size})
		}
		if err := w.writeAt(base, block); err != nil {
			return 0, err
		}
		if nodes == 1 {
			return base, nil
		}
		level = up
	}
}

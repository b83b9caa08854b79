// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import (
	"fmt"
	"hash/fnv"
	"math"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray/graph"
)

// joining is what a pass over the parts of chunks finds.
type joining struct {
	first  []int64 // of each chunk, where its parts begin in number
	number []int32 // by part of a chunk, in the order of chunks, of the joined part
	count  int32
	hash   uint64
	bits   *bitArray // which elements are in a part; nil where there was no room
}

// begin starts the pass over the parts of chunks.
func (l *labelling) begin(_ *graph.Node, budget int64) graph.Finder {
	f := &faces{labelling: l, budget: budget, first: make([][]int64, l.grid.Len())}
	f.bytes = 24 * l.grid.Len()
	for k, x := range l.grid.Axes {
		cross := l.grid.Shape.Clone()
		cross[k] = 2 * max(x.Count()-1, 0)
		f.planes = append(f.planes, nil)
		f.bytes += 4 * cross.Size()
		f.cross = append(f.cross, cross)
	}
	if f.bits = newBits(l.grid, budget/bitsShare); f.bits != nil {
		f.bytes += f.bits.Holds()
	}
	if f.bytes <= budget {
		for k, c := range f.cross {
			f.planes[k] = make([]int32, c.Size())
		}
	}
	return f
}

// faces keeps the parts at the faces of chunks: along each axis, for each boundary between chunks, the planes on its two sides.
type faces struct {
	*labelling
	budget int64
	bytes  int64 // of planes and parts
	cross  []chunk.Shape
	planes [][]int32
	first  [][]int64 // by chunk and part: where its first element is in the array, row-major
	bits   *bitArray
}

// Add looks at a region of the parts.
func (f *faces) Add(at chunk.Region, c *chunk.Chunk) error {
	if f.bytes > f.budget {
		return f.noRoom()
	}
	src := chunk.Elems[int32](c.Block)
	strides := f.grid.Shape.RowMajor()
	for k := range f.grid.Covering(at) {
		id := f.grid.Linear(k)
		eachRow(at.Intersect(f.grid.Region(k)), func(pos []int64, length int64) {
			from, place, step := c.Offset, int64(0), int64(1)
			for k := range pos {
				from += (pos[k] - at.Lo[k]) * c.Strides[k]
				place += pos[k] * strides[k]
				step = c.Strides[k]
			}
			list := f.first[id]
			var line []uint64
			x := int64(0)
			if f.bits != nil {
				line, x = f.bits.at(pos)
			}
			for i := range length {
				v := src[from+i*step]
				if v == 0 {
					continue
				}
				if line != nil {
					line[(x+i)>>6] |= 1 << (uint(x+i) & 63)
				}
				for len(list) < int(v) {
					list = append(list, math.MaxInt64)
					f.bytes += 16
				}
				list[v-1] = min(list[v-1], place+i)
			}
			f.first[id] = list
		})
	}
	for k, x := range f.grid.Axes {
		for b := range x.Count() - 1 {
			_, end := x.Bounds(b)
			for side, p := range []int64{end - 1, end} {
				if p >= at.Lo[k] && p < at.Hi[k] {
					f.keep(at, c, k, p, 2*b+int64(side))
				}
			}
		}
	}
	if f.bytes > f.budget {
		return f.noRoom()
	}
	return nil
}

// keep copies the plane at position p along axis k of a region to plane n.
func (f *faces) keep(at chunk.Region, c *chunk.Chunk, k int, p, n int64) {
	r := at.Clone()
	r.Lo[k], r.Hi[k] = p, p+1
	src := chunk.Elems[int32](c.Block)
	strides := f.cross[k].RowMajor()
	eachRow(r, func(pos []int64, length int64) {
		from, to, step, by := c.Offset, int64(0), int64(1), int64(1)
		for i := range pos {
			from += (pos[i] - at.Lo[i]) * c.Strides[i]
			q := pos[i]
			if i == k {
				q = n
			}
			to += q * strides[i]
			step, by = c.Strides[i], strides[i]
		}
		for i := range length {
			f.planes[k][to+i*by] = src[from+i*step]
		}
	})
}

func (f *faces) noRoom() error {
	return &graph.NoRoom{What: "the faces and the parts of chunks that label joins", Bytes: f.bytes, Instead: ", or use larger chunks"}
}

// Found joins the parts that touch.
func (f *faces) Found() (any, error) {
	if f.bytes > f.budget {
		return nil, f.noRoom()
	}
	j := &joining{bits: f.bits, first: make([]int64, len(f.first)+1)}
	for i, list := range f.first {
		j.first[i+1] = j.first[i] + int64(len(list))
	}
	total := j.first[len(f.first)]
	parent := make([]int64, total)
	for i := range parent {
		parent[i] = int64(i)
	}
	place := slices.Concat(f.first...)
	f.touch(func(chunkA int64, a int32, chunkB int64, b int32) {
		union(parent, j.first[chunkA]+int64(a)-1, j.first[chunkB]+int64(b)-1)
	})
	// The first element of a joined part is the first of those of its parts; they are numbered in that order.
	roots := []int64{}
	for i := range parent {
		r := find(parent, int64(i))
		if r == int64(i) {
			roots = append(roots, r)
		} else {
			place[r] = min(place[r], place[i])
		}
	}
	if len(roots) > math.MaxInt32 {
		return nil, fmt.Errorf("ndimage: label: got %d parts, want at most %d", len(roots), math.MaxInt32)
	}
	slices.SortFunc(roots, func(a, b int64) int {
		return int(min(max(place[a]-place[b], -1), 1))
	})
	j.count = int32(len(roots))
	j.number = make([]int32, total)
	for i, r := range roots {
		j.number[r] = int32(i + 1)
	}
	h := fnv.New64a()
	for i := range parent {
		j.number[i] = j.number[find(parent, int64(i))]
		v := j.number[i]
		h.Write([]byte{byte(v), byte(v >> 8), byte(v >> 16), byte(v >> 24)})
	}
	j.hash = h.Sum64()
	return j, nil
}

// touch calls join with each two parts of different chunks that are neighbours, the later one first.
func (f *faces) touch(join func(chunkA int64, a int32, chunkB int64, b int32)) {
	rank := len(f.grid.Axes)
	counts := f.grid.Counts().RowMajor()
	in := make([][]int64, rank) // by axis and position, what its chunk adds to the number of chunks
	for k, x := range f.grid.Axes {
		for i := range x.Count() {
			lo, hi := x.Bounds(i)
			in[k] = append(in[k], slices.Repeat([]int64{i * counts[k]}, int(hi-lo))...)
		}
	}
	chunkOf := func(pos []int64) (id int64) {
		for k, p := range pos {
			id += in[k][p]
		}
		return id
	}
	other := make([]int64, rank)
	for k, x := range f.grid.Axes {
		// Neighbours on the other side of a boundary along k: those after the middle are these, mirrored.
		var across [][]int64
		for _, d := range f.around {
			d = slices.Clone(d)
			if d[k] > 0 {
				for i := range d {
					d[i] = -d[i]
				}
			}
			if d[k] != 0 {
				across = append(across, d)
			}
		}
		strides := f.cross[k].RowMajor()
		for b := range x.Count() - 1 {
			_, end := x.Bounds(b)
			r := chunk.Whole(f.grid.Shape)
			r.Lo[k], r.Hi[k] = end, end+1
			q := make([]int64, rank)
			eachRow(r, func(pos []int64, length int64) {
				copy(q, pos)
				for i := range length {
					q[rank-1] = pos[rank-1] + i
					v := f.at(k, strides, q, 2*b+1)
					if v == 0 {
						continue
					}
					for _, d := range across {
						inside := true
						for a := range other {
							other[a] = q[a] + d[a]
							inside = inside && other[a] >= 0 && other[a] < f.grid.Shape[a]
						}
						if !inside {
							continue
						}
						if w := f.at(k, strides, other, 2*b); w != 0 {
							join(chunkOf(q), v, chunkOf(other), w)
						}
					}
				}
			})
		}
	}
}

// at returns the part at a position of plane n along axis k.
func (f *faces) at(k int, strides, pos []int64, n int64) int32 {
	to := int64(0)
	for i, p := range pos {
		if i == k {
			p = n
		}
		to += p * strides[i]
	}
	return f.planes[k][to]
}

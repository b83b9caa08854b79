// SPDX-License-Identifier: BSD-3-Clause

package vm

import (
	"unsafe"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// tile is the edge of the square that a transposing copy moves at a time: both
// sides' cache lines are then used whole.
const tile = 32

// Copy copies the elements of src to dst: one dtype and shape, any strides, no shared memory.
func Copy(dst, src *chunk.Chunk) error {
	var g geometry
	var to, from source
	from.size, to.size = int(src.ItemBytes), int(src.ItemBytes)
	from.base, to.base = src.Base(), dst.Base()
	ops := [2]operand{{&to, dst.Strides}, {&from, src.Strides}}
	g.set(src.Shape, 0, ops[:], 0)
	b := box{dim: g.dim}
	for k := range g.n {
		if g.dim[k] == 0 {
			return nil
		}
	}
	copyBox(&g, &to, &from, &b)
	return nil
}

func copyBox(g *geometry, to, from *source, b *box) {
	last := g.n - 1
	fast := last // the axis along which the source is read fastest
	for k := range last {
		if b.dim[k] > 1 && abs(from.stride[k]) < abs(from.stride[fast]) && from.stride[k] != 0 {
			fast = k
		}
	}
	var pos [kernels.MaxAxes + 1]int
	for {
		x, y := 0, 0
		for k := range g.n {
			x += pos[k] * to.stride[k]
			y += pos[k] * from.stride[k]
		}
		if fast == last {
			copyRow(to, from, x, y, to.stride[last], from.stride[last], b.dim[last])
		} else {
			copyTiles(to, from, x, y, fast, last, b)
		}
		k := last - 1
		for ; k >= 0; k-- {
			if k == fast {
				continue
			}
			if pos[k]++; pos[k] < b.dim[k] {
				break
			}
			pos[k] = 0
		}
		if k < 0 {
			return
		}
	}
}

// copyTiles copies the plane of axes i and j in squares.
func copyTiles(to, from *source, x, y, i, j int, b *box) {
	for p := 0; p < b.dim[i]; p += tile {
		for q := 0; q < b.dim[j]; q += tile {
			n := min(tile, b.dim[j]-q)
			for r := p; r < min(p+tile, b.dim[i]); r++ {
				copyRow(to, from, x+r*to.stride[i]+q*to.stride[j], y+r*from.stride[i]+q*from.stride[j], to.stride[j], from.stride[j], n)
			}
		}
	}
}

// copyRow copies n elements between rows with steps.
func copyRow(to, from *source, x, y, xs, ys, n int) {
	switch {
	case xs == 1 && ys == 1:
		copy(values[byte](to.at(x), n*to.size), values[byte](from.at(y), n*from.size))
	case to.size <= 16 && stepRow[to.size] != nil:
		stepRow[to.size](to.at(x), from.at(y), xs, ys, n)
	default: // records
		for i := range n {
			copy(values[byte](to.at(x+i*xs), to.size), values[byte](from.at(y+i*ys), to.size))
		}
	}
}

// stepRow copies by element size.
var stepRow = [17]func(to, from unsafe.Pointer, xs, ys, n int){
	1: stepCopy[uint8], 2: stepCopy[uint16], 4: stepCopy[uint32], 8: stepCopy[uint64], 16: stepCopy[[2]uint64],
}

func stepCopy[T any](to, from unsafe.Pointer, xs, ys, n int) {
	x, y := 0, 0
	for range n {
		*(*T)(element[T](to, x)) = *(*T)(element[T](from, y))
		x += xs
		y += ys
	}
}

func abs(n int) int { return max(n, -n) }

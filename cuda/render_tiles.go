// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"
)

// templateTiles is elementwise over squares: inputs that follow another axis than the last closely are read along that, a square at a time, and
// turned in memory that the threads of a block share.
const templateTiles = "tiles"

// tileSide is the side of a square: a warp reads and writes rows of it.
const tileSide = 32

// turned returns the joined axis that some inputs follow closely while they take steps along the last, and which those are, as many as shared memory holds;
// -1 where that axis or the last is too short.
func turned(q *part, g *geometry) (axis int, in []bool) {
	last := len(g.dim) - 1
	votes, axis := make([]int, len(g.dim)), -1
	closely := func(i, k int) bool {
		return q.in[i] && q.p.In[i].Gather < 0 && g.class(i, last) == 's' && g.stride[i][k] == 1
	}
	for k := range last {
		for i := range q.in {
			if g.dim[k] >= tileSide && g.dim[last] >= tileSide && closely(i, k) {
				if votes[k]++; axis < 0 || votes[k] > votes[axis] {
					axis = k
				}
			}
		}
	}
	if axis < 0 {
		return -1, nil
	}
	in = make([]bool, len(q.in))
	shared := 0
	for i := range in {
		if n := tileSide * (tileSide + 1) * q.p.In[i].DType.Size(); closely(i, axis) && shared+n <= maxShared {
			shared += n
			in[i] = true
		}
	}
	return axis, in
}

// tilesKey tells geometries apart that are turned differently.
func tilesKey(q *part, g *geometry) string {
	axis, in := turned(q, g)
	return fmt.Sprint(" ", axis, in)
}

// tiles writes the template. All threads of a block take part in every square, whole or not, as they wait for each other.
func (w *writer) tiles(q *part, g *geometry, n string) error {
	axis, turn := turned(q, g)
	last := len(g.dim) - 1
	down, across := w.number(fmt.Sprintf("d%d", axis), dimOf(axis)), w.number(fmt.Sprintf("d%d", last), dimOf(last))
	loaded := make([]bool, len(q.in))
	var others []int
	for k := range last {
		if k != axis {
			others = append(others, k)
		}
	}
	for i, t := range turn {
		if t {
			w.pointer(q, i)
			w.printf("\t__shared__ %s t%d[%d][%d];\n", ctype[q.p.In[i].DType], i, tileSide, tileSide+1)
		}
	}
	w.printf("\tconst un across = ((un)%s + %d) / %d, down = ((un)%s + %d) / %d;\n", across, tileSide-1, tileSide, down, tileSide-1, tileSide)
	w.printf("\tfor (un tile = blockIdx.x; tile < (un)%s; tile += gridDim.x) {\n", n)
	w.printf("\t\tconst un row = tile / across, outer = row / down, x0 = (tile - row * across) * %d, y0 = (row - outer * down) * %d;\n", tileSide, tileSide)
	w.splitOver(g, "outer", others, "\t\t")
	square := func(y, x string) {
		w.printf("\t\tfor (un r = threadIdx.y; r < %d; r += blockDim.y) {\n", tileSide)
		w.printf("\t\t\tconst ix c%d = (ix)(y0 + %s), c%d = (ix)(x0 + %s);\n\t\t\tif (c%d < (ix)%s && c%d < (ix)%s) {\n", axis, y, last, x, axis, down, last, across)
	}
	square("threadIdx.x", "r")
	for i, t := range turn {
		if t {
			w.printf("\t\t\t\tt%d[r][threadIdx.x] = in%d[%s];\n", i, i, w.offset(g, i, -1))
		}
	}
	w.printf("\t\t\t}\n\t\t}\n\t\t__syncthreads();\n")
	square("r", "threadIdx.x")
	for i, t := range turn {
		if t {
			w.printf("\t\t\t\tconst %s r%d = t%d[threadIdx.x][r];\n", ctype[q.p.In[i].DType], i, i)
			loaded[i] = true
		}
	}
	if err := w.element(q, g, q.ret, loaded, "\t\t\t\t"); err != nil {
		return err
	}
	var place strings.Builder // the row-major number
	place.WriteString(strings.Repeat("(", last) + "(un)c0")
	for k := 1; k <= last; k++ {
		fmt.Fprintf(&place, ") * (un)%s + (un)c%d", w.number(fmt.Sprintf("d%d", k), dimOf(k)), k)
	}
	for k, r := range q.ret {
		w.printf("\t\t\t\tout%d[%s] = r%d;\n", k, place.String(), r)
	}
	w.printf("\t\t\t}\n\t\t}\n\t\t__syncthreads();\n\t}\n")
	return nil
}

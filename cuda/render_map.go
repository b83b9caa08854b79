// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"

	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// The elementwise templates.
const (
	templateFlat = "flat" // one joined axis, every input closely or not at all along it
	templateRows = "rows" // rows of 32 or more along the last axis
	templateAny  = "any"  // any strides
)

// mapTemplate chooses the template of a part without folds, and for flat how many elements a thread takes at once.
func mapTemplate(q *part, g *geometry) (name string, vector int) {
	last := len(g.dim) - 1
	flat := last <= 0
	for i := range q.in {
		if !q.in[i] {
			continue
		}
		flat = flat && q.p.In[i].Gather < 0 && g.class(i, last) != 's'
	}
	switch {
	case flat: // what varies begins where an allocation does, so wide loads are aligned
		return templateFlat, vectorOf(q)
	}
	if axis, _ := turned(q, g); axis >= 0 {
		return templateTiles, 1
	}
	if last >= 1 && g.dim[last] >= 32 {
		return templateRows, 1
	}
	return templateAny, 1
}

// vectorOf returns how many elements a thread takes at once: 16 bytes of the widest operand, of mixed widths 4
// elements or more. Long bodies take one: unrolling them costs registers and hides nothing.
func vectorOf(q *part) int {
	wide, narrow := 1, 16
	note := func(d dtype.DType) { wide, narrow = max(wide, d.Size()), min(narrow, d.Size()) }
	for i, port := range q.p.In {
		if q.in[i] {
			note(port.DType)
		}
	}
	for _, r := range q.ret {
		note(q.p.RegType(r))
	}
	v := 16 / wide
	if narrow < wide {
		v = max(v, min(4, 16/narrow))
	}
	if q.instructions() > 48 {
		return 1
	}
	return v
}

// renderMap returns the source of the elementwise results of a part.
func renderMap(q *part, g *geometry, template string, vector int) (*Source, error) {
	w := newWriter(g.wide)
	for k, r := range q.ret {
		d := q.p.RegType(r)
		if d.IsComplex() {
			w.use("c64")
		}
		w.param(ctype[d]+" *__restrict__ ", fmt.Sprintf("out%d", k), func(l *launch) uint64 { return l.out[k] })
	}
	loaded := make([]bool, len(q.in))
	if template == templateFlat && vector > 1 {
		return w.vectors(q, g, vector)
	}
	n := w.number("n", func(l *launch) int64 { return int64(l.count) })
	store := "i"
	switch template {
	case templateTiles:
		if err := w.tiles(q, g, n); err != nil {
			return nil, err
		}
		return w.finish("elementwise, "+template, perTile)
	case templateFlat, templateAny:
		w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
		w.printf("\tfor (un i = (un)blockIdx.x * blockDim.x + threadIdx.x; i < (un)%s; i += step) {\n", n)
		w.split(g, "i", 0, len(g.dim), "\t\t")
	case templateRows:
		last := len(g.dim) - 1
		row := w.number(fmt.Sprintf("d%d", last), dimOf(last))
		w.printf("\tfor (un t = (un)blockIdx.y * blockDim.y + threadIdx.y; t < (un)%s; t += (un)gridDim.y * blockDim.y) {\n", n)
		w.split(g, "t", 0, last, "\t\t")
		w.printf("\t\tfor (un x = (un)blockIdx.x * blockDim.x + threadIdx.x; x < (un)%s; x += (un)gridDim.x * blockDim.x) {\n", row)
		w.printf("\t\tconst ix c%d = (ix)x;\n", last)
		store = fmt.Sprintf("t * (un)%s + x", row)
	}
	if err := w.element(q, g, q.ret, loaded, "\t\t"); err != nil {
		return nil, err
	}
	for k, r := range q.ret {
		w.printf("\t\tout%d[%s] = r%d;\n", k, store, r)
	}
	w.printf("\t}\n")
	shape := perElement
	if template == templateRows {
		w.printf("\t}\n")
		shape = perRow
	}
	return w.finish("elementwise, "+template, shape)
}

func dimOf(k int) func(l *launch) int64 { return func(l *launch) int64 { return l.geo.dim[k] } }

// split writes the coordinates of the joined axes lo to hi that the row-major number from stands for.
func (w *writer) split(g *geometry, from string, lo, hi int, indent string) {
	var axes []int
	for k := lo; k < hi; k++ {
		axes = append(axes, k)
	}
	w.splitOver(g, from, axes, indent)
}

// splitOver is split for some of the axes.
func (w *writer) splitOver(g *geometry, from string, axes []int, indent string) {
	t := from
	for i := len(axes) - 1; i > 0; i-- {
		k := axes[i]
		d := w.number(fmt.Sprintf("d%d", k), dimOf(k))
		if g.wide {
			w.printf("%sconst un q%d = %s / (un)%s;\n", indent, k, t, d)
		} else {
			f := w.param("u64 ", fmt.Sprintf("f%d", k), func(l *launch) uint64 { return divider(l.geo.dim[k]) })
			w.printf("%sconst un q%d = %s(%s, (u32)%s, (u32)(%s >> 32));\n", indent, k, w.use("quick"), t, f, f)
		}
		w.printf("%sconst ix c%d = (ix)(%s - q%d * (un)%s);\n", indent, k, t, k, d)
		t = fmt.Sprintf("q%d", k)
	}
	if len(axes) > 0 {
		w.printf("%sconst ix c%d = (ix)%s;\n", indent, axes[0], t)
	}
}

// vectors writes the flat template with wide loads and stores. The last, shorter group goes element by element.
func (w *writer) vectors(q *part, g *geometry, vector int) (*Source, error) {
	n := w.number("n", func(l *launch) int64 { return int64(l.count) })
	w.printf("\tconst un step = (un)gridDim.x * blockDim.x, groups = (un)((%s + %d) / %d);\n", n, vector-1, vector)
	w.printf("\tfor (un j = (un)blockIdx.x * blockDim.x + threadIdx.x; j < groups; j += step) {\n")
	w.printf("\t\tconst un first = j * %d;\n\t\tconst bool whole = (i64)first + %d <= %s;\n", vector, vector, n)
	loaded := make([]bool, len(q.in))
	for i, port := range q.p.In {
		if !q.in[i] {
			continue
		}
		if !w.vectorLoad(q, g, i, port.DType, vector) {
			w.load(q, g, i, "\t\t")
		}
		loaded[i] = true
	}
	for k, r := range q.ret {
		w.union(fmt.Sprintf("y%d", k), q.p.RegType(r), vector)
	}
	w.printf("\t\t#pragma unroll\n\t\tfor (int v = 0; v < %d; v++) {\n", vector)
	if len(g.dim) > 0 {
		w.printf("\t\tconst ix c0 = (ix)(first + v);\n")
	}
	for i, port := range q.p.In {
		if q.in[i] && g.class(i, len(g.dim)-1) != '0' {
			w.printf("\t\tconst %s r%d = x%d.e[v];\n", ctype[port.DType], i, i)
		}
	}
	if err := w.element(q, g, q.ret, loaded, "\t\t"); err != nil {
		return nil, err
	}
	for k, r := range q.ret {
		w.printf("\t\ty%d.e[v] = r%d;\n", k, r)
	}
	w.printf("\t\t}\n\t\tif (whole) {\n")
	for k, r := range q.ret {
		t, m := vectorType(q.p.RegType(r), vector)
		for j := range m {
			w.printf("\t\t\t((%s *)out%d)[(u64)j * %d + %d] = y%d.q[%d];\n", t, k, m, j, k, j)
		}
	}
	w.printf("\t\t} else {\n\t\t\tfor (int v = 0; v < %d; v++) {\n\t\t\t\tif ((i64)first + v < %s) {\n", vector, n)
	for k := range q.ret {
		w.printf("\t\t\t\t\tout%d[first + v] = y%d.e[v];\n", k, k)
	}
	w.printf("\t\t\t\t}\n\t\t\t}\n\t\t}\n\t}\n")
	return w.finish(fmt.Sprintf("elementwise, flat, %d at once", vector), perElement)
}

// vectorLoad declares x of input i and loads it; it reports false for an input that does not vary.
func (w *writer) vectorLoad(q *part, g *geometry, i int, d dtype.DType, vector int) bool {
	if g.class(i, len(g.dim)-1) == '0' {
		return false
	}
	in := w.pointer(q, i)
	w.union(fmt.Sprintf("x%d", i), d, vector)
	t, m := vectorType(d, vector)
	w.printf("\t\tif (whole) {\n")
	for j := range m {
		w.printf("\t\t\tx%d.q[%d] = ((const %s *)%s)[(u64)j * %d + %d];\n", i, j, t, in, m, j)
	}
	w.printf("\t\t} else {\n\t\t\tfor (int v = 0; v < %d; v++) x%d.e[v] = %s[(i64)first + v < n ? first + v : first];\n\t\t}\n", vector, i, in)
	return true
}

// union declares a variable of so many elements that can be moved in words.
func (w *writer) union(name string, d dtype.DType, vector int) {
	w.use("vec")
	if d.IsComplex() {
		w.use("c64")
	}
	t, m := vectorType(d, vector)
	w.printf("\t\tunion { %s q[%d]; %s e[%d]; } %s;\n", t, m, ctype[d], vector, name)
}

// vectorType returns the widest word that moves so many elements, and how many of it do.
func vectorType(d dtype.DType, vector int) (word string, words int) {
	switch n := d.Size() * vector; n {
	case 1:
		return "u8", 1
	case 2:
		return "u16", 1
	case 4:
		return "u32", 1
	case 8:
		return "v8", 1
	default:
		return "v16", n / 16
	}
}

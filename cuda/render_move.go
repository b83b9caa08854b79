// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"
)

// Packing is how the bytes of elements lie before the device puts them in order.
type Packing uint8

// The packings.
const (
	Plain    Packing = iota // native byte order
	Swapped                 // the other byte order
	Shuffled                // all first bytes, then all second bytes, and so on
)

// templateMove copies elements from one layout to another.
const templateMove = "move"

// renderMove returns the source that moves elements of item bytes from the second layout of a geometry to
// the first, and puts their bytes in order.
func renderMove(g *geometry, item int, packing Packing) (*Source, error) {
	word := map[int]string{1: "u8", 2: "u16", 4: "u32", 8: "u64", 16: "v16"}[item]
	if word == "" || packing != Plain && item > 8 {
		return nil, fmt.Errorf("cuda: render: move elements of %d bytes, packing %d: want 1, 2, 4, 8 or, of plain ones, 16", item, packing)
	}
	w := newWriter(g.wide)
	if word == "v16" {
		w.use("vec")
	}
	out := w.param(word+" *__restrict__ ", "out", func(l *launch) uint64 { return l.out[0] })
	from := "u8"
	if packing != Shuffled {
		from = word
	}
	in := w.param("const "+from+" *__restrict__ ", "in", func(l *launch) uint64 { return l.in[0] })
	n := w.number("n", func(l *launch) int64 { return int64(l.count) })
	w.printf("\tconst un step = (un)gridDim.x * blockDim.x;\n")
	w.printf("\tfor (un i = (un)blockIdx.x * blockDim.x + threadIdx.x; i < (un)%s; i += step) {\n", n)
	w.split(g, "i", 0, len(g.dim), "\t\t")
	var bytes []string
	switch packing {
	case Plain:
		w.printf("\t\tconst %s x = %s[%s];\n", word, in, w.offset(g, 1, -1))
		bytes = append(bytes, "x")
	case Swapped:
		w.printf("\t\tconst %s x = %s[%s];\n", word, in, w.offset(g, 1, -1))
		for b := range item {
			bytes = append(bytes, fmt.Sprintf("(%s)(u8)(x >> %d) << %d", word, 8*b, 8*(item-1-b)))
		}
	case Shuffled:
		many := w.number("many", func(l *launch) int64 { return int64(l.width) })
		w.printf("\t\tconst i64 x = %s;\n", w.offset(g, 1, -1))
		for b := range item {
			bytes = append(bytes, fmt.Sprintf("(%s)%s[x + %d * %s] << %d", word, in, b, many, 8*b))
		}
	}
	value := strings.Join(bytes, " | ")
	if packing != Plain {
		value = fmt.Sprintf("(%s)(%s)", word, value)
	}
	w.printf("\t\t%s[%s] = %s;\n\t}\n", out, w.offset(g, 0, -1), value)
	return w.finish(fmt.Sprintf("move, %d bytes", item), perElement)
}

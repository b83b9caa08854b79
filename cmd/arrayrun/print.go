// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
)

// Results on stdout look as NumPy prints arrays: these are its defaults.
const (
	printThreshold = 1000 // elements; a larger array is summarised
	printEdge      = 3    // elements kept at each end of a summarised axis
	printWidth     = 75   // columns
	printDigits    = 8    // digits behind the point
)

// printPositions returns, for each axis, the positions that the text of an
// array shows, or nil when it shows all of them: only these need computing.
func printPositions(shape chunk.Shape) [][]int64 {
	if shape.Size() <= printThreshold {
		return nil
	}
	out := make([][]int64, len(shape))
	for i, n := range shape {
		for k := range n {
			if n > 2*printEdge && k == printEdge {
				for j := n - printEdge; j < n; j++ {
					out[i] = append(out[i], j)
				}
				break
			}
			out[i] = append(out[i], k)
		}
	}
	return out
}

// arrayText prints an array of the full shape. c holds its elements, or those at
// printPositions, C-ordered and contiguous.
func arrayText(full chunk.Shape, c *chunk.Chunk) string {
	if full.Size() == 0 {
		return "[]"
	}
	element := elementFormat(c)
	if len(full) == 0 {
		return scalarText(c)
	}
	p := printer{full: full, part: c.Shape, strides: c.Shape.RowMajor(), element: element}
	return p.axis(0, 0, "", printWidth)
}

// printer lays out the words of an array.
type printer struct {
	full, part chunk.Shape
	strides    []int64
	element    func(i int64) string
}

// axis returns the text of the sub-array that starts at element o and has its
// axes from the given one on. The first line has no indent.
func (p *printer) axis(axis int, o int64, indent string, width int) string {
	if axis == len(p.full) {
		return p.element(o)
	}
	inner := indent + " "
	n := p.part[axis]
	gap := int64(-1) // the dots come before this position
	if n < p.full[axis] {
		gap = printEdge
	}
	if axis == len(p.full)-1 {
		return "[" + p.row(o, n, gap, inner, width-1) + "]"
	}
	separator := strings.Repeat("\n", len(p.full)-axis-1)
	var b strings.Builder
	b.WriteByte('[')
	for i := range n {
		if i == gap {
			b.WriteString(inner + "..." + separator)
		}
		if i > 0 {
			b.WriteString(inner)
		}
		b.WriteString(p.axis(axis+1, o+i*p.strides[axis], inner, width-1))
		if i < n-1 {
			b.WriteString(separator)
		}
	}
	b.WriteByte(']')
	return b.String()
}

// row lays out the last axis: words with one space between, wrapped at the width.
func (p *printer) row(o, n, gap int64, indent string, width int) string {
	var b strings.Builder
	line := indent
	put := func(word string) {
		if len(line)+len(word) > width && len(line) > len(indent) {
			b.WriteString(strings.TrimRight(line, " ") + "\n")
			line = indent
		}
		line += word
	}
	for i := range n {
		if i == gap {
			put("...")
			line += " "
		}
		put(p.element(o + i))
		if i < n-1 {
			line += " "
		}
	}
	b.WriteString(line)
	return b.String()[len(indent):]
}

// elementFormat returns the function that prints element i of c, with widths
// that suit all of c's elements.
func elementFormat(c *chunk.Chunk) func(i int64) string {
	n := c.Shape.Size()
	switch {
	case c.DType == dtype.String:
		return func(i int64) string { return pythonQuote(stringAt(c, i)) }
	case c.DType == dtype.Raw:
		return func(i int64) string { return "b" + pythonQuote(strings.TrimRight(stringAt(c, i), "\x00")) }
	case c.DType == dtype.Bool:
		return func(i int64) string {
			if boolAt(c, i) {
				return " True"
			}
			return "False"
		}
	case c.DType.IsInteger():
		width := 0
		for i := range n {
			width = max(width, len(intText(c, i)))
		}
		return func(i int64) string { return fmt.Sprintf("%*s", width, intText(c, i)) }
	case c.DType.IsComplex():
		re := floatFormat(floatBits(c.DType), n, false, func(i int64) float64 { return real(complexAt(c, i)) })
		im := floatFormat(floatBits(c.DType), n, true, func(i int64) float64 { return imag(complexAt(c, i)) })
		return func(i int64) string {
			s := im(i)
			t := strings.TrimRight(s, " ")
			return re(i) + t + "j" + s[len(t):]
		}
	}
	return floatFormat(floatBits(c.DType), n, false, func(i int64) float64 { return floatAt(c, i) })
}

// pythonQuote prints s as Python's repr does.
func pythonQuote(s string) string {
	q := "'"
	if strings.Contains(s, "'") && !strings.Contains(s, `"`) {
		q = `"`
	}
	var b strings.Builder
	b.WriteString(q)
	for _, r := range s {
		switch {
		case string(r) == q || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\r':
			b.WriteString(`\r`)
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteString(q)
	return b.String()
}

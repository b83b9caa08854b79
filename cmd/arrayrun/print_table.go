// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/ndarray"
)

// printedTable is a table that becomes text.
type printedTable struct {
	table ndarray.Table
	rows  int64
	text  string
}

// A table of more rows than these on stdout is summarised: as many at each end are kept.
const (
	printRows    = 60
	printRowEdge = 10
)

// output returns what the engine computes for the text.
func (t *printedTable) output() ndarray.Output {
	return t.table.Output("table", func(columns []*chunk.Chunk) error {
		t.rows = columns[0].Shape[0]
		t.text = tableText(t.table.Columns(), columns)
		return nil
	})
}

// tableText prints columns side by side under their names.
func tableText(names []string, columns []*chunk.Chunk) string {
	rows := columns[0].Shape[0]
	first, last := rows, rows
	if rows > printRows {
		first, last = printRowEdge, rows-printRowEdge
	}
	words := make([][]string, len(columns))
	for i, c := range columns {
		word := func(int64) string { return "" }
		if rows > 0 {
			word = elementFormat(c)
		}
		list := []string{names[i]}
		for k := range first {
			list = append(list, strings.TrimSpace(word(k)))
		}
		if last < rows {
			list = append(list, "...")
		}
		for k := last; k < rows; k++ {
			list = append(list, strings.TrimSpace(word(k)))
		}
		width := 0
		for _, w := range list {
			width = max(width, len(w))
		}
		for k, w := range list {
			list[k] = strings.Repeat(" ", width-len(w)) + w
		}
		words[i] = list
	}
	var b strings.Builder
	for k := range words[0] {
		for i := range words {
			if i > 0 {
				b.WriteString("  ")
			}
			b.WriteString(words[i][k])
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "[%d rows x %d columns]\n", rows, len(columns))
	return b.String()
}

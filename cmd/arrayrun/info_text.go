// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
)

// text prints the description as ncdump -h prints a header, with how each
// variable is stored as a comment.
func (g groupDoc) text(w io.Writer, uri, format string) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s %s {\n", format, uri)
	g.body(b, "")
	fmt.Fprintln(b, "}")
	return b.Flush()
}

func (g groupDoc) body(b *bufio.Writer, indent string) {
	if len(g.dims) > 0 {
		fmt.Fprintf(b, "%sdimensions:\n", indent)
	}
	for _, d := range g.dims {
		if d.Unlimited {
			fmt.Fprintf(b, "%s\t%s = UNLIMITED ; // (%d currently)\n", indent, d.Name, d.Size)
		} else {
			fmt.Fprintf(b, "%s\t%s = %d ;\n", indent, d.Name, d.Size)
		}
	}
	if len(g.vars) > 0 {
		fmt.Fprintf(b, "%svariables:\n", indent)
	}
	for _, v := range g.vars {
		v.text(b, indent)
	}
	for _, l := range g.links {
		fmt.Fprintf(b, "%s\t// link %s leads to %q, where nothing is\n", indent, l.Name, l.Target)
	}
	if len(g.attrs) > 0 {
		fmt.Fprintf(b, "\n%s// attributes of the group:\n", indent)
	}
	writeAttrs(b, indent, "", g.attrs)
	for i, s := range g.groups {
		fmt.Fprintf(b, "\n%sgroup: %s {\n", indent, g.names[i])
		s.body(b, indent+"  ")
		fmt.Fprintf(b, "%s}\n", indent)
	}
}

func (v varDoc) text(b *bufio.Writer, indent string) {
	if v.meta == nil {
		fmt.Fprintf(b, "%s\t%s ; // cannot be read: %v\n", indent, v.v.Name, v.err)
		writeAttrs(b, indent, v.v.Name, v.v.Attrs)
		return
	}
	m := v.meta
	axes := make([]string, len(m.Shape))
	for i, n := range m.Shape {
		axes[i] = fmt.Sprint(n)
		if i < len(v.v.Dims) && v.v.Dims[i] != "" {
			axes[i] = v.v.Dims[i]
		}
	}
	list := ""
	if len(axes) > 0 {
		list = "(" + strings.Join(axes, ", ") + ")"
	}
	fmt.Fprintf(b, "%s\t%s %s%s ;\n", indent, typeText(storedType(m)), v.v.Name, list)
	writeAttrs(b, indent, v.v.Name, v.v.Attrs)
	fmt.Fprintf(b, "%s\t\t// %s\n", indent, v.storage())
	if advice := v.access(); advice != "" {
		fmt.Fprintf(b, "%s\t\t// %s\n", indent, advice)
	}
	if v.checksum != "" {
		fmt.Fprintf(b, "%s\t\t// md5 %s\n", indent, v.checksum)
	}
	if v.err != nil {
		fmt.Fprintf(b, "%s\t\t// cannot be read: %v\n", indent, v.err)
	}
}

// storage says in one line how the variable is stored: layout, codecs, sizes, ratio.
func (v varDoc) storage() string {
	m := v.meta
	parts := []string{"contiguous"}
	if m.Chunked {
		parts[0] = fmt.Sprintf("chunks %v", chunksJSON(m))
	}
	if m.Shards != nil {
		parts = append(parts, fmt.Sprintf("shards %v", []int64(m.Shards)))
	}
	if len(m.Codecs) > 0 {
		parts = append(parts, strings.Join(m.Codecs, " "))
	}
	if m.ByteOrder != "" {
		parts = append(parts, m.ByteOrder+" endian")
	}
	if fill := fillJSON(m); fill != nil {
		text, err := plainJSON(fill)
		if err == nil {
			parts = append(parts, "fill "+string(text))
		}
	}
	full := m.Shape.Size() * int64(m.ItemBytes)
	if v.bytes >= 0 {
		text := formatBytes(v.bytes) + " stored"
		if v.bytes > 0 && full > 0 {
			text += fmt.Sprintf(", ratio %.2f", float64(full)/float64(v.bytes))
		}
		parts = append(parts, text)
	} else {
		parts = append(parts, formatBytes(full))
	}
	return strings.Join(parts, ", ")
}

// A read is called dear where it decodes more than dearBytes and dearRatio times what it wants.
const (
	dearBytes = 64 << 20
	dearRatio = 20
)

// access says what the two reads people make of an array cost with its chunks, a series along the first axis at
// one place and one step of it, and how to store it for a series that is dear. "" where there is one chunk.
func (v varDoc) access() string {
	m := v.meta
	counts := m.Grid.Counts()
	if !m.Chunked || len(m.Shape) < 2 || m.Shape.Size() == 0 || m.Grid.Len() < 2 {
		return ""
	}
	first := "axis 0"
	if len(v.v.Dims) > 0 && v.v.Dims[0] != "" {
		first = v.v.Dims[0]
	}
	one, item := m.Grid.MaxChunk().Size()*int64(m.ItemBytes), int64(m.ItemBytes)
	series, step := counts[0], m.Grid.Len()/counts[0]
	text := fmt.Sprintf("a series along %s decodes %s in %s, one step of it %s in %s", first,
		formatBytes(series*one), plural(series, "chunk"), formatBytes(step*one), plural(step, "chunk"))
	if n := series * one; n > dearBytes && n > dearRatio*m.Shape[0]*item {
		text += fmt.Sprintf("; for series rechunk with %s=-1", first)
	}
	if n := step * one; n > dearBytes && n > dearRatio*m.Shape.Size()/m.Shape[0]*item {
		text += fmt.Sprintf("; for steps rechunk with %s=1", first)
	}
	return text
}

func plural(n int64, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// typeText prints a dtype: a name, or JSON for compounds and enumerations.
func typeText(stored any) string {
	if s, ok := stored.(string); ok {
		return s
	}
	text, err := plainJSON(stored)
	if err != nil {
		return fmt.Sprint(stored)
	}
	return string(text)
}

func writeAttrs(b *bufio.Writer, indent, name string, attrs formats.Attrs) {
	for _, a := range attrs {
		fmt.Fprintf(b, "%s\t\t%s:%s = %s ;\n", indent, name, a.Name, attrText(jsonValue(a.Value)))
	}
}

// attrText prints a list as its members with commas, everything else as JSON.
func attrText(v any) string {
	if list, ok := v.([]any); ok && len(list) > 0 {
		parts := make([]string, len(list))
		for i, x := range list {
			parts[i] = attrText(x)
		}
		return strings.Join(parts, ", ")
	}
	text, err := plainJSON(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}

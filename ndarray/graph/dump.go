// SPDX-License-Identifier: BSD-3-Clause

package graph

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/kernels"
)

// String returns the dump of n alone.
func (n *Node) String() string { return Dump(n) }

// Dump prints the graph of the roots, one node a line, inputs first:
//
//	%0 = load "t" float32 [365 721]/[30 721]
//	%1 = fill 273.15 float32 []
//	%2 = map subtract %0 %1 float32 [365 721]/[30 721]
//	ret %2
//
// Behind the dtype stand the shape and, after a slash, the longest chunk; "~" marks irregular axes.
func Dump(roots ...*Node) string {
	var b strings.Builder
	num := map[*Node]int{}
	for i, n := range Topo(roots...) {
		num[n] = i
		fmt.Fprintf(&b, "%%%d = %s", i, describe(n))
		for _, in := range n.In {
			fmt.Fprintf(&b, " %%%d", num[in])
		}
		if n.Err != nil {
			b.WriteByte('\n')
			continue
		}
		fmt.Fprintf(&b, " %s %v", n.DType, n.Grid.Shape)
		if len(n.Grid.Axes) > 0 {
			b.WriteString("/" + cuts(n.Grid))
		}
		b.WriteByte('\n')
	}
	b.WriteString("ret")
	for _, r := range roots {
		fmt.Fprintf(&b, " %%%d", num[r])
	}
	b.WriteByte('\n')
	return b.String()
}

// cuts prints the chunk length along each axis.
func cuts(g chunk.Grid) string {
	s := make([]string, len(g.Axes))
	for i, a := range g.Axes {
		s[i] = strconv.FormatInt(a.Max(), 10)
		if a.Edges != nil {
			s[i] += "~" + strconv.FormatInt(a.Count(), 10)
		}
	}
	return "[" + strings.Join(s, " ") + "]"
}

// describe prints a node's kind and argument, without inputs: "select [0:10 ::-1]".
func describe(n *Node) string {
	if n.Err != nil {
		return "error " + strconv.Quote(n.Err.Error())
	}
	switch a := n.Arg.(type) {
	case LoadArg:
		return fmt.Sprintf("load %q", a.Name)
	case FillArg:
		if a.Axis >= 0 {
			return fmt.Sprintf("index axis=%d", a.Axis)
		}
		return "fill " + a.Const.String()
	case MapArg:
		return "map " + opName(a.Op)
	case ReduceArg:
		return "reduce " + a.String()
	case ScanArg:
		return "scan " + a.String()
	case SelectArg:
		return "select " + a.String()
	case PermuteArg:
		return fmt.Sprintf("permute %v", a.Axes)
	case StackArg:
		return fmt.Sprintf("stack axis=%d", a.Axis)
	case CompressArg:
		return fmt.Sprintf("compress axis=%d", a.Axis)
	case OpaqueArg:
		return fmt.Sprintf("opaque %q", a.Key)
	case LaterArg:
		return fmt.Sprintf("later %q", a.Key)
	}
	return n.Kind.String()
}

func opName(id kernels.OpID) string {
	if o := kernels.OpOf(id); o != nil {
		return o.Name
	}
	return fmt.Sprintf("op(%d)", id)
}

// String prints the reduction with its axes and groups.
func (a ReduceArg) String() string {
	s := fmt.Sprintf("reduction(%d)", a.Op)
	if r := kernels.ReductionOf(a.Op); r != nil {
		s = r.Name
	}
	s += fmt.Sprintf(" axes=%v", a.Axes)
	if a.KeepDims {
		s += " keepdims"
	}
	if a.Groups > 0 {
		s += fmt.Sprintf(" groups=%d", a.Groups)
	}
	if a.Params != (kernels.Params{}) {
		s += fmt.Sprintf(" %+v", a.Params)
	}
	return s
}

// String prints the selection as NumPy would write it, new axes as "new", repeats
// as "new*n" and dropped axes as their position; -1 steps print their whole range.
func (a SelectArg) String() string {
	var parts []string
	in := 0
	drop := func(to int) {
		for ; in < to; in++ {
			parts = append(parts, strconv.FormatInt(a.Fixed[in], 10))
		}
	}
	for _, s := range a.Axes {
		if s.In < 0 {
			p := "new"
			if s.Len != 1 {
				p += "*" + strconv.FormatInt(s.Len, 10)
			}
			parts = append(parts, p)
			continue
		}
		drop(s.In)
		in++
		parts = append(parts, s.String())
	}
	drop(len(a.Fixed))
	return "[" + strings.Join(parts, " ") + "]"
}

// String prints start:stop:step, or the ids (the first of a long list).
func (s AxisSel) String() string {
	if s.IDs != nil {
		if len(s.IDs) > 8 {
			return fmt.Sprintf("ids(%d,%d,%d..%d)", s.IDs[0], s.IDs[1], s.IDs[2], len(s.IDs))
		}
		return strings.ReplaceAll(fmt.Sprint(s.IDs), " ", ",")
	}
	stop := s.Start + s.Len*s.Step
	if s.Step == 1 {
		return fmt.Sprintf("%d:%d", s.Start, stop)
	}
	return fmt.Sprintf("%d:%d:%d", s.Start, stop, s.Step)
}

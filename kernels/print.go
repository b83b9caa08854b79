// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"hash/fnv"
	"strings"
)

// String prints the program's canonical text: equal programs have equal text
// and no others do. One line each for inputs, constants, instructions, results
// and folds; slow programs follow, indented.
//
//	program rank=1
//	  %0 = in float32
//	  %1 = const float32 0.5
//	  %2 = multiply float32 %0 %1
//	  ret %2
func (p *Program) String() string {
	var s strings.Builder
	p.print(&s, "")
	return s.String()
}

// Hash returns the FNV-1a hash of String.
func (p *Program) Hash() uint64 { return hashText(p.String()) }

// hashText hashes the canonical text of a unit.
func hashText(text string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(text)) // never fails
	return h.Sum64()
}

// accessNames are the words of Access in a program's text.
var accessNames = [...]string{Strided: "", Contiguous: " contiguous", Broadcast: " broadcast"}

func (p *Program) print(s *strings.Builder, indent string) {
	fmt.Fprintf(s, "%sprogram rank=%d\n", indent, p.Rank)
	r := 0
	for _, in := range p.In {
		fmt.Fprintf(s, "%s  %%%d = in %v", indent, r, in.DType)
		if int(in.Access) < len(accessNames) {
			s.WriteString(accessNames[in.Access])
		} else {
			fmt.Fprintf(s, " access(%d)", in.Access)
		}
		if in.Gather >= 0 {
			fmt.Fprintf(s, " gather=%d ids=%%%d", in.Gather, in.GatherIDs)
		}
		s.WriteByte('\n')
		r++
	}
	for _, c := range p.Consts {
		fmt.Fprintf(s, "%s  %%%d = const %v %v\n", indent, r, c.DType, c)
		r++
	}
	for _, i := range p.Body {
		fmt.Fprintf(s, "%s  %%%d = %v %v", indent, r, i.Op, i.DType)
		for _, a := range i.Args {
			if a >= 0 {
				fmt.Fprintf(s, " %%%d", a)
			}
		}
		switch i.Op {
		case OpIndex:
			fmt.Fprintf(s, " axis=%d", i.Aux)
		case OpCold:
			fmt.Fprintf(s, " slow=%d", i.Aux)
		}
		s.WriteByte('\n')
		r++
	}
	if len(p.Ret) > 0 {
		fmt.Fprintf(s, "%s  ret%s\n", indent, regList(p.Ret))
	}
	for _, f := range p.Folds {
		name := fmt.Sprintf("reduction(%d)", f.Op)
		if red := ReductionOf(f.Op); red != nil {
			name = red.Name
		}
		fmt.Fprintf(s, "%s  fold %s%s axes=", indent, name, regList(f.Args))
		sep := ""
		for i := range MaxAxes {
			if f.Axes.Has(i) {
				fmt.Fprintf(s, "%s%d", sep, i)
				sep = ","
			}
		}
		if f.Group >= 0 {
			fmt.Fprintf(s, " group=%%%d", f.Group)
		}
		s.WriteByte('\n')
	}
	for i, q := range p.Slow {
		fmt.Fprintf(s, "%s  slow %d\n", indent, i)
		q.print(s, indent+"    ")
	}
}

func regList(regs []Reg) string {
	var s strings.Builder
	for _, r := range regs {
		fmt.Fprintf(&s, " %%%d", r)
	}
	return s.String()
}

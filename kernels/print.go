// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"strconv"

	"github.com/arrayrun/arrayrun/chunk/dtype"
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
func (p *Program) String() string { return string(p.print(nil, "")) }

// accessNames are the words of Access in a program's text.
var accessNames = [...]string{Strided: "", Contiguous: " contiguous", Broadcast: " broadcast"}

// line is a line of text being made.
type line []byte

func (l *line) text(s ...string) {
	for _, t := range s {
		*l = append(*l, t...)
	}
}

func (l *line) number(n int) { *l = strconv.AppendInt(*l, int64(n), 10) }

func (l *line) regs(list ...Reg) {
	for _, r := range list {
		if r >= 0 {
			l.text(" %")
			l.number(int(r))
		}
	}
}

// def starts the line that defines register r.
func (l *line) def(indent string, r int, what string, d dtype.DType) {
	l.text(indent, "  %")
	l.number(r)
	l.text(" = ", what, " ", d.String())
}

func (p *Program) print(l line, indent string) line {
	l.text(indent, "program rank=")
	l.number(p.Rank)
	l.text("\n")
	r := 0
	for _, in := range p.In {
		l.def(indent, r, "in", in.DType)
		if int(in.Access) < len(accessNames) {
			l.text(accessNames[in.Access])
		} else {
			l.text(" access ")
			l.number(int(in.Access))
		}
		if in.Gather >= 0 {
			l.text(" gather=")
			l.number(int(in.Gather))
			l.text(" ids=%")
			l.number(int(in.GatherIDs))
		}
		l.text("\n")
		r++
	}
	for _, c := range p.Consts {
		l.def(indent, r, "const", c.DType)
		l.text(" ", c.String(), "\n")
		r++
	}
	for _, i := range p.Body {
		l.def(indent, r, i.Op.String(), i.DType)
		l.regs(i.Args[:]...)
		switch i.Op {
		case OpIndex:
			l.text(" axis=")
			l.number(int(i.Aux))
		case OpCold:
			l.text(" slow=")
			l.number(int(i.Aux))
		case OpLookup:
			l.text(" table=")
			l.number(int(i.Aux))
		}
		l.text("\n")
		r++
	}
	if len(p.Ret) > 0 {
		l.text(indent, "  ret")
		l.regs(p.Ret...)
		l.text("\n")
	}
	for _, f := range p.Folds {
		l.fold(indent, f)
	}
	for i, q := range p.Slow {
		l.text(indent, "  slow ")
		l.number(i)
		l.text("\n")
		l = q.print(l, indent+"    ")
	}
	return l
}

func (l *line) fold(indent string, f Fold) {
	l.text(indent, "  fold ")
	if red := ReductionOf(f.Op); red != nil {
		l.text(red.Name)
	} else {
		l.number(int(f.Op))
	}
	l.regs(f.Args...)
	l.text(" axes=")
	sep := ""
	for i := range MaxAxes {
		if f.Axes.Has(i) {
			l.text(sep)
			l.number(i)
			sep = ","
		}
	}
	if f.Group >= 0 {
		l.text(" group=%")
		l.number(int(f.Group))
	}
	l.text("\n")
}

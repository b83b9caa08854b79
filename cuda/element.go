// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"math"
	"strings"

	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
)

// element writes what computes the registers of one element that regs need, as r0, r1 ... The
// coordinates c0, c1 ... of its joined axes are in scope; loaded says which inputs are too.
func (w *writer) element(q *part, g *geometry, regs []kernels.Reg, loaded []bool, indent string) error {
	p := q.p
	live := liveOf(p, regs)
	for _, gathered := range []bool{false, true} { // the ids come first
		for i, port := range p.In {
			if live[i] && !loaded[i] && (port.Gather >= 0) == gathered {
				w.load(q, g, i, indent)
			}
		}
	}
	w.constants(q, live)
	return w.instructions(p, live, g, indent)
}

// instructions writes the live instructions of a program. g is nil inside a slow program.
func (w *writer) instructions(p *kernels.Program, live []bool, g *geometry, indent string) error {
	first := len(p.In) + len(p.Consts)
	for i, in := range p.Body {
		r := first + i
		if !live[r] {
			continue
		}
		var a []string
		for _, x := range in.Args {
			if x >= 0 {
				a = append(a, fmt.Sprintf("r%d", x))
			}
		}
		var text string
		switch in.Op {
		case kernels.OpIndex:
			origin := w.number(fmt.Sprintf("g%d", in.Aux), originOf(int(in.Aux)))
			text = origin
			if k := g.at(int(in.Aux)); k >= 0 {
				text = fmt.Sprintf("(i64)c%d + %s", k, origin)
			}
		case kernels.OpCold:
			text = fmt.Sprintf("%s ? %s(%s) : %s", a[0], w.slowName(p.Slow[in.Aux]), a[2], a[1])
		default:
			var err error
			if text, err = w.inst(p, in, a); err != nil {
				return err
			}
		}
		if in.DType.IsComplex() {
			w.use("c64")
		}
		w.printf("%sconst %s r%d = %s;\n", indent, ctype[in.DType], r, text)
	}
	return nil
}

func originOf(axis int) func(l *launch) int64 {
	return func(l *launch) int64 {
		if axis < len(l.call.Origin) {
			return l.call.Origin[axis]
		}
		return 0
	}
}

// pointer adds the parameter that is input i's element 0.
func (w *writer) pointer(q *part, i int) string {
	d := q.p.In[i].DType
	if d.IsComplex() {
		w.use("c64")
	}
	return w.param("const "+ctype[d]+" *__restrict__ ", fmt.Sprintf("in%d", i), func(l *launch) uint64 { return l.in[i] })
}

// load writes register i, the element of input i at the coordinates.
func (w *writer) load(q *part, g *geometry, i int, indent string) {
	port := q.p.In[i]
	d := port.DType
	in := w.pointer(q, i)
	if port.Gather < 0 {
		w.printf("%sconst %s r%d = %s[%s%s];\n", indent, ctype[d], i, in, w.offset(g, i, -1), w.lone)
		return
	}
	axis := int(port.Gather)
	long := w.number(fmt.Sprintf("gl%d", i), func(l *launch) int64 { return l.call.In[i].Shape[axis] })
	step := w.number(fmt.Sprintf("gs%d", i), func(l *launch) int64 { return l.call.In[i].Strides[axis] })
	id := fmt.Sprintf("r%d", port.GatherIDs)
	off := w.offset(g, i, g.at(axis))
	missing := w.literal(missingOf(d))
	if d.IsComplex() {
		missing = fmt.Sprintf("%s{%s, 0}", ctype[d], missing)
	}
	w.printf("%sconst %s r%d = %s >= 0 && %s < %s ? %s[%s + (ix)%s * (ix)%s] : %s;\n", indent, ctype[d], i, id, id, long, in, off, id, step, missing)
}

// missingOf is what an id below 0 reads: NaN for floats, 0 for other dtypes.
func missingOf(d dtype.DType) kernels.Const {
	d = d.Part()
	if !d.IsFloat() {
		return kernels.Const{DType: d}
	}
	c, err := kernels.ConstOf(d, math.NaN())
	if err != nil {
		return kernels.Const{DType: d}
	}
	return c
}

// offset returns the offset of input i at the coordinates, the joined axis skip left out.
func (w *writer) offset(g *geometry, i, skip int) string {
	var terms []string
	if !g.same(i) {
		for k := range g.dim {
			if k == skip {
				continue
			}
			if k == len(g.dim)-1 {
				switch g.class(i, k) {
				case '0':
					continue
				case '1':
					terms = append(terms, fmt.Sprintf("c%d", k))
					continue
				}
			}
			s := w.number(fmt.Sprintf("s%d_%d", i, k), func(l *launch) int64 { return l.geo.stride[i][k] })
			terms = append(terms, fmt.Sprintf("c%d * (ix)%s", k, s))
		}
	}
	if len(terms) == 0 {
		return "0"
	}
	return strings.Join(terms, " + ")
}

// constants declares the live constants of the program, which come as parameters.
func (w *writer) constants(q *part, live []bool) {
	for k, c := range q.p.Consts {
		r := len(q.p.In) + k
		name := fmt.Sprintf("k%d", r)
		if !live[r] || w.named[name] {
			continue
		}
		w.param("u64 ", name, func(*launch) uint64 { return c.Bits })
		x := name
		switch c.DType {
		case dtype.Float32:
			x = w.use("as_f32") + "((u32)" + x + ")"
		case dtype.Float64:
			x = w.use("as_f64") + "(" + x + ")"
		default:
			x = "(" + ctype[c.DType] + ")" + x
		}
		w.consts = append(w.consts, fmt.Sprintf("\tconst %s r%d = %s;\n", ctype[c.DType], r, x))
	}
}

// literal returns a constant as C text, in the type of its registers.
func (w *writer) literal(c kernels.Const) string {
	switch c.DType.Kind() {
	case dtype.KindFloat:
		switch c.DType {
		case dtype.Float32:
			return fmt.Sprintf("%s(0x%xu)", w.use("as_f32"), c.Bits)
		case dtype.Float64:
			return fmt.Sprintf("%s(0x%xull)", w.use("as_f64"), c.Bits)
		}
	case dtype.KindInt:
		if c.DType.Size() == 8 {
			return fmt.Sprintf("(i64)0x%xull", c.Bits)
		}
	}
	if c.DType.Size() == 8 {
		return fmt.Sprintf("0x%xull", c.Bits)
	}
	return fmt.Sprintf("(%s)0x%xu", ctype[c.DType], c.Bits)
}

// slowName returns the name of the function of a slow program, which is written once.
func (w *writer) slowName(p *kernels.Program) string {
	for i, s := range w.slowPrograms {
		if s.p == p {
			return fmt.Sprintf("slow%d", i)
		}
	}
	w.slowPrograms = append(w.slowPrograms, slowProgram{p: p})
	return fmt.Sprintf("slow%d", len(w.slowPrograms)-1)
}

// slowProgram is a program that runs on single elements, and its text.
type slowProgram struct {
	p    *kernels.Program
	text string
}

// slow writes the functions of the slow programs.
func (w *writer) slow() error {
	for i := range w.slowPrograms {
		s := &w.slowPrograms[i]
		p := s.p
		v := &writer{used: w.used, wide: w.wide, named: map[string]bool{}}
		live := liveOf(p, p.Ret)
		for k, c := range p.Consts {
			if r := len(p.In) + k; live[r] {
				v.printf("\tconst %s r%d = %s;\n", ctype[c.DType], r, v.literal(c))
			}
		}
		if err := v.instructions(p, live, nil, "\t"); err != nil {
			return err
		}
		if v.flag {
			return fmt.Errorf("cuda: render: a slow program that can fail: %w", kernels.ErrUnsupported)
		}
		ret := p.Ret[0]
		s.text = fmt.Sprintf("static __device__ %s slow%d(const %s r0) {\n%s\treturn r%d;\n}\n", ctype[p.RegType(ret)], i, ctype[p.In[0].DType], v.body.String(), ret)
	}
	return nil
}

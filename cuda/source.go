// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"fmt"
	"strings"

	"github.com/arrayrun/arrayrun/kernels"
)

// entry is the name of the function of every source.
const entry = "arrayrun_kernel"

// blockThreads is the number of threads of a block.
const blockThreads = 256

// Source is the text of one kernel and what its parameters mean.
type Source struct {
	Text   string
	What   string  // for people: "elementwise, rows", "fold, lanes"
	params []param // in the order of the function's
	flag   bool    // the first parameter is a word that an error sets
	shape  launchShape
}

// param is one parameter of a kernel: 8 bytes, as everything is in the parameter buffer.
type param struct {
	decl  string // "const f32 *__restrict__ in0"
	value func(l *launch) uint64
}

// launchShape says how a call's work is divided into blocks.
type launchShape uint8

const (
	perElement launchShape = iota // one thread for each count, looping where the grid is too small
	perRow                        // 32 x 8 threads: rows of the last axis
	perTile                       // 32 x 8 threads: squares of 32 x 32
	perWarp                       // width threads for each count
)

// launch is what the parameters of one run are computed from.
type launch struct {
	call  *kernels.Call
	geo   *geometry
	in    []uint64 // device addresses of each input's element 0, 0 for those that are not read
	out   []uint64 // device addresses of the outputs
	flag  uint64
	count uint64 // what launchShape counts
	width uint64 // threads for each count of perWarp
	run   run    // of the numbers of folds
}

// writer collects a source.
type writer struct {
	body   strings.Builder
	used   map[string]bool
	params []param
	flag   bool
	wide   bool     // 64-bit positions
	lone   string   // subtracted from the offsets of inputs that are not gathered
	consts []string // declarations of the program's constants, which are parameters
	named  map[string]bool

	slowPrograms []slowProgram
}

func newWriter(wide bool) *writer {
	return &writer{used: map[string]bool{}, wide: wide, named: map[string]bool{}}
}

func (w *writer) printf(format string, args ...any) { fmt.Fprintf(&w.body, format, args...) }

// param adds a parameter once and returns its name.
func (w *writer) param(typ, name string, value func(l *launch) uint64) string {
	if !w.named[name] {
		w.named[name] = true
		w.params = append(w.params, param{typ + name, value})
	}
	return name
}

// number adds a parameter that holds a signed number.
func (w *writer) number(name string, value func(l *launch) int64) string {
	return w.param("i64 ", name, func(l *launch) uint64 { return uint64(value(l)) })
}

// finish returns the source.
func (w *writer) finish(what string, shape launchShape) (*Source, error) {
	if err := w.slow(); err != nil {
		return nil, err
	}
	params := w.params
	if w.flag {
		params = append([]param{{"u64 *flag", func(l *launch) uint64 { return l.flag }}}, params...)
	}
	var b strings.Builder
	b.WriteString(prelude(w.used))
	if w.wide {
		b.WriteString("typedef i64 ix;\ntypedef u64 un;\n")
	} else {
		b.WriteString("typedef i32 ix;\ntypedef u32 un;\n")
	}
	for _, s := range w.slowPrograms {
		b.WriteString(s.text)
	}
	fmt.Fprintf(&b, "\nextern \"C\" __global__ void __launch_bounds__(%d) %s(", blockThreads, entry)
	for i, p := range params {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(p.decl)
	}
	b.WriteString(") {\n")
	for _, c := range w.consts {
		b.WriteString(c)
	}
	b.WriteString(w.body.String())
	b.WriteString("}\n")
	s := &Source{Text: b.String(), What: what, params: params, flag: w.flag, shape: shape}
	return s, s.check()
}

// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// Launch is a launch of a step, for tests that run it themselves.
type Launch struct {
	Template, Text, Entry string
	Grid, Block           driver.Dim3
	In, Out               []dtype.DType
	Strides               [][]int64                       // of the operands
	Args                  func(in, out []uint64) []uint64 // the parameters, where operands and results lie at these addresses
}

// LaunchesOf returns the launch of a program's elementwise results over a shape, and the same as rows; layout names how each operand lies.
func LaunchesOf(t *testing.T, p *kernels.Program, shape chunk.Shape, layout ...string) (own, rows Launch) {
	t.Helper()
	var in []*chunk.Chunk
	for i, port := range p.In {
		in = append(in, &chunk.Chunk{DType: port.DType, ItemBytes: int32(port.DType.Size()), Shape: shape, Strides: layouts[layout[i]](shape)})
	}
	q := partsOf(p)[0]
	of := func(st *step) Launch {
		src, err := st.render()
		if err != nil {
			t.Fatal(err)
		}
		l := Launch{Template: st.template, Text: src.Text, Entry: entry}
		l.Grid, l.Block = st.grid(src.shape)
		for _, c := range in {
			l.In, l.Strides = append(l.In, c.DType), append(l.Strides, c.Strides)
		}
		for _, r := range q.ret {
			l.Out = append(l.Out, p.RegType(r))
		}
		l.Args = func(in, out []uint64) (args []uint64) {
			for _, p := range src.params {
				args = append(args, p.value(&launch{call: &kernels.Call{}, geo: st.geo, in: in, out: out, count: uint64(st.count), width: 1}))
			}
			return args
		}
		return l
	}
	st := stepOf(q, shape, in, 0)
	other := *st
	other.template, other.count = templateRows, shape.Size()/st.geo.dim[len(st.geo.dim)-1]
	return of(st), of(&other)
}

// CompileOptions returns the options that sources are compiled with.
func CompileOptions(n *driver.NVRTC) []string { return options(n, 90, driver.WantCubin) }

// SPDX-License-Identifier: BSD-3-Clause

package regrid

import (
	"fmt"
	"testing"
)

// BenchmarkApply regrids one level; the rate is that of source and target together.
func BenchmarkApply(b *testing.B) {
	for _, c := range []struct {
		from, to string
		method   Method
	}{
		{"r1440x721", "r360x180", Bilinear},
		{"r1440x721", "r360x180", Conservative},
		{"r1440x721", "r360x180", Nearest},
		{"r1440x721", "r360x180", Distance},
		{"n80", "r1440x721", Bilinear},
		{"n80", "r1440x721", Conservative},
	} {
		b.Run(fmt.Sprintf("from=%s/to=%s/method=%v", c.from, c.to, c.method), func(b *testing.B) {
			from, err := Named(c.from)
			if err != nil {
				b.Fatal(err)
			}
			to, err := Named(c.to)
			if err != nil {
				b.Fatal(err)
			}
			m, err := New(from, to, c.method, from.ShapeOf(), to.ShapeOf())
			if err != nil {
				b.Fatal(err)
			}
			at := Box{Rows: int64(len(to.Lat)), Cols: int64(len(to.Lon))}
			in, out := make([]float32, m.Source.Rows*m.Source.Cols), make([]float32, to.Size())
			for i := range in {
				in[i] = float32(i%1009) / 4
			}
			scratch := make([]float64, m.Scratch(at))
			b.SetBytes(4 * int64(len(in)+len(out)))
			for b.Loop() {
				Apply(m, Rule{SkipNA: c.method == Conservative}, at, Level[float32]{Data: out, Row: at.Cols, Col: 1}, in, scratch)
			}
		})
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package formats

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// torn is an array of ones whose chunk 1 cannot be read.
type torn struct {
	meta ArrayMeta
	err  error
}

func (s *torn) Meta() *ArrayMeta    { return &s.meta }
func (s *torn) ScratchBytes() int64 { return 0 }

func (s *torn) ReadChunk(_ context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	if k[0] == 1 {
		return 0, s.err
	}
	one := make([]byte, dst.ItemBytes)
	one[0] = 1
	FillElems(dst, one)
	return 0, nil
}

// tornRegions reads regions that do not touch chunk 1.
type tornRegions struct{ *torn }

func (s tornRegions) ReadRegion(ctx context.Context, r chunk.Region, dst *chunk.Chunk) (int64, error) {
	if r.Lo[0] < 4 && r.Hi[0] > 2 {
		return 0, s.err
	}
	return s.ReadChunk(ctx, chunk.Key{0}, dst)
}

func TestMissing(t *testing.T) {
	damage := fmt.Errorf("torn: %w", ErrCorrupt)
	for name, c := range map[string]struct {
		d      dtype.DType
		v      Var
		format string
		of     string
		zeros  bool
		err    error
		want   string // the six elements, "" where reading fails
	}{
		"float":          {d: dtype.Float32, err: damage, want: "[1 1 NaN NaN 1 1]"},
		"integer":        {d: dtype.Int16, v: Var{Attrs: Attrs{{Name: "_FillValue", Value: int16(-9)}}}, err: damage, want: "[1 1 -9 -9 1 1]"},
		"list":           {d: dtype.Int16, v: Var{Attrs: Attrs{{Name: "missing_value", Value: []int16{-7, -8}}}}, err: damage, want: "[1 1 -7 -7 1 1]"},
		"float number":   {d: dtype.Int16, v: Var{Attrs: Attrs{{Name: "_FillValue", Value: -5.0}}}, err: damage, want: "[1 1 -5 -5 1 1]"},
		"out of range":   {d: dtype.Int16, v: Var{Attrs: Attrs{{Name: "_FillValue", Value: int64(1 << 20)}}}, err: damage},
		"no missing":     {d: dtype.Int16, err: damage},
		"fill":           {d: dtype.Int16, zeros: true, err: damage, want: "[1 1 3 3 1 1]"},
		"zarr 2":         {d: dtype.Int16, v: Var{Dims: []string{"y"}}, format: "zarr2", err: damage, want: "[1 1 3 3 1 1]"},
		"references":     {d: dtype.Int16, v: Var{Dims: []string{"y"}}, format: "kerchunk", err: damage, of: "zarr2", want: "[1 1 3 3 1 1]"},
		"references 3":   {d: dtype.Int16, v: Var{Dims: []string{"y"}}, format: "kerchunk", err: damage, of: "zarr3"},
		"not damage":     {d: dtype.Float32, err: ErrFormat},
		"coordinate":     {d: dtype.Float32, v: Var{Dims: []string{"x"}}, err: damage},
		"another's axis": {d: dtype.Float32, v: Var{Dims: []string{"y"}}, err: damage, want: "[1 1 NaN NaN 1 1]"},
	} {
		for _, regions := range []bool{false, true} {
			s := &torn{ArrayMeta{Shape: chunk.Shape{6}, DType: c.d, ItemBytes: c.d.Size(), Grid: chunk.Regular(chunk.Shape{6}, 2), FillSet: true}, c.err}
			if s.meta.Fill = []byte{3, 0, 0, 0}[:c.d.Size()]; c.d == dtype.Float32 {
				s.meta.Fill = nil
			}
			v := c.v
			v.Name, v.Source = "x", s
			if regions {
				v.Source = tornRegions{s}
			}
			g := &Group{Format: c.format, Of: c.of, Groups: []NamedGroup{{Name: "g", Group: &Group{Vars: []Var{v}}}}}
			m := &Missing{Zeros: c.zeros}
			m.Apply(g)
			m.Apply(g) // twice is once
			dst := &chunk.Chunk{DType: c.d, ItemBytes: int32(c.d.Size()), Shape: chunk.Shape{6}, Strides: []int64{1}, Block: mem.Wrap(make([]byte, 6*c.d.Size()))}
			src := g.Groups[0].Group.Vars[0].Source
			for range 2 { // a chunk that is read twice is missing once
				if _, err := ReadRegion(context.Background(), src, chunk.Whole(dst.Shape), dst); (err == nil) != (c.want != "") || err != nil && !errors.Is(err, c.err) {
					t.Errorf("%s, regions %v: error %v, want values %q", name, regions, err, c.want)
				}
			}
			report := m.Report()
			if c.want == "" {
				if report != nil {
					t.Errorf("%s: report %q of what failed", name, report)
				}
				continue
			}
			got := fmt.Sprint(chunk.Elems[int16](dst.Block))
			if c.d == dtype.Float32 {
				x := make([]string, 6)
				for i, f := range chunk.Slice[float32](dst) {
					if x[i] = "1"; math.IsNaN(float64(f)) {
						x[i] = "NaN"
					}
				}
				got = fmt.Sprint(x)
			}
			if got != c.want {
				t.Errorf("%s, regions %v: %s, want %s", name, regions, got, c.want)
			}
			if len(report) != 1 || !strings.HasPrefix(report[0], `1 of 3 chunks of "g/x" cannot be decoded`) {
				t.Errorf("%s, regions %v: report %q", name, regions, report)
			}
		}
	}
}

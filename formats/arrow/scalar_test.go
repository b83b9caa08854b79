// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestScalars: a number and a text beside many rows come back from every format and compression, and NaN that says what is missing too.
func TestScalars(t *testing.T) {
	ctx := context.Background()
	const n = 5000
	for _, x := range []struct {
		f     formats.Format
		codec string
	}{{IPC, "none"}, {IPC, "zstd"}, {IPC, "lz4"}, {Parquet, "none"}, {Parquet, "zstd"}} {
		for _, rows := range []int64{n, 0} {
			spec := formats.Spec{Vars: []formats.VarSpec{
				{Name: "x", Dims: []string{"row"}, Shape: chunk.Shape{rows}, DType: dtype.Float32, Codec: x.codec, Attrs: formats.Attrs{{Name: "_FillValue", Value: float32(math.NaN())}}},
				{Name: "number", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.Int32, Codec: x.codec},
				{Name: "text", Dims: []string{}, Shape: chunk.Shape{}, DType: dtype.String, Codec: x.codec}}}
			path := filepath.Join(t.TempDir(), "a"+x.f.Extensions[0])
			w, err := x.f.Create(ctx, path, spec)
			if rows == 0 { // there is no row to hold them
				if !errors.Is(err, formats.ErrFormat) {
					t.Errorf("%s: no rows: %v, want ErrFormat", x.f.Name, err)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			number, text := formattest.New(dtype.Int32, 4, chunk.Shape{}), formattest.New(dtype.String, 16, chunk.Shape{})
			chunk.Slice[int32](number)[0] = 12345
			formats.SetText(text, 0, []byte("twelve"))
			if err := formattest.Write(ctx, w, []*chunk.Chunk{formattest.New(dtype.Float32, 4, chunk.Shape{n}), number, text}); err != nil {
				t.Fatal(err)
			}
			g, err := x.f.Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			if _, kept := g.Vars[0].Attrs.Get("_FillValue"); !kept {
				t.Errorf("%s %s: _FillValue is lost", x.f.Name, x.codec)
			}
			for i, want := range []string{"number", "text"} {
				c, err := formattest.ReadAll(ctx, g.Vars[i+1].Source)
				switch {
				case err != nil:
					t.Errorf("%s %s: %s: %v", x.f.Name, x.codec, want, err)
				case i == 0 && chunk.Slice[int32](c)[0] != 12345, i == 1 && string(formats.Text(c, 0)) != "twelve":
					t.Errorf("%s %s: another %s comes back", x.f.Name, x.codec, want)
				}
			}
			if err := g.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

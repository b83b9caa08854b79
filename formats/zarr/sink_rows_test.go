// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"context"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// Chunks that are parts of rows are read back as they were written; one of zeros is not stored, and one that only begins with them is.
func TestWriteRows(t *testing.T) {
	ctx := context.Background()
	g := chunk.Regular(chunk.Shape{64, 400}, 32, 128) // the last column of chunks is short
	for _, version := range []string{"zarr2", "zarr3"} {
		for _, codec := range []string{"blosc-lz4", "blosc-zstd", "zstd"} {
			data := formattest.New(dtype.Float32, 4, g.Shape)
			b := data.Bytes()
			for i := range b {
				if y, x := i/1600, i%1600/4; !(y < 32 && x < 128) && !(y < 31 && x < 256) { // one chunk of zeros, one that ends otherwise
					b[i] = byte(i/5 + y)
				}
			}
			path := filepath.Join(t.TempDir(), "x.zarr")
			w, err := Create(ctx, path, formats.Spec{Format: version, Vars: []formats.VarSpec{{Name: "v", Shape: g.Shape, DType: data.DType, Grid: &g, Codec: codec}}})
			if err != nil {
				t.Fatal(err)
			}
			k, stored := chunk.Key{0, 0}, 0
			for i := range g.Len() {
				k = g.At(i, k)
				n, err := w.Sink(0).WriteChunk(ctx, k, data.Sub(g.Region(k)))
				if err != nil {
					t.Fatal(err)
				}
				if n > 0 {
					stored++
				}
			}
			if err := w.Commit(ctx); err != nil {
				t.Fatal(err)
			}
			if want := int(g.Len()) - 1; stored != want {
				t.Errorf("%s, %s: %d chunks are stored, want %d", version, codec, stored, want)
			}
			in, err := Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			got := formattest.New(dtype.Float32, 4, g.Shape)
			for i := range g.Len() {
				k = g.At(i, k)
				if _, err := in.Vars[0].Source.ReadChunk(ctx, k, got.Sub(g.Region(k))); err != nil {
					t.Fatal(err)
				}
			}
			if !bytes.Equal(got.Bytes(), b) {
				t.Errorf("%s, %s: other values are read", version, codec)
			}
		}
	}
}

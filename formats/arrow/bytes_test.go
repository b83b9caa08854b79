// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestBytes: texts that are not UTF-8 are columns of bytes, since the formats' texts are UTF-8 and other readers refuse the whole column.
func TestBytes(t *testing.T) {
	ctx := context.Background()
	for _, f := range []formats.Format{IPC, Parquet} {
		for text, want := range map[string]string{"a\xff": "bytes", "aé": "str"} {
			spec := formats.Spec{Vars: []formats.VarSpec{{Name: "fixed", Shape: chunk.Shape{2}, DType: dtype.Raw, ItemBytes: 4, Stored: "S4"},
				{Name: "any", Shape: chunk.Shape{2}, DType: dtype.String, Stored: "str"}}}
			path := filepath.Join(t.TempDir(), "a"+f.Extensions[0])
			w, err := f.Create(ctx, path, spec)
			if err != nil {
				t.Fatal(err)
			}
			fixed, whole := formattest.New(dtype.Raw, 4, chunk.Shape{2}), formattest.New(dtype.String, 16, chunk.Shape{2})
			clear(fixed.Bytes())
			copy(fixed.Bytes()[4:], text)
			formats.SetText(whole, 1, []byte(text))
			if err := formattest.Write(ctx, w, []*chunk.Chunk{fixed, whole}); err != nil {
				t.Fatal(err)
			}
			g, err := f.Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			for _, v := range g.Vars {
				c, err := formattest.ReadAll(ctx, v.Source)
				if err != nil {
					t.Fatal(err)
				}
				if got := string(formats.Text(c, 1)); got != text || v.Source.Meta().Stored != want {
					t.Errorf("%s %s: %q, stored %v, want %q, %s", f.Name, v.Name, got, v.Source.Meta().Stored, text, want)
				}
			}
			if g.Close != nil {
				g.Close()
			}
		}
	}
}

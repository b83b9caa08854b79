// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// TestFree: plans that are only explained know from the table which outputs have no chunks; it must say what the sinks are.
func TestFree(t *testing.T) {
	ctx := context.Background()
	for _, f := range all.Formats {
		if f.Create == nil {
			continue
		}
		for _, ext := range f.Extensions {
			uri := filepath.Join(t.TempDir(), "x"+ext)
			v := formats.VarSpec{Name: "x", Dims: []string{"y"}, Shape: chunk.Shape{4}, DType: dtype.Float32}
			if f.Name == "tiff" || ext == ".ome.zarr" {
				v.Shape, v.Dims = chunk.Shape{4, 4}, []string{"y", "x"}
			}
			spec := formats.Spec{Vars: []formats.VarSpec{v}}
			for i, d := range v.Dims {
				spec.Dims = append(spec.Dims, formats.Dim{Name: d, Size: v.Shape[i]})
			}
			w, err := all.Create(ctx, uri, spec)
			if err != nil {
				t.Errorf("%s: %v", ext, err)
				continue
			}
			if _, free := w.Sink(0).(formats.FreeSink); free != all.Free(uri) {
				t.Errorf("%s: the sink is free: %v, the table says %v", ext, free, all.Free(uri))
			}
			if err := w.Abort(); err != nil {
				t.Error(err)
			}
		}
	}
}

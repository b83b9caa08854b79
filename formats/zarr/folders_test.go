// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
)

// Archives as people make them have folders around the hierarchy, and things beside it.
func TestArchiveFolders(t *testing.T) {
	const doc = `{"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "<i2", "compressor": null, "filters": null, "fill_value": 7, "order": "C"}`
	for _, c := range []struct {
		names []string
		opens bool
	}{
		{[]string{".zarray"}, true},
		{[]string{"a.zarr/.zarray"}, true},
		{[]string{"deep/er/a.zarr/.zarray", "deep/READ.me", "README.md"}, true},
		{[]string{"a.zarr/.zarray", "__MACOSX/a.zarr/._.zarray", ".DS_Store"}, true},
		{[]string{".zarray", "x/y"}, true},
		{[]string{"a/.zarray", "b/.zarray"}, false}, // which?
		{[]string{"a/b/c"}, false},
	} {
		var b bytes.Buffer
		z := zip.NewWriter(&b)
		for _, n := range c.names {
			w, err := z.Create(n)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Write([]byte(doc)); err != nil {
				t.Fatal(err)
			}
		}
		if err := z.Close(); err != nil {
			t.Fatal(err)
		}
		g, err := openArchiveAt(context.Background(), bytes.NewReader(b.Bytes()), int64(b.Len()), "a.zarr.zip")
		switch {
		case !c.opens:
			if !errors.Is(err, formats.ErrFormat) {
				t.Errorf("%v: got %v, want an error wrapping ErrFormat", c.names, err)
			}
		case err != nil || len(g.Vars) != 1 || g.Vars[0].Source == nil:
			t.Errorf("%v: got %v, %v, want one array", c.names, g, err)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package tiff

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// TestPartsThatAreNotThere: planes of files that cannot be opened are errors that name the file, the others are read; a file
// that has been renamed is told by its identifier.
func TestPartsThatAreNotThere(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	for from, to := range map[string]string{"part_0": "renamed.ome.tif", "part_2": "part_2.ome.tif"} {
		b, err := os.ReadFile("testdata/made/" + from + ".ome.tif")
		if err != nil {
			t.Fatal(err)
		}
		// a name that leads out of the folder
		b = []byte(strings.ReplaceAll(string(b), "part_0.ome.tif", "../../part.tif"))
		if err := os.WriteFile(filepath.Join(dir, to), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	open := map[string]func(string) (*formats.Group, error){
		"from a folder": func(name string) (*formats.Group, error) { return Open(ctx, filepath.Join(dir, name)) },
		"on its own": func(name string) (*formats.Group, error) {
			b, err := os.ReadFile(filepath.Join(dir, name))
			if err != nil {
				return nil, err
			}
			return openBytes(b)
		},
	}
	for _, c := range []struct {
		how, name string
		errs      [3]error // of the planes; nil: they are read
	}{
		{"from a folder", "renamed.ome.tif", [3]error{nil, fs.ErrNotExist, nil}},
		{"from a folder", "part_2.ome.tif", [3]error{formats.ErrFormat, fs.ErrNotExist, nil}},
		{"on its own", "renamed.ome.tif", [3]error{nil, formats.ErrFormat, formats.ErrFormat}},
		{"on its own", "part_2.ome.tif", [3]error{formats.ErrFormat, formats.ErrFormat, nil}},
	} {
		g, err := open[c.how](c.name)
		if err != nil {
			t.Fatal(err)
		}
		src := g.Vars[0].Source
		for i, want := range c.errs {
			r := chunk.Whole(src.Meta().Shape)
			r.Lo[0], r.Hi[0] = int64(i), int64(i)+1
			m := src.Meta()
			_, err := formats.ReadRegion(ctx, src, r, formattest.New(m.DType, m.ItemBytes, r.Shape()))
			if !errors.Is(err, want) || want != nil && !strings.Contains(err.Error(), "part") {
				t.Errorf("%s %s plane %d: %v, want %v", c.name, c.how, i, err, want)
			}
		}
		if g.Close != nil {
			g.Close()
		}
	}
}

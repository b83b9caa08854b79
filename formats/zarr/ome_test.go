// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// omeSpec is an image, labels over it, and a coordinate.
func omeSpec(format string) (formats.Spec, []*chunk.Chunk) {
	shape := chunk.Shape{2, 601, 300}
	image, labels, y := formattest.New(dtype.Int16, 2, shape), formattest.New(dtype.Int32, 4, shape[1:]), formattest.New(dtype.Float64, 8, chunk.Shape{601})
	for i := range chunk.Slice[int16](image) {
		chunk.Slice[int16](image)[i] = int16(i * 31 % 1000)
	}
	for i := range chunk.Slice[int32](labels) {
		chunk.Slice[int32](labels)[i] = int32(i / 7 % 50)
	}
	for i := range chunk.Slice[float64](y) {
		chunk.Slice[float64](y)[i] = 10 + 0.5*float64(i)
	}
	return formats.Spec{Format: format, Attrs: formats.Attrs{{Name: "title", Value: "cells"}}, Vars: []formats.VarSpec{
		{Name: "image", Dims: []string{"c", "y", "x"}, Shape: shape, DType: dtype.Int16, Attrs: formats.Attrs{{Name: "coordinates", Value: "height"}}},
		{Name: "nuclei", Dims: []string{"y", "x"}, Shape: shape[1:], DType: dtype.Int32},
		{Name: "y", Dims: []string{"y"}, Shape: shape[1:2], DType: dtype.Float64, Attrs: formats.Attrs{{Name: "units", Value: "um"}}},
	}}, []*chunk.Chunk{image, labels, y}
}

func TestOME(t *testing.T) {
	ctx := context.Background()
	for format, version := range map[string]string{"": "0.5", "ome-zarr-0.4": "0.4"} {
		path := filepath.Join(t.TempDir(), "a.ome.zarr")
		spec, data := omeSpec(format)
		w, err := OME.Create(ctx, path, spec)
		if err == nil {
			err = formattest.Write(ctx, w, data)
		}
		if err != nil {
			t.Fatal(err)
		}
		g, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		ms := Multiscales(g)
		if len(ms) != 1 || ms[0].Version != version || ms[0].Name != "image" || len(ms[0].Levels) != 3 {
			t.Fatalf("%s: Multiscales = %+v", version, ms)
		}
		if got := fmt.Sprint(ms[0].Axes); got != "[{c channel } {y space micrometer} {x space }]" {
			t.Errorf("%s: axes %s", version, got)
		}
		if got := fmt.Sprint(ms[0].Levels); got != "[{0 [1 0.5 1] [0 10 0]} {1 [1 1 2] [0 10.25 0.5]} {2 [1 2 4] [0 10.75 1.5]}]" {
			t.Errorf("%s: levels %s", version, got)
		}
		if got := fmt.Sprint(groupVar(g, "1").Spacing); got != "[{0 1 } {10.25 1 micrometer} {0.5 2 }]" {
			t.Errorf("%s: spacing of level 1 %s", version, got)
		}
		if got := fmt.Sprint(Labels(g)); got != "[labels/nuclei]" {
			t.Errorf("%s: Labels = %s", version, got)
		}
		if v, _ := g.Attrs.Get("title"); v != "cells" {
			t.Errorf("%s: title = %v", version, v)
		}
		levels := func(g *formats.Group, first *chunk.Chunk, want []string) {
			t.Helper()
			for l, shape := range want {
				v := groupVar(g, fmt.Sprint(l))
				if v == nil || v.Err != nil || v.Source.Meta().Shape.String() != shape {
					t.Fatalf("%s: level %d is %+v", version, l, v)
				}
				if s, _ := v.Attrs.Get("scale"); s == nil {
					t.Errorf("%s: level %d has no scale", version, l)
				}
			}
			c, err := formattest.ReadAll(ctx, groupVar(g, "0").Source)
			if err != nil || string(c.Bytes()) != string(first.Bytes()) {
				t.Errorf("%s: level 0 has other values (%v)", version, err)
			}
		}
		levels(g, data[0], []string{"[2 601 300]", "[2 301 150]", "[2 151 75]"})
		in := below(g, "labels/nuclei")
		levels(in, data[1], []string{"[601 300]", "[301 150]", "[151 75]"})
		// means of the image, the first of four labels
		c, err := formattest.ReadAll(ctx, groupVar(g, "1").Source)
		if err != nil {
			t.Fatal(err)
		}
		im := chunk.Slice[int16](data[0])
		sum := int(im[180300+300*10+20]) + int(im[180300+300*10+21]) + int(im[180300+300*11+20]) + int(im[180300+300*11+21])
		if got := int(chunk.Slice[int16](c)[301*150+5*150+10]); got != (sum+2)/4 {
			t.Errorf("%s: level 1 at (1, 5, 10) = %d, want %d", version, got, (sum+2)/4)
		}
		if c, err = formattest.ReadAll(ctx, groupVar(in, "2").Source); err != nil {
			t.Fatal(err)
		}
		if got, want := chunk.Slice[int32](c)[7*75+3], chunk.Slice[int32](data[1])[28*300+12]; got != want {
			t.Errorf("%s: label at (7, 3) of level 2 = %d, want %d", version, got, want)
		}
	}
}

// An output that is given up leaves nothing; what cannot be an image is refused before anything is there.
func TestOMEAbsent(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	path := filepath.Join(dir, "a.ome.zarr")
	spec, data := omeSpec("")
	w, err := OME.Create(ctx, path, spec)
	if err != nil {
		t.Fatal(err)
	}
	k := w.Sink(0).Grid().At(0, nil)
	if _, err := w.Sink(0).WriteChunk(ctx, k, data[0].Sub(w.Sink(0).Grid().Region(k))); err != nil {
		t.Fatal(err)
	}
	if err := w.Abort(); err != nil {
		t.Fatal(err)
	}
	two := chunk.Shape{3, 4}
	v := func(name string, shape chunk.Shape, dt dtype.DType, dims ...string) formats.VarSpec {
		return formats.VarSpec{Name: name, Shape: shape, DType: dt, Dims: dims}
	}
	for name, vars := range map[string][]formats.VarSpec{
		"a line":       {v("a", chunk.Shape{3}, dtype.Int8, "x")},
		"6 axes":       {v("a", chunk.Shape{1, 1, 1, 1, 3, 4}, dtype.Int8, "a", "b", "t", "c", "y", "x")},
		"order":        {v("a", chunk.Shape{2, 2, 3, 4}, dtype.Int8, "c", "t", "y", "x")},
		"4 of space":   {v("a", chunk.Shape{2, 2, 3, 4}, dtype.Int8, "w", "z", "y", "x")},
		"float labels": {v("a", two, dtype.Int8, "y", "x"), v("b", two, dtype.Float32, "y", "x")},
		"other labels": {v("a", two, dtype.Int8, "y", "x"), v("b", chunk.Shape{4, 4}, dtype.Int32, "z", "x")},
	} {
		if _, err := OME.Create(ctx, path, formats.Spec{Vars: vars}); !errors.Is(err, formats.ErrFormat) {
			t.Errorf("%s: %v, want ErrFormat", name, err)
		}
	}
	spec.Format = "ome-zarr-0.3"
	if _, err := OME.Create(ctx, path, spec); !errors.Is(err, formats.ErrFormat) {
		t.Errorf("version 0.3: %v, want ErrFormat", err)
	}
	if l, _ := os.ReadDir(dir); len(l) != 0 {
		t.Errorf("%v is left behind", l)
	}
}

// The wells of a plate, from documents as the specification shows them.
func TestPlate(t *testing.T) {
	ctx := context.Background()
	st := new(store.Memory)
	group := func(attrs string) string {
		return `{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"version": "0.5", ` + attrs + `}}}`
	}
	for key, text := range map[string]string{
		"zarr.json":     group(`"plate": {"columns": [{"name": "1"}, {"name": "2"}], "rows": [{"name": "A"}], "wells": [{"path": "A/1", "rowIndex": 0, "columnIndex": 0}, {"path": "A/2", "rowIndex": 0, "columnIndex": 1}, {"path": "B/9", "rowIndex": 7, "columnIndex": 1.5}]}`),
		"A/zarr.json":   `{"zarr_format": 3, "node_type": "group", "attributes": {}}`,
		"A/1/zarr.json": group(`"well": {"images": [{"path": "0"}, {"path": "1"}]}`),
		"A/2/zarr.json": group(`"well": {"images": [{"acquisition": 1, "path": "0"}]}`),
	} {
		if err := st.Put(ctx, key, []byte(text), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	g, err := OpenStore(ctx, st)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(Plate(g)); got != "[{A/1 A 1 [A/1/0 A/1/1]} {A/2 A 2 [A/2/0]} {B/9   []}]" {
		t.Errorf("Plate = %s", got)
	}
}

// TestOMECorpus reads images that another library made: axes and scales.
func TestOMECorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	for _, version := range []string{"0.4", "0.5"} {
		g, err := Open(context.Background(), filepath.Join(dir, "ome-zarr", "zj_ome_v"+version))
		if err != nil {
			t.Fatal(err)
		}
		ms := Multiscales(g)
		if len(ms) != 1 || ms[0].Version != version {
			t.Fatalf("Multiscales = %+v", ms)
		}
		if got := fmt.Sprint(ms[0].Axes, ms[0].Levels, Labels(g), groupVar(g, "1").Dims); got != "[{t time millisecond} {c channel } {z space micrometer} {y space micrometer} {x space micrometer}] "+
			"[{0 [1 1 0.5 0.5 0.5] [0 0 0 0 0]} {1 [1 1 1 1 1] [0 0 0 0 0]}] [labels/nuclei] [t c z y x]" {
			t.Errorf("%s: %s", version, got)
		}
	}
}

// FuzzOME: whatever the attributes are, reading them neither fails loudly nor takes long.
func FuzzOME(f *testing.F) {
	for _, s := range []string{`{"multiscales": [{"axes": ["y", "x"], "datasets": [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1, 2.5]}]}]}], "labels": ["a"]}`,
		`{"ome": {"version": "0.5", "multiscales": [{"axes": [{"name": "x"}], "datasets": [{"path": "a/b", "coordinateTransformations": [{"type": "translation", "translation": [1]}]}]}]}}`,
		`{"plate": {"rows": [{"name": "A"}], "columns": [{}], "wells": [{"path": "A/1", "rowIndex": -1, "columnIndex": 0}]}}`, `{"multiscales": 3}`, `{"ome": []}`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := parse(b)
		if err != nil {
			return
		}
		o, _ := v.(object)
		g := &formats.Group{Attrs: attributes(o), Groups: []formats.NamedGroup{{Name: "labels", Group: &formats.Group{Attrs: attributes(o)}}, {Name: "A", Group: &formats.Group{Attrs: attributes(o)}}}}
		for _, m := range Multiscales(g) {
			for _, l := range m.Levels {
				if len(l.Scale) != len(m.Axes) || len(l.Translation) != len(m.Axes) {
					t.Errorf("level %+v of axes %v", l, m.Axes)
				}
			}
		}
		Labels(g)
		Plate(g)
		ome(g)
	})
}

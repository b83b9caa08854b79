// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// noise returns a chunk of random small numbers, or texts.
func noise(r *rand.Rand, dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	c := formattest.New(dt, dt.Size(), shape)
	for i := range shape.Size() {
		if dt == dtype.String {
			formats.SetText(c, i, bytes.Repeat([]byte("é"), r.IntN(4)))
		} else {
			c.Block.Bytes()[i*int64(dt.Size())] = byte(r.IntN(3))
		}
	}
	return c
}

// into copies part to the region of a model, which grows to hold it.
func into(model *chunk.Chunk, at chunk.Region, part *chunk.Chunk) *chunk.Chunk {
	shape := model.Shape.Clone()
	for i := range shape {
		shape[i] = max(shape[i], at.Hi[i])
	}
	out := formattest.New(model.DType, int(model.ItemBytes), shape)
	formats.FillElems(out, nil)
	for _, x := range []struct {
		r chunk.Region
		c *chunk.Chunk
	}{{chunk.Whole(model.Shape), model}, {at, part}} {
		to := out.Sub(x.r)
		to.Heap = out.Heap
		formats.CopyElems(to, x.c)
		out.Heap = to.Heap
	}
	return out
}

func equalChunks(a, b *chunk.Chunk) bool {
	if !a.Shape.Equal(b.Shape) {
		return false
	}
	if a.DType != dtype.String {
		return bytes.Equal(a.Bytes(), b.Bytes())
	}
	for i := range a.Shape.Size() {
		if !bytes.Equal(formats.Text(a, i), formats.Text(b, i)) {
			return false
		}
	}
	return true
}

// Regions written one after the other, inside of an array and beyond its end, for every way of storing one.
func TestUpdate(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name, format, codec string
		dt                  dtype.DType
		shards              chunk.Shape
	}{
		{"v3", "zarr3", "zstd", dtype.Int32, nil}, {"v2", "zarr2", "blosc-lz4", dtype.Float64, nil}, {"shards", "zarr3", "", dtype.Int16, chunk.Shape{8, 6}},
		{"texts", "zarr3", "", dtype.String, nil}, {"texts2", "zarr2", "zlib", dtype.String, nil}, {"sharded texts", "zarr3", "", dtype.String, chunk.Shape{8, 6}}, {"plain", "zarr3", "none", dtype.Uint8, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(7, 7))
			path := filepath.Join(t.TempDir(), "x.zarr")
			model := noise(r, c.dt, chunk.Shape{9, 7})
			g := chunk.Regular(model.Shape, 4, 3)
			w, err := Create(ctx, path, formats.Spec{Format: c.format, Vars: []formats.VarSpec{{Name: "a/b", Dims: []string{"y", "x"}, Shape: model.Shape, DType: c.dt, Grid: &g, Shards: c.shards, Codec: c.codec}}})
			if err == nil {
				err = formattest.Write(ctx, w, []*chunk.Chunk{model})
			}
			if err != nil {
				t.Fatal(err)
			}
			for step := range 12 {
				at := chunk.Region{Lo: make(chunk.Shape, 2), Hi: make(chunk.Shape, 2)}
				for i, n := range model.Shape {
					at.Lo[i] = r.Int64N(n + 1)
					at.Hi[i] = at.Lo[i] + 1 + r.Int64N(6)
				}
				part := noise(r, c.dt, at.Shape())
				if step == 5 {
					part = formattest.New(c.dt, c.dt.Size(), at.Shape()) // chunks that become fill values
					formats.FillElems(part, nil)
				}
				w, err := Update(ctx, path, []formats.Part{{Name: "a/b", At: at}})
				if err != nil {
					t.Fatal(err)
				}
				if err := writeParts(ctx, w.Sink(0), part); err != nil {
					t.Fatal(err)
				}
				if err := w.Commit(ctx); err != nil {
					t.Fatal(err)
				}
				model = into(model, at, part)
				for _, consolidated := range []bool{true, false} {
					if !consolidated {
						hide(t, path)
					}
					g, err := Open(ctx, path)
					if err != nil {
						t.Fatal(err)
					}
					got, err := formattest.ReadAll(ctx, find(g, "a/b").Source)
					if err != nil {
						t.Fatal(err)
					}
					if !equalChunks(got, model) {
						t.Fatalf("step %d, region %v: %v, want %v", step, at, got.Block.Bytes(), model.Block.Bytes())
					}
					if !consolidated {
						show(t, path)
					}
				}
			}
		})
	}
}

// writeParts writes a region by two workers.
func writeParts(ctx context.Context, s formats.Sink, part *chunk.Chunk) error {
	var wg sync.WaitGroup
	errs := make([]error, 2)
	g := s.Grid()
	for i := range errs {
		wg.Go(func() {
			for n := int64(i); n < g.Len(); n += 2 {
				k := g.At(n, nil)
				if _, err := s.WriteChunk(ctx, k, part.Sub(g.Region(k))); err != nil {
					errs[i] = err
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// hide takes consolidated metadata away, show puts them back.
func hide(t *testing.T, path string) {
	for _, name := range []string{"zarr.json", ".zmetadata"} {
		b, err := os.ReadFile(filepath.Join(path, name))
		if err != nil {
			continue
		}
		os.WriteFile(filepath.Join(path, "..", name+".kept"), b, 0o666)
		if name == ".zmetadata" {
			os.Remove(filepath.Join(path, name))
			continue
		}
		os.WriteFile(filepath.Join(path, name), []byte(`{"zarr_format":3,"node_type":"group"}`), 0o666)
	}
}

func show(t *testing.T, path string) {
	for _, name := range []string{"zarr.json", ".zmetadata"} {
		if b, err := os.ReadFile(filepath.Join(path, "..", name+".kept")); err == nil {
			os.WriteFile(filepath.Join(path, name), b, 0o666)
		}
	}
}

// Regions of arrays that other programs have made, with transposed, nested and irregular storage.
func TestUpdateCorpus(t *testing.T) {
	dir := formattest.Corpus(t)
	ctx := context.Background()
	r := rand.New(rand.NewPCG(3, 3))
	names, _ := filepath.Glob(filepath.Join(dir, "written", "*"))
	done := 0
	for _, src := range names {
		if st, err := os.Stat(src); err != nil || !st.IsDir() || !detect(nil, src) {
			continue
		}
		path := filepath.Join(t.TempDir(), "x.zarr")
		if err := os.CopyFS(path, os.DirFS(src)); err != nil {
			t.Fatal(err)
		}
		g, err := Open(ctx, path)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Vars {
			if v.Source == nil || v.Source.Meta().Shape.Size() == 0 || v.Source.Meta().Shape.Size() > 1<<16 || len(v.Source.Meta().Shape) == 0 {
				continue
			}
			name := v.Name
			if len(g.Vars) == 1 && v.Source.(*array).path == "" {
				name = ""
			}
			model, err := formattest.ReadAll(ctx, v.Source)
			if err != nil {
				continue
			}
			at := chunk.Region{Lo: make(chunk.Shape, len(model.Shape)), Hi: make(chunk.Shape, len(model.Shape))}
			for i, n := range model.Shape {
				at.Lo[i] = r.Int64N(n)
				at.Hi[i] = at.Lo[i] + 1 + r.Int64N(n-at.Lo[i])
			}
			// what lies in the opposite corner is moved there: any codec can hold it
			part := formattest.New(model.DType, int(model.ItemBytes), at.Shape())
			from := chunk.Region{Lo: make(chunk.Shape, len(model.Shape)), Hi: at.Shape()}
			formats.CopyElems(part, model.Sub(from))
			w, err := Update(ctx, path, []formats.Part{{Name: name, At: at}})
			if errors.Is(err, formats.ErrFormat) {
				continue // a codec that only reads
			}
			if err == nil {
				err = writeParts(ctx, w.Sink(0), part)
			}
			if err == nil {
				err = w.Commit(ctx)
			}
			if err != nil {
				t.Errorf("%s: %v", filepath.Base(src), err)
				continue
			}
			h, err := Open(ctx, path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := formattest.ReadAll(ctx, find(h, v.Name).Source)
			if err != nil || !equalChunks(got, into(model, at, part)) {
				t.Errorf("%s: region %v of %v with %v does not come back: %v", filepath.Base(src), at, model.Shape, v.Source.Meta().Codecs, err)
			}
			done++
		}
	}
	if done < 100 {
		t.Errorf("%d arrays were changed, want at least 100", done)
	}
}

func TestUpdateRefusals(t *testing.T) {
	ctx := context.Background()
	dir := formattest.Corpus(t)
	path := filepath.Join(t.TempDir(), "x.zarr")
	if err := os.CopyFS(path, os.DirFS(filepath.Join(dir, "written", "ts_shard"))); err != nil {
		t.Fatal(err)
	}
	region := func(lo, hi int64) chunk.Region { return chunk.Region{Lo: chunk.Shape{lo}, Hi: chunk.Shape{hi}} }
	for _, c := range []struct {
		p    formats.Part
		want error
	}{{formats.Part{Name: "nothing", At: region(0, 1)}, fs.ErrNotExist}, {formats.Part{Name: "../x", At: region(0, 1)}, formats.ErrFormat}, {formats.Part{Name: "", At: region(0, 1)}, chunk.ErrShape}} {
		if _, err := Update(ctx, path, []formats.Part{c.p}); !errors.Is(err, c.want) {
			t.Errorf("Update %v = %v, want %v", c.p, err, c.want)
		}
	}
	if _, err := Update(ctx, filepath.Join(path, fmt.Sprint("not", "there")), []formats.Part{{Name: "a", At: region(0, 1)}}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Update of nothing = %v, want ErrNotExist", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package formattest

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
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// Options says what the format under test can hold.
type Options struct {
	Ext     string        // ending of the outputs' names
	Member  string        // Spec.Format
	DTypes  []dtype.DType // numeric dtypes it holds; nil: all
	One     bool          // exactly one variable
	Attrs   bool          // it holds attributes
	Dims    bool          // it holds dimension names
	Strings bool          // it holds String variables
	Chunked bool          // it keeps the chunk grid
	Sharded bool          // write chunks in shards
	Codecs  []string      // of VarSpec.Codec; nil: the default and "none"
	Table   bool          // it holds no more than one dimension: the suite's arrays are then flat
	Image   bool          // it holds two dimensions or three, none of them empty
}

var allTypes = []dtype.DType{dtype.Bool, dtype.Int8, dtype.Int16, dtype.Int32, dtype.Int64, dtype.Uint8, dtype.Uint16, dtype.Uint32,
	dtype.Uint64, dtype.Float16, dtype.Float32, dtype.Float64, dtype.Complex64, dtype.Complex128}

// Format runs the suite.
func Format(t *testing.T, f formats.Format, o Options) {
	if o.DTypes == nil {
		o.DTypes = allTypes
	}
	if o.Codecs == nil {
		o.Codecs = []string{"", "none"}
	}
	t.Run("RoundTrip", func(t *testing.T) { roundTrips(t, f, o) })
	t.Run("Several", func(t *testing.T) { several(t, f, o) })
	t.Run("Strings", func(t *testing.T) { texts(t, f, o) })
	t.Run("CompleteOrAbsent", func(t *testing.T) { completeOrAbsent(t, f, o) })
	t.Run("Damage", func(t *testing.T) { damage(t, f, o) })
}

// New returns a C-ordered chunk of zeros in Go memory.
func New(dt dtype.DType, item int, shape chunk.Shape) *chunk.Chunk {
	if dt != dtype.Raw {
		item = dt.Size()
	}
	return &chunk.Chunk{DType: dt, ItemBytes: int32(item), Shape: shape.Clone(), Strides: shape.RowMajor(), Block: mem.Wrap(make([]byte, shape.Size()*int64(item)))}
}

// random returns a chunk of random elements; bools are 0 or 1.
func random(r *rand.Rand, dt dtype.DType, shape chunk.Shape) *chunk.Chunk {
	c := New(dt, 0, shape)
	b := c.Block.Bytes()
	for i := range b {
		b[i] = byte(r.Uint32())
		if dt == dtype.Bool {
			b[i] &= 1
		}
	}
	return c
}

// Write writes whole arrays, each chunk by one of three workers, through views of odd strides.
func Write(ctx context.Context, w formats.Writer, data []*chunk.Chunk) error {
	for i, c := range data {
		s := w.Sink(i)
		g := s.Grid()
		var wg sync.WaitGroup
		errs := make([]error, 3)
		for j := range errs {
			wg.Go(func() {
				for n := int64(j); n < g.Len() && errs[j] == nil; n += 3 {
					k := g.At(n, nil)
					part := c.Sub(g.Region(k))
					if j == 1 { // the same elements in reversed memory
						part = reversed(part)
					}
					_, errs[j] = s.WriteChunk(ctx, k, part)
				}
			})
		}
		wg.Wait()
		if err := errors.Join(errs...); err != nil {
			return err
		}
	}
	return w.Commit(ctx)
}

func reversed(c *chunk.Chunk) *chunk.Chunk {
	out := New(c.DType, int(c.ItemBytes), c.Shape)
	for i := range out.Strides {
		if out.Shape[i] > 0 {
			out.Offset += (out.Shape[i] - 1) * out.Strides[i]
		}
		out.Strides[i] = -out.Strides[i]
	}
	formats.CopyElems(out, c)
	return out
}

// ReadAll reads a whole variable.
func ReadAll(ctx context.Context, src formats.Source) (*chunk.Chunk, error) {
	m := src.Meta()
	dst := New(m.DType, m.ItemBytes, m.Shape)
	_, err := formats.ReadRegion(ctx, src, chunk.Whole(m.Shape), dst)
	return dst, err
}

func roundTrips(t *testing.T, f formats.Format, o Options) {
	ctx := context.Background()
	shapes := []struct{ shape, steps chunk.Shape }{
		{chunk.Shape{}, nil}, {chunk.Shape{7}, chunk.Shape{3}}, {chunk.Shape{0, 4}, chunk.Shape{1, 4}},
		{chunk.Shape{9, 10, 11}, chunk.Shape{4, 10, 3}}, {chunk.Shape{1, 1, 5, 1}, nil}, {chunk.Shape{40, 50}, chunk.Shape{40, 50}},
	}
	for _, dt := range o.DTypes {
		for i, s := range shapes {
			s.shape, s.steps = o.shape(s.shape, s.steps)
			for _, codec := range o.Codecs {
				name := fmt.Sprintf("%v %v %v %q", dt, s.shape, s.steps, codec)
				r := rand.New(rand.NewPCG(uint64(dt), uint64(i)))
				data := random(r, dt, s.shape)
				v := formats.VarSpec{Name: "v", Shape: s.shape, DType: dt, Codec: codec}
				if s.steps != nil {
					g := chunk.Regular(s.shape, s.steps...)
					v.Grid = &g
				}
				if o.Sharded {
					v.Shards = s.shape.Clone()
					for j := range v.Shards {
						v.Shards[j] = (s.shape[j] + 1) / 2
					}
				}
				if o.Dims {
					for j := range s.shape {
						v.Dims = append(v.Dims, fmt.Sprintf("d%d", j))
					}
				}
				spec := formats.Spec{Vars: []formats.VarSpec{v}, Format: o.Member}
				for j := range v.Dims {
					spec.Dims = append(spec.Dims, formats.Dim{Name: v.Dims[j], Size: s.shape[j]})
				}
				path := filepath.Join(t.TempDir(), "out"+o.Ext)
				g, err := writeAndOpen(ctx, f, path, spec, []*chunk.Chunk{data})
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				compare(t, name, g, v, data, o, r)
				closeGroup(g)
			}
		}
	}
}

func closeGroup(g *formats.Group) {
	if g != nil && g.Close != nil {
		g.Close()
	}
}

func writeAndOpen(ctx context.Context, f formats.Format, path string, spec formats.Spec, data []*chunk.Chunk) (*formats.Group, error) {
	w, err := f.Create(ctx, path, spec)
	if err != nil {
		return nil, fmt.Errorf("create: %w", err)
	}
	if err := Write(ctx, w, data); err != nil {
		return nil, fmt.Errorf("write: %w", err)
	}
	return f.Open(ctx, path)
}

func compare(t *testing.T, name string, g *formats.Group, v formats.VarSpec, data *chunk.Chunk, o Options, r *rand.Rand) {
	t.Helper()
	ctx := context.Background()
	var got *formats.Var
	for i := range g.Vars {
		if g.Vars[i].Name == v.Name || o.One {
			got = &g.Vars[i]
		}
	}
	if got == nil || got.Err != nil {
		t.Errorf("%s: variable is not there or has an error: %+v", name, got)
		return
	}
	m := got.Source.Meta()
	if m.DType != data.DType || !m.Shape.Equal(v.Shape) {
		t.Errorf("%s: read %v %v, want %v %v", name, m.DType, m.Shape, data.DType, v.Shape)
		return
	}
	if o.Dims && fmt.Sprint(got.Dims) != fmt.Sprint(v.Dims) {
		t.Errorf("%s: dims %v, want %v", name, got.Dims, v.Dims)
	}
	if o.Chunked && v.Grid != nil && v.Shape.Size() > 0 && !m.Grid.Equal(*v.Grid) {
		t.Errorf("%s: grid %v, want %v", name, m.Grid.MaxChunk(), v.Grid.MaxChunk())
	}
	whole, err := ReadAll(ctx, got.Source)
	if err != nil {
		t.Errorf("%s: %v", name, err)
		return
	}
	if !bytes.Equal(whole.Bytes(), data.Bytes()) {
		t.Errorf("%s: values differ", name)
		return
	}
	for range 5 {
		reg := chunk.Whole(v.Shape)
		for i, n := range v.Shape {
			if n > 0 {
				reg.Lo[i] = r.Int64N(n)
				reg.Hi[i] = reg.Lo[i] + 1 + r.Int64N(n-reg.Lo[i])
			}
		}
		part, want := reversed(New(data.DType, 0, reg.Shape())), New(data.DType, 0, reg.Shape())
		formats.CopyElems(want, data.Sub(reg))
		if _, err := formats.ReadRegion(ctx, got.Source, reg, part); err != nil {
			t.Errorf("%s: region %v: %v", name, reg, err)
			continue
		}
		flat := New(data.DType, 0, reg.Shape())
		formats.CopyElems(flat, part)
		if !bytes.Equal(flat.Bytes(), want.Bytes()) {
			t.Errorf("%s: region %v differs from the part of the whole", name, reg)
		}
	}
	// every chunk by its key, into a destination with gaps
	for n := range m.Grid.Len() {
		k := m.Grid.At(n, nil)
		reg := m.Grid.Region(k)
		wide := New(data.DType, 0, append(reg.Shape(), 2))
		dst := *wide
		dst.Shape, dst.Strides = reg.Shape(), wide.Strides[:len(wide.Strides)-1]
		if _, err := got.Source.ReadChunk(ctx, k, &dst); err != nil {
			t.Errorf("%s: chunk %v: %v", name, k, err)
			return
		}
		flat, want := New(data.DType, 0, reg.Shape()), New(data.DType, 0, reg.Shape())
		formats.CopyElems(flat, &dst)
		formats.CopyElems(want, data.Sub(reg))
		if !bytes.Equal(flat.Bytes(), want.Bytes()) {
			t.Errorf("%s: chunk %v differs", name, k)
			return
		}
	}
}

func several(t *testing.T, f formats.Format, o Options) {
	if o.One {
		t.Skip("the format holds one variable")
	}
	ctx := context.Background()
	r := rand.New(rand.NewPCG(1, 2))
	shape, _ := o.shape(chunk.Shape{6, 8}, nil)
	dims, names := o.dims(shape, "y", "x")
	spec := formats.Spec{Format: o.Member, Dims: dims}
	var data []*chunk.Chunk
	for i, dt := range o.DTypes {
		spec.Vars = append(spec.Vars, formats.VarSpec{Name: fmt.Sprintf("v%02d", i), Dims: names, Shape: shape, DType: dt,
			Attrs: formats.Attrs{{Name: "units", Value: "K"}, {Name: "scale", Value: 0.1}, {Name: "levels", Value: []int32{3, 1, 2}}, {Name: "text", Value: "é\n\"x\""}}})
		data = append(data, random(r, dt, shape))
	}
	spec.Attrs = formats.Attrs{{Name: "title", Value: "several"}, {Name: "Conventions", Value: "CF-1.11"}}
	path := filepath.Join(t.TempDir(), "out"+o.Ext)
	g, err := writeAndOpen(ctx, f, path, spec, data)
	if err != nil {
		t.Fatal(err)
	}
	defer closeGroup(g)
	for i, v := range spec.Vars {
		compare(t, v.Name, g, v, data[i], Options{Dims: o.Dims}, r)
	}
	if !o.Attrs {
		return
	}
	if v, _ := g.Attrs.Get("title"); v != "several" {
		t.Errorf("attribute title = %v, want several", v)
	}
	for _, v := range g.Vars {
		for name, want := range map[string]string{"units": "K", "scale": "0.1", "levels": "[3 1 2]", "text": "é\n\"x\""} {
			if got, _ := v.Attrs.Get(name); fmt.Sprint(got) != want {
				t.Errorf("%s: attribute %s = %v, want %s", v.Name, name, got, want)
			}
		}
	}
}

func texts(t *testing.T, f formats.Format, o Options) {
	if !o.Strings {
		t.Skip("the format holds no texts of variable length")
	}
	ctx := context.Background()
	shape, steps := o.shape(chunk.Shape{5, 3}, chunk.Shape{2, 2})
	g := chunk.Regular(shape, steps...)
	dims, names := o.dims(shape, "y", "x")
	data := New(dtype.String, 0, shape)
	for i := range shape.Size() {
		formats.SetText(data, i, bytes.Repeat([]byte("é "), int(i%4)))
	}
	spec := formats.Spec{Format: o.Member, Dims: dims, Vars: []formats.VarSpec{{Name: "v", Dims: names, Shape: shape, DType: dtype.String, Grid: &g}}}
	if o.Sharded {
		spec.Vars[0].Shards = chunk.Shape{4, 2}
	}
	gr, err := writeAndOpen(ctx, f, filepath.Join(t.TempDir(), "out"+o.Ext), spec, []*chunk.Chunk{data})
	if err != nil {
		t.Fatal(err)
	}
	defer closeGroup(gr)
	got, err := ReadAll(ctx, gr.Vars[0].Source)
	if err != nil {
		t.Fatal(err)
	}
	for i := range shape.Size() {
		if g, w := formats.Text(got, i), formats.Text(data, i); !bytes.Equal(g, w) {
			t.Errorf("text %d = %q, want %q", i, g, w)
		}
	}
}

// contents returns the files below path with their bytes.
func contents(t *testing.T, path string) map[string]string {
	out := map[string]string{}
	filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			b, _ := os.ReadFile(p)
			out[p] = string(b)
		}
		return nil
	})
	return out
}

func completeOrAbsent(t *testing.T, f formats.Format, o Options) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(3, 4))
	shape, steps := o.shape(chunk.Shape{20, 10}, chunk.Shape{10, 10})
	g := chunk.Regular(shape, steps...)
	dims, names := o.dims(shape, "y", "x")
	spec := formats.Spec{Format: o.Member, Dims: dims, Vars: []formats.VarSpec{{Name: "v", Dims: names, Shape: shape, DType: dtype.Float32, Grid: &g}}}
	if !o.Dims {
		spec.Dims, spec.Vars[0].Dims = nil, nil
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "out"+o.Ext)
	first, second := random(r, dtype.Float32, shape), random(r, dtype.Float32, shape)
	gr, err := writeAndOpen(ctx, f, path, spec, []*chunk.Chunk{first})
	if err != nil {
		t.Fatal(err)
	}
	closeGroup(gr)
	before := contents(t, path)
	if _, err := f.Create(ctx, path, spec); !errors.Is(err, formats.ErrExists) {
		t.Errorf("Create over an output = %v, want ErrExists", err)
	}
	spec.Overwrite = true
	w, err := f.Create(ctx, path, spec)
	if err != nil {
		t.Fatal(err)
	}
	k := w.Sink(0).Grid().At(0, nil)
	if _, err := w.Sink(0).WriteChunk(ctx, k, second.Sub(w.Sink(0).Grid().Region(k))); err != nil {
		t.Fatal(err)
	}
	if got := contents(t, path); fmt.Sprint(got) != fmt.Sprint(before) {
		t.Error("an unfinished output changed the old one")
	}
	if err := w.Abort(); err != nil {
		t.Errorf("Abort = %v", err)
	}
	if l, _ := os.ReadDir(dir); len(l) != 1 {
		t.Errorf("after Abort there are %v, want the old output alone", l)
	}
	// a writer that is dropped leaves a partial name; the next run sweeps it
	if _, err = f.Create(ctx, path, spec); err != nil {
		t.Fatal(err)
	}
	if gr, err = writeAndOpen(ctx, f, path, spec, []*chunk.Chunk{second}); err != nil {
		t.Fatal(err)
	}
	defer closeGroup(gr)
	got, err := ReadAll(ctx, gr.Vars[0].Source)
	if err != nil || !bytes.Equal(got.Bytes(), second.Bytes()) {
		t.Errorf("the overwritten output does not hold the new values (%v)", err)
	}
	if l, _ := os.ReadDir(dir); len(l) != 1 {
		t.Errorf("after Commit there are %v, want the output alone", l)
	}
	if _, err := f.Create(ctx, filepath.Join(dir, "no", "such", "folder"+o.Ext), spec); err == nil {
		t.Error("Create in a folder that is not there succeeded")
	}
}

// damage flips and cuts every file of an output: opening and reading must give values or
// errors that wrap ErrCorrupt or ErrFormat (or fs.ErrNotExist), never a panic.
func damage(t *testing.T, f formats.Format, o Options) {
	ctx := context.Background()
	r := rand.New(rand.NewPCG(5, 6))
	shape, steps := o.shape(chunk.Shape{30, 20}, chunk.Shape{10, 20})
	g := chunk.Regular(shape, steps...)
	dims, names := o.dims(shape, "y", "x")
	spec := formats.Spec{Format: o.Member, Dims: dims,
		Vars: []formats.VarSpec{{Name: "v", Dims: names, Shape: shape, DType: dtype.Int16, Grid: &g, Attrs: formats.Attrs{{Name: "units", Value: "m"}}}}}
	if !o.Dims {
		spec.Dims, spec.Vars[0].Dims = nil, nil
	}
	if !o.Attrs {
		spec.Vars[0].Attrs = nil
	}
	path := filepath.Join(t.TempDir(), "out"+o.Ext)
	gr, err := writeAndOpen(ctx, f, path, spec, []*chunk.Chunk{random(r, dtype.Int16, shape)})
	if err != nil {
		t.Fatal(err)
	}
	closeGroup(gr)
	fine := func(err error) bool {
		return err == nil || errors.Is(err, formats.ErrCorrupt) || errors.Is(err, formats.ErrFormat) || errors.Is(err, fs.ErrNotExist)
	}
	for p, good := range contents(t, path) {
		for range 60 {
			bad := []byte(good)
			if len(bad) == 0 {
				continue
			}
			if r.IntN(5) == 0 {
				bad = bad[:r.IntN(len(bad))]
			} else {
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			}
			os.WriteFile(p, bad, 0o666)
			g, err := f.Open(ctx, path)
			if !fine(err) {
				t.Errorf("%s damaged: Open = %v, want ErrCorrupt or ErrFormat", filepath.Base(p), err)
			}
			if err != nil {
				continue
			}
			for _, v := range g.Vars {
				if v.Source == nil {
					if !fine(v.Err) {
						t.Errorf("%s damaged: Err = %v", filepath.Base(p), v.Err)
					}
					continue
				}
				if n, err := v.Source.Meta().Shape.Bytes(int64(v.Source.Meta().ItemBytes)); err != nil || n > 1<<20 {
					continue
				}
				if _, err := ReadAll(ctx, v.Source); !fine(err) {
					t.Errorf("%s damaged: read = %v, want ErrCorrupt or ErrFormat", filepath.Base(p), err)
				}
			}
			closeGroup(g)
		}
		os.WriteFile(p, []byte(good), 0o666)
	}
}

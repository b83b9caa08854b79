// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"io/fs"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

func TestArchive(t *testing.T) {
	formattest.Format(t, Archive, formattest.Options{Ext: ".zarr.zip", Attrs: true, Dims: true, Strings: true, Chunked: true})
}

// TestCreateStore: in a store that moves nothing, a hierarchy is there when all of it is, or not at all.
func TestCreateStore(t *testing.T) {
	ctx := context.Background()
	shape := chunk.Shape{30, 40}
	g := chunk.Regular(shape, 7, 40)
	spec := formats.Spec{Vars: []formats.VarSpec{{Name: "a/v", Shape: shape, DType: dtype.Float32, Grid: &g}}}
	fill := func(x float32) []*chunk.Chunk {
		c := formattest.New(dtype.Float32, 4, shape)
		for i := range chunk.Slice[float32](c) {
			chunk.Slice[float32](c)[i] = x + float32(i)
		}
		return []*chunk.Chunk{c}
	}
	for _, format := range []string{"zarr2", "zarr3"} {
		all := &store.Memory{}
		if err := all.Put(ctx, "beside/it", nil, store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		st := store.Below(all, "out.zarr")
		is := func(want float32) {
			t.Helper()
			g, err := OpenStore(ctx, st)
			if err != nil {
				t.Fatal(err)
			}
			c, err := formattest.ReadAll(ctx, g.Groups[0].Group.Vars[0].Source)
			if err != nil || chunk.Slice[float32](c)[1] != want {
				t.Errorf("the second element is %v, %v, want %v", chunk.Slice[float32](c)[1], err, want)
			}
		}
		spec.Format = format
		for _, overwrite := range []bool{false, true} {
			spec.Overwrite = overwrite
			w, err := CreateStore(ctx, st, spec)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.Sink(0).WriteChunk(ctx, chunk.Key{0, 0}, formattest.New(dtype.Float32, 4, chunk.Shape{7, 40})); err != nil {
				t.Fatal(err)
			}
			if _, err := OpenStore(ctx, st); err == nil {
				t.Error("a hierarchy without all of its chunks can be opened")
			}
			if err := w.Abort(); err != nil {
				t.Error(err)
			}
			if l, err := st.List(ctx, ""); err != nil || len(l) > 0 {
				t.Errorf("%v are left behind, %v", l, err)
			}
			for range 2 { // one that is killed is neither opened nor in the way
				if w, err = CreateStore(ctx, st, spec); err != nil {
					t.Fatal(err)
				}
				if _, err := w.Sink(0).WriteChunk(ctx, chunk.Key{1, 0}, fill(3)[0].Sub(chunk.Region{Lo: chunk.Shape{0, 0}, Hi: chunk.Shape{7, 40}})); err != nil {
					t.Fatal(err)
				}
			}
			if _, err := OpenStore(ctx, st); err == nil {
				t.Error("the remains of a hierarchy can be opened")
			}
			w, err = CreateStore(ctx, st, spec)
			if err == nil {
				err = formattest.Write(ctx, w, fill(5))
			}
			if err != nil {
				t.Fatal(err)
			}
			is(6)
			if l, err := st.List(ctx, ""); err != nil || len(l) > 4 || l[0].Name == partialMark {
				t.Errorf("the root has %v, %v", l, err)
			}
			if _, err := CreateStore(ctx, st, spec); !overwrite && !errors.Is(err, formats.ErrExists) {
				t.Errorf("CreateStore where there is one = %v, want ErrExists", err)
			}
		}
		if i, err := all.Stat(ctx, "beside/it"); err != nil || i.Size != 0 {
			t.Errorf("what lies beside is gone: %v", err)
		}
		if _, err := CreateStore(ctx, store.Below(all, "beside"), spec); !errors.Is(err, formats.ErrExists) {
			t.Errorf("CreateStore over something else = %v, want ErrExists", err)
		}
	}
}

// failing is a store whose deletions fail.
type failing struct{ store.Store }

func (failing) Delete(context.Context, string) error { return fs.ErrPermission }

func TestRemoveAll(t *testing.T) {
	ctx := context.Background()
	var m store.Memory
	for i := range 100 {
		if err := m.Put(ctx, "a/"+string(rune('a'+i%26))+"/"+string(rune('a'+i/26)), nil, store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
	}
	if err := removeAll(ctx, failing{&m}, ""); !errors.Is(err, fs.ErrPermission) {
		t.Errorf("removeAll where nothing may be deleted = %v, want fs.ErrPermission", err)
	}
	if err := removeAll(ctx, &m, "a"); err != nil {
		t.Error(err)
	}
	if l, _ := m.List(ctx, ""); len(l) > 0 {
		t.Errorf("%v are left", l)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// mortal is a store whose user dies after a number of changes: from then on nothing it asks for happens.
type mortal struct {
	*store.Memory
	left atomic.Int64
	dead atomic.Bool
}

var errDead = errors.New("the process has died")

func (m *mortal) change(f func() error) error {
	if m.left.Add(-1) < 0 {
		m.dead.Store(true)
		return errDead
	}
	return f()
}

func (m *mortal) Put(ctx context.Context, key string, b []byte, opt store.PutOpt) error {
	return m.change(func() error { return m.Memory.Put(ctx, key, b, opt) })
}

func (m *mortal) Delete(ctx context.Context, key string) error {
	return m.change(func() error { return m.Memory.Delete(ctx, key) })
}

func (m *mortal) List(ctx context.Context, prefix string) ([]store.Info, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Memory.List(ctx, prefix)
}

func (m *mortal) Get(ctx context.Context, key string, r store.Range, limit int64, buf []byte) ([]byte, error) {
	if m.dead.Load() {
		return nil, errDead
	}
	return m.Memory.Get(ctx, key, r, limit, buf)
}

// grown are the values of n steps: data that fill chunks in part, and their times.
func grown(n int64) []*chunk.Chunk {
	v, t := formattest.New(dtype.Int32, 4, chunk.Shape{n, 3}), formattest.New(dtype.Int64, 8, chunk.Shape{n})
	for i := range chunk.Slice[int32](v) {
		chunk.Slice[int32](v)[i] = int32(i + 1)
	}
	for i := range chunk.Slice[int64](t) {
		chunk.Slice[int64](t)[i] = int64(i + 100)
	}
	return []*chunk.Chunk{v, t}
}

var grownNames = []string{"g/v", "g/time"}

func grownSpec(format string, shards chunk.Shape, n int64) formats.Spec {
	g, gt := chunk.Regular(chunk.Shape{n, 3}, 4, 2), chunk.Regular(chunk.Shape{n}, 4)
	return formats.Spec{Format: format, Vars: []formats.VarSpec{
		{Name: grownNames[0], Dims: []string{"time", "x"}, Shape: chunk.Shape{n, 3}, DType: dtype.Int32, Grid: &g, Shards: shards},
		{Name: grownNames[1], Dims: []string{"time"}, Shape: chunk.Shape{n}, DType: dtype.Int64, Grid: &gt}}}
}

// steps returns how many steps a hierarchy holds, 0 where there is none. All that it holds must be right, in every array.
func steps(t *testing.T, st store.Store, at string) []int64 {
	t.Helper()
	ctx := context.Background()
	g, err := OpenStore(ctx, st)
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, formats.ErrFormat) {
		return nil
	}
	if err != nil {
		t.Fatalf("%s: %v", at, err)
	}
	var out []int64
	for i, name := range grownNames {
		v := find(g, name)
		if v == nil || v.Err != nil {
			t.Fatalf("%s: %s: %+v", at, name, v)
		}
		got, err := formattest.ReadAll(ctx, v.Source)
		if err != nil {
			t.Fatalf("%s: %s: %v", at, name, err)
		}
		n := got.Shape[0]
		if !equalChunks(got, grown(n)[i]) {
			t.Fatalf("%s: %s holds %v", at, name, got.Bytes())
		}
		out = append(out, n)
	}
	return out
}

// appendSteps makes a hierarchy of from steps one of to steps.
func appendSteps(ctx context.Context, st store.Store, from, to int64) error {
	var parts []formats.Part
	data := grown(to)
	for i, name := range grownNames {
		at := chunk.Whole(data[i].Shape)
		at.Lo[0] = from
		old := data[i].Shape.Clone()
		old[0] = from
		parts = append(parts, formats.Part{Name: name, At: at, Old: old})
	}
	w, err := UpdateStore(ctx, st, parts)
	if err != nil {
		return err
	}
	for i, p := range parts {
		s := w.Sink(i)
		part := data[i].Sub(p.At)
		for n := range s.Grid().Len() {
			k := s.Grid().At(n, nil)
			if _, err := s.WriteChunk(ctx, k, part.Sub(s.Grid().Region(k))); err != nil {
				return errors.Join(err, w.Abort())
			}
		}
	}
	return w.Commit(ctx)
}

// TestCrash dies after each change in turn of making a hierarchy and of appending to it. Readers find nothing or all of it, the old extent or the
// new one; and the same run once more completes it.
func TestCrash(t *testing.T) {
	ctx := context.Background()
	for _, c := range []struct {
		name, format string
		shards       chunk.Shape
		consolidated bool
	}{{"v2", "zarr2", nil, true}, {"v3", "zarr3", nil, true}, {"shards", "zarr3", chunk.Shape{8, 4}, true}, {"v2 alone", "zarr2", nil, false}, {"v3 alone", "zarr3", nil, false}} {
		t.Run(c.name, func(t *testing.T) {
			spec := grownSpec(c.format, c.shards, 6)
			create := func(st store.Store) error {
				w, err := CreateStore(ctx, st, spec)
				if err != nil {
					return err
				}
				if err := formattest.Write(ctx, w, grown(6)); err != nil {
					return errors.Join(err, w.Abort())
				}
				return nil
			}
			crashes(t, create, func() *store.Memory { return new(store.Memory) }, func(at string, n []int64) {
				if n != nil && !slices.Equal(n, []int64{6, 6}) {
					t.Fatalf("%s: %v steps", at, n)
				}
			})
			old := func() *store.Memory {
				m := new(store.Memory)
				if err := create(m); err != nil {
					t.Fatal(err)
				}
				if !c.consolidated {
					unconsolidate(t, m)
				}
				return m
			}
			grow := func(st store.Store) error {
				n := steps(t, living(st), "before")
				if n[0] == 11 {
					return nil
				}
				return appendSteps(ctx, st, 6, 11)
			}
			crashes(t, grow, old, func(at string, n []int64) {
				for i := range n {
					// without consolidated metadata arrays change one after the other
					if n[i] != 6 && n[i] != 11 || c.consolidated && n[i] != n[0] {
						t.Fatalf("%s: %v steps", at, n)
					}
				}
			})
		})
	}
}

// living returns the store without the end that awaits its user.
func living(st store.Store) store.Store {
	if m, ok := st.(*mortal); ok {
		return m.Memory
	}
	return st
}

// crashes runs f, which dies after 0, 1, 2 ... changes, has what is there checked, and runs it again to its end.
func crashes(t *testing.T, f func(store.Store) error, begin func() *store.Memory, check func(at string, n []int64)) {
	t.Helper()
	for n := int64(0); ; n++ {
		m := &mortal{Memory: begin()}
		m.left.Store(n)
		err := f(m)
		at := fmt.Sprintf("after %d changes", n)
		check(at, steps(t, m.Memory, at))
		if err == nil {
			if n < 5 {
				t.Fatalf("%d changes made all of it", n)
			}
			return
		}
		if !errors.Is(err, errDead) {
			t.Fatalf("%s: %v", at, err)
		}
		// what a dead process has left names this one, which lives
		if _, err := UpdateStore(context.Background(), m.Memory, nil); err != nil {
			t.Fatalf("%s: %v", at, err)
		}
		if got := steps(t, m.Memory, at); len(got) == 2 && got[0] != got[1] {
			t.Fatalf("%s: %v steps where the next run has looked", at, got)
		}
		if err := f(m.Memory); err != nil && !(errors.Is(err, formats.ErrExists) && steps(t, m.Memory, at) != nil) {
			t.Fatalf("%s: the next run: %v", at, err)
		}
		last := steps(t, m.Memory, at)
		if len(last) != 2 || last[0] != last[1] {
			t.Fatalf("%s: the next run made %v steps", at, last)
		}
		if _, err := m.Stat(context.Background(), intent); !errors.Is(err, fs.ErrNotExist) {
			t.Fatalf("%s: what the update meant to do is left: %v", at, err)
		}
	}
}

// unconsolidate takes consolidated metadata away.
func unconsolidate(t *testing.T, m *store.Memory) {
	t.Helper()
	ctx := context.Background()
	b, err := m.Get(ctx, "zarr.json", store.All, -1, nil)
	if errors.Is(err, fs.ErrNotExist) {
		err = m.Delete(ctx, ".zmetadata")
	} else if err == nil {
		if !strings.Contains(string(b), "consolidated_metadata") {
			t.Fatal("there are no consolidated metadata")
		}
		err = m.Put(ctx, "zarr.json", []byte(`{"zarr_format":3,"node_type":"group"}`), store.PutOpt{})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// An update that another living process is about to complete is left alone, and so is an intent that names other things than metadata.
func TestIntent(t *testing.T) {
	ctx := context.Background()
	host, err := os.Hostname()
	if err != nil {
		t.Skip(err)
	}
	for _, c := range []struct{ host, changes, part string }{
		{host, `[]`, "is changing it at this moment"},
		{"elsewhere", `[{"key": "../zarr.json", "old": "", "new": ""}]`, "path below the root"},
		{"elsewhere", `[{"key": "g/v/c/0/0", "old": "", "new": ""}]`, "not what an update leaves"},
		{"elsewhere", `[{"key": 3}]`, "not what an update leaves"},
		{"elsewhere", `[]`, ""},
		{"elsewhere", `[{"key": "g/zarr.json", "old": "{}", "new": "{ }"}]`, ""},
	} {
		if c.host == host && !isRunning(int64(os.Getppid())) {
			continue // nobody can tell here
		}
		m := new(store.Memory)
		text := fmt.Sprintf(`{"host": %q, "process": %d, "changes": %s}`, c.host, os.Getppid(), c.changes)
		if err := m.Put(ctx, intent, []byte(text), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		_, err := UpdateStore(ctx, m, nil)
		if c.part == "" && err != nil || c.part != "" && (err == nil || !strings.Contains(err.Error(), c.part)) {
			t.Errorf("%s: %v, want %q", text, err, c.part)
		}
		if l, _ := m.List(ctx, ""); c.part == "" && len(l) > 0 {
			t.Errorf("%s: %v is left", text, l)
		}
	}
}

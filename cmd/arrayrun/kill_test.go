// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// killer starts the command as a process and kills it at random points: no handler runs, nothing is tidied up.
type killer struct {
	rng  *rand.Rand
	took time.Duration // of a run to its end, from the moment it began to write
}

// begun reports whether a command has begun to write out.
func begun(out string, since time.Time) bool {
	if store.Exists(store.Partial(out)) {
		return true
	}
	found := false // an update changes what is there
	_ = filepath.WalkDir(out, func(_ string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil // it has been renamed meanwhile
		}
		if i, err := d.Info(); err == nil && i.ModTime().After(since) {
			found = true
			return fs.SkipAll
		}
		return nil
	})
	return found
}

// run starts the command and, with early or late set, kills it: before it has begun to write, or at any time from then on. It reports whether the
// command was killed.
func (k *killer) run(t *testing.T, kill, early bool, out string, args ...string) bool {
	t.Helper()
	c, _, errs := command(t, args...)
	start := time.Now()
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- c.Wait() }()
	var err error
	over := func(wait time.Duration) bool {
		select {
		case err = <-ended:
			return true
		case <-time.After(wait):
			return false
		}
	}
	limit := time.Minute
	if early {
		limit = time.Duration(k.rng.Int64N(int64(50 * time.Millisecond)))
	}
	wrote, done := start, false
	for !done && time.Since(start) < limit && !begun(out, start) {
		done = over(300 * time.Microsecond)
	}
	if wrote = time.Now(); kill && !done {
		if done = over(time.Duration(k.rng.Int64N(int64(k.took) + 1))); !done {
			if err := c.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
				t.Fatal(err)
			}
		}
	}
	if !done {
		err = <-ended
	}
	k.took = max(k.took, time.Since(wrote))
	if code := exitStatus(t, err); code == 0 || !kill {
		if code != 0 {
			t.Fatalf("%v: exit %d, %s", args, code, errs)
		}
		return false
	}
	return true
}

// writeSteps writes a Zarr hierarchy of v(time, y, x) and time: n steps from first on. Values differ by salt.
func writeSteps(t *testing.T, path string, first, n int64, salt float32) {
	t.Helper()
	ctx := context.Background()
	shape := chunk.Shape{n, 50, 60}
	v, tm := formattest.New(dtype.Float32, 4, shape), formattest.New(dtype.Int64, 8, shape[:1])
	for i := range chunk.Slice[float32](v) {
		chunk.Slice[float32](v)[i] = salt + float32((first*3000+int64(i))*7919%100003)
	}
	for i := range chunk.Slice[int64](tm) {
		chunk.Slice[int64](tm)[i] = first + int64(i)
	}
	g, gt := chunk.Regular(shape, 7, 50, 60), chunk.Regular(shape[:1], 50)
	w, err := all.Create(ctx, path, formats.Spec{Vars: []formats.VarSpec{
		{Name: "v", Dims: []string{"time", "y", "x"}, Shape: shape, DType: dtype.Float32, Grid: &g},
		{Name: "time", Dims: []string{"time"}, Shape: shape[:1], DType: dtype.Int64, Grid: &gt, Attrs: formats.Attrs{{Name: "units", Value: "hours since 2000-01-01"}}}}})
	if err == nil {
		err = formattest.Write(ctx, w, []*chunk.Chunk{v, tm})
	}
	if err != nil {
		t.Fatal(err)
	}
}

// equalOutputs compares two outputs, byte by byte where there is no reader.
func equalOutputs(t *testing.T, a, b string) bool {
	t.Helper()
	if ext := filepath.Ext(a); ext == ".csv" || ext == ".json" {
		x, errX := os.ReadFile(a)
		y, errY := os.ReadFile(b)
		return errX == nil && errY == nil && bytes.Equal(x, y)
	}
	code, out, errs := arrayrun(t, "diff", a, b)
	if code != 0 && code != exitFailed {
		t.Fatalf("diff %s %s: exit %d, %s%s", a, b, code, out, errs)
	}
	return code == 0
}

func newKiller(t *testing.T) *killer {
	if testing.Short() || runtime.GOOS == "windows" {
		t.Skip("starts many processes")
	}
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return &killer{rng: rand.New(rand.NewPCG(seed, 1))}
}

// TestKilledOutputs kills the command while it writes each format, to a new name and over an old file: what is there then is nothing, or the old
// one, or all of it, and the next run is not disturbed.
func TestKilledOutputs(t *testing.T) {
	k := newKiller(t)
	src := t.TempDir()
	grid, list := filepath.Join(src, "grid.zarr"), filepath.Join(src, "list.npy")
	writeSteps(t, grid, 0, 300, 0)
	ok(t, "eval", "arange(300000.0) * 0.37", "-o", list)
	older, olderList := filepath.Join(src, "older.zarr"), filepath.Join(src, "older.npy")
	writeSteps(t, older, 0, 20, 5)
	ok(t, "eval", "arange(10.0)", "-o", olderList)
	killed, absent, old, complete := 0, 0, 0, 0
	for _, c := range []struct {
		name string
		args []string
		list bool
	}{
		{"v2.zarr", []string{"--zarr-version", "2"}, false}, {"v3.zarr", nil, false}, {"s.zarr", []string{"--shards", "time=70,y=-1,x=-1"}, false}, {"o.zarr.zip", nil, false},
		{"o.ome.zarr", []string{"--var", "v", "--lossy"}, false}, {"o.nc", nil, false}, {"old.nc", []string{"--format", "netcdf3-64bit-data"}, false}, {"o.tif", []string{"--lossy"}, false},
		{"o.npy", nil, true}, {"o.npz", nil, false}, {"o.arrow", nil, true}, {"o.parquet", nil, true}, {"o.csv", nil, true}, {"index.json", nil, false},
	} {
		in, before := grid, older
		if c.list {
			in, before = list, olderList
		}
		verb := "convert"
		if strings.HasPrefix(c.name, "index") {
			verb, in, before = "index", filepath.Join(src, "v3.nc"), filepath.Join(src, "older.nc")
			ok(t, "convert", grid, in)
			ok(t, "convert", older, before)
		}
		want, first := filepath.Join(src, "want", c.name), filepath.Join(src, "first", c.name)
		if err := errors.Join(os.MkdirAll(filepath.Dir(want), 0o777), os.MkdirAll(filepath.Dir(first), 0o777)); err != nil {
			t.Fatal(err)
		}
		k.took = 0
		k.run(t, false, false, want, append([]string{verb, in, want}, c.args...)...)
		ok(t, append([]string{verb, before, first}, c.args...)...)
		for i := range 5 {
			dir := t.TempDir()
			out := filepath.Join(dir, c.name)
			args := append([]string{verb, in, out}, c.args...)
			over := i%2 == 1
			if over {
				ok(t, append([]string{verb, before, out}, c.args...)...)
				args = append(args, "--overwrite")
			}
			if !k.run(t, true, i < 2, out, args...) {
				complete++
				continue
			}
			killed++
			switch there := store.Exists(out); {
			case !there && over:
				t.Errorf("%s: what was there is gone", c.name)
			case !there:
				absent++
			case over && equalOutputs(t, first, out):
				old++
			case !equalOutputs(t, want, out):
				t.Errorf("%s: part of an output is seen", c.name)
			default:
				complete++
			}
			ok(t, append(args, "--overwrite")...)
			if !equalOutputs(t, want, out) {
				t.Errorf("%s: the next run made something else", c.name)
			}
			if l, err := os.ReadDir(dir); err != nil || len(l) != 1 {
				t.Errorf("%s: the next run leaves %v (%v)", c.name, l, err)
			}
		}
	}
	t.Logf("%d kills; then nothing was there %d times, the old one %d times, a complete one %d times", killed, absent, old, complete)
	if killed == 0 {
		t.Error("every command was done before it was killed")
	}
}

// TestKilledUpdates kills appends and region writes: readers see the old extent or the new one, old values and new ones only where they belong, and the next run completes it.
func TestKilledUpdates(t *testing.T) {
	k := newKiller(t)
	src := t.TempDir()
	begin, rest, whole, other := filepath.Join(src, "begin.zarr"), filepath.Join(src, "rest.zarr"), filepath.Join(src, "whole.zarr"), filepath.Join(src, "other.zarr")
	writeSteps(t, begin, 0, 145, 0)
	writeSteps(t, rest, 145, 155, 0)
	writeSteps(t, whole, 0, 300, 0)
	writeSteps(t, other, 45, 90, 0.5)
	killed, old, complete, between := 0, 0, 0, 0
	for _, flags := range [][]string{{"--zarr-version", "2"}, nil, {"--shards", "time=28,y=-1,x=-1"}} {
		base, wantRegion := filepath.Join(t.TempDir(), "base.zarr"), filepath.Join(t.TempDir(), "region.zarr")
		ok(t, append([]string{"convert", begin, base}, flags...)...)
		ok(t, append([]string{"convert", begin, wantRegion}, flags...)...)
		region := func(out string) []string { return []string{"convert", other, out, "--region", "time=@45:135"} }
		grow := func(out string) []string { return []string{"convert", rest, out, "--append", "time"} }
		ok(t, region(wantRegion)...)
		for i := range 12 {
			out := filepath.Join(t.TempDir(), "out.zarr")
			if err := os.CopyFS(out, os.DirFS(base)); err != nil {
				t.Fatal(err)
			}
			args, want := grow(out), whole
			if i%2 == 1 {
				args, want = region(out), wantRegion
			}
			if i < 2 {
				k.took = 0
				k.run(t, false, false, out, args...)
				continue
			}
			if !k.run(t, true, i < 4, out, args...) {
				continue
			}
			killed++
			switch {
			case equalOutputs(t, base, out):
				old++
			case equalOutputs(t, want, out):
				complete++
			case i%2 == 1:
				mixed(t, out, begin, wantRegion)
				between++
			default:
				t.Errorf("an append that was killed shows a part of itself")
			}
			if code, _, errs := arrayrun(t, args...); code != 0 && !strings.Contains(errs, "is there already") {
				t.Errorf("the next run: exit %d, %s", code, errs)
			}
			if !equalOutputs(t, want, out) {
				t.Errorf("the next run made something else")
			}
			leftOver(t, out)
		}
	}
	t.Logf("%d kills; then the old values were there %d times, all new ones %d times, some of a region %d times", killed, old, complete, between)
	if killed == 0 {
		t.Error("every command was done before it was killed")
	}
}

// mixed checks that every value is that of one of two outputs of the same shape.
func mixed(t *testing.T, out, a, b string) {
	t.Helper()
	var c [3]*chunk.Chunk
	for i, path := range []string{out, a, b} {
		g, err := all.Open(context.Background(), path)
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range g.Vars {
			if v.Name == "v" {
				if c[i], err = formattest.ReadAll(context.Background(), v.Source); err != nil {
					t.Fatalf("%s: %v", path, err)
				}
			}
		}
	}
	if !c[0].Shape.Equal(c[1].Shape) {
		t.Fatalf("%s has the shape %v", out, c[0].Shape)
	}
	x, y, z := chunk.Slice[float32](c[0]), chunk.Slice[float32](c[1]), chunk.Slice[float32](c[2])
	for i := range x {
		if x[i] != y[i] && x[i] != z[i] {
			t.Fatalf("element %d is %v, want %v or %v", i, x[i], y[i], z[i])
		}
	}
}

// leftOver fails where files lie in a hierarchy that are no part of it. One may where files are replaced: no system puts a file without
// a name in another's place in one step, so it has a name of its own for a moment, in the root. Nobody reads it, and a later update takes it away.
func leftOver(t *testing.T, dir string) {
	t.Helper()
	none := true
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(d.Name(), ".") && !strings.HasPrefix(d.Name(), ".z") {
			if none && strings.HasPrefix(d.Name(), ".put-") && filepath.Dir(path) == dir {
				none = false
				t.Logf("%s is left", path)
				return nil
			}
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/storetest"
)

func TestStores(t *testing.T) {
	t.Run("memory", func(t *testing.T) { storetest.Store(t, &store.Memory{}) })
	t.Run("below", func(t *testing.T) { storetest.Store(t, store.Below(&store.Memory{}, "x/y")) })
	for name, dir := range map[string]func(string) *store.Dir{"dir": store.NewDir, "named": store.NewNamedDir} {
		t.Run(name, func(t *testing.T) {
			root := filepath.Join(t.TempDir(), "not/yet/there")
			storetest.Store(t, dir(root))
			filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
				if len(d.Name()) > 4 && d.Name()[:5] == ".put-" {
					t.Errorf("a temporary file was left: %s", p)
				}
				return err
			})
		})
	}
}

func TestZipWriter(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.zip")
	z, err := store.CreateZip(path)
	if err != nil {
		t.Fatal(err)
	}
	storetest.WriteOnce(t, z)
	if store.Exists(path) {
		t.Error("the archive is there before it is complete")
	}
	if err := z.Commit(false); err != nil {
		t.Fatal(err)
	}
	if err := z.Put(context.Background(), "late", nil, store.PutOpt{}); !errors.Is(err, store.ErrReadOnly) {
		t.Errorf("Put after Commit = %v, want ErrReadOnly", err)
	}
	r, err := store.OpenZip(path)
	if err != nil {
		t.Fatal(err)
	}
	if v, err := r.Get(context.Background(), "a/b/c", store.All, -1, nil); err != nil || string(v) != "0123456789" {
		t.Errorf("Get from the archive = %q, %v", v, err)
	}
	r.Close()
	before, _ := os.ReadFile(path)
	for _, overwrite := range []bool{false, true} { // a second archive: refused, then exchanged; given up, it leaves nothing
		z, err := store.CreateZip(path)
		if err == nil {
			err = z.Put(context.Background(), "new", []byte("x"), store.PutOpt{})
		}
		if err != nil {
			t.Fatal(err)
		}
		if err := z.Commit(overwrite); overwrite != (err == nil) || !overwrite && !errors.Is(err, fs.ErrExist) {
			t.Errorf("Commit(%v) over an archive = %v", overwrite, err)
		}
		now, _ := os.ReadFile(path)
		if bytes.Equal(before, now) == overwrite {
			t.Errorf("Commit(%v): the archive is the old one: %v", overwrite, !overwrite)
		}
	}
	if z, err = store.CreateZip(path); err != nil || z.Abort() != nil {
		t.Error(err)
	}
	if l, _ := os.ReadDir(filepath.Dir(path)); len(l) != 1 {
		t.Errorf("%v are left, want the archive alone", l)
	}
}

func TestReplace(t *testing.T) {
	write := func(p, s string) {
		os.MkdirAll(filepath.Dir(p), 0o777)
		os.WriteFile(p, []byte(s), 0o666)
	}
	read := func(p string) string { b, _ := os.ReadFile(p); return string(b) }
	for _, c := range []struct{ name, from, to string }{
		{"file over file", "", ""}, {"directory over directory", "/x", "/x"}, {"directory over file", "/x", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "out")
			part := store.Partial(path)
			if got := filepath.Base(part); got != ".out.arrayrun-partial" {
				t.Errorf("Partial = %s", got)
			}
			write(path+c.to, "old")
			write(part+c.from, "new")
			if err := store.Replace(part, path, false); !errors.Is(err, fs.ErrExist) || read(path+c.to) != "old" {
				t.Errorf("Replace without overwrite = %v, want fs.ErrExist and the old contents", err)
			}
			if err := store.Replace(part, path, true); err != nil || read(path+c.from) != "new" {
				t.Errorf("Replace = %v, contents %q, want new", err, read(path+c.from))
			}
			l, _ := os.ReadDir(filepath.Dir(path))
			if len(l) != 1 {
				t.Errorf("%v are left, want only the output", l)
			}
		})
	}
}

func TestReplaceKeepsFolders(t *testing.T) {
	path := filepath.Join(t.TempDir(), "out")
	os.Mkdir(path, 0o777)
	os.WriteFile(filepath.Join(path, "precious"), nil, 0o666)
	os.WriteFile(store.Partial(path), nil, 0o666)
	if err := store.Replace(store.Partial(path), path, true); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Replace of a folder by a file = %v, want fs.ErrExist", err)
	}
	if _, err := os.Stat(filepath.Join(path, "precious")); err != nil {
		t.Error("the folder's file is gone")
	}
}

// A directory that has been read from often is held open: one that takes its place is seen none the less.
func TestDirReplaced(t *testing.T) {
	ctx, root := context.Background(), filepath.Join(t.TempDir(), "x")
	write := func(s string) {
		os.MkdirAll(filepath.Join(root, "c"), 0o777)
		os.WriteFile(filepath.Join(root, "c/0"), []byte(s), 0o666)
	}
	write("old")
	d := store.NewDir(root)
	for range 100 {
		if b, err := d.Get(ctx, "c/0", store.All, -1, nil); err != nil || string(b) != "old" {
			t.Fatalf("Get = %q, %v", b, err)
		}
	}
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	if b, err := d.Get(ctx, "c/0", store.All, -1, nil); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of what was removed = %q, %v, want fs.ErrNotExist", b, err)
	}
	write("new")
	if b, err := d.Get(ctx, "c/0", store.All, -1, nil); err != nil || string(b) != "new" {
		t.Errorf("Get = %q, %v, want what is there now", b, err)
	}
}

// Whole values are read without asking for their size where the buffer has room.
func TestDirBuffers(t *testing.T) {
	ctx, d := context.Background(), store.NewDir(t.TempDir())
	for _, n := range []int{0, 1, 10, 4096} {
		want := bytes.Repeat([]byte{7}, n)
		if err := d.Put(ctx, "v", want, store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		for _, room := range []int{0, n - 1, n, n + 1, 2 * n} {
			for _, limit := range []int64{-1, 0, int64(n) - 1, int64(n), int64(n) + 1} {
				b, err := d.Get(ctx, "v", store.All, limit, make([]byte, 0, max(room, 0)))
				if limit >= 0 && int64(n) > limit {
					if !errors.Is(err, store.ErrRange) {
						t.Errorf("%d bytes, limit %d: %v, want ErrRange", n, limit, err)
					}
				} else if err != nil || !bytes.Equal(b, want) {
					t.Errorf("%d bytes into %d, limit %d: got %d bytes, %v", n, room, limit, len(b), err)
				}
			}
		}
	}
	if _, err := store.NewDir(filepath.Dir(d.Name())).Get(ctx, filepath.Base(d.Name()), store.All, -1, make([]byte, 10)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("Get of a directory = %v, want fs.ErrNotExist", err)
	}
}

func BenchmarkDirGet(b *testing.B) {
	ctx := context.Background()
	d := store.NewDir(b.TempDir())
	for i := range 100 {
		if err := d.Put(ctx, fmt.Sprintf("c/%d", i), make([]byte, 4096), store.PutOpt{Direct: true}); err != nil {
			b.Fatal(err)
		}
	}
	buf, i := make([]byte, 4096), 0
	keys := make([]string, 100)
	for i := range keys {
		keys[i] = fmt.Sprintf("c/%d", i)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := d.Get(ctx, keys[i%100], store.All, -1, buf); err != nil {
			b.Fatal(err)
		}
		i++
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
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
	t.Run("dir", func(t *testing.T) {
		root := filepath.Join(t.TempDir(), "not/yet/there")
		storetest.Store(t, store.NewDir(root))
		filepath.WalkDir(root, func(p string, d fs.DirEntry, err error) error {
			if len(d.Name()) > 4 && d.Name()[:5] == ".put-" {
				t.Errorf("a temporary file was left: %s", p)
			}
			return err
		})
	})
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

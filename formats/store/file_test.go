// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestFileGivesDescriptorsBack reads many files from many goroutines through few descriptors.
func TestFileGivesDescriptorsBack(t *testing.T) {
	dir := t.TempDir()
	d := newDescriptors(4)
	files := make([]*File, 20)
	for i := range files {
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, fmt.Appendf(nil, "file %02d", i), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := d.file(path)
		if err != nil {
			t.Fatal(err)
		}
		files[i] = f
	}
	if d.open > d.most {
		t.Errorf("%d descriptors are open, want at most %d", d.open, d.most)
	}
	var wg sync.WaitGroup
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(1, uint64(g)))
			b := make([]byte, 2)
			for range 500 {
				i := r.IntN(len(files))
				if _, err := files[i].ReadAt(b, 5); err != nil || string(b) != fmt.Sprintf("%02d", i) {
					t.Errorf("file %d reads %q, %v", i, b, err)
				}
			}
		})
	}
	wg.Wait()
	if d.open > d.most {
		t.Errorf("%d descriptors are open, want at most %d", d.open, d.most)
	}
	if files[3].Size() != 7 {
		t.Errorf("size %d, want 7", files[3].Size())
	}
	for _, f := range files {
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
	if d.open != 0 || d.idle.next != &d.idle {
		t.Errorf("%d descriptors are open after Close", d.open)
	}
	if _, err := files[0].ReadAt(make([]byte, 1), 0); !errors.Is(err, os.ErrClosed) {
		t.Errorf("read after Close: %v", err)
	}
	if err := files[0].Close(); !errors.Is(err, os.ErrClosed) {
		t.Errorf("second Close: %v", err)
	}
}

// TestFileThatChanges is not read once its descriptor had to be given back.
func TestFileThatChanges(t *testing.T) {
	dir := t.TempDir()
	d := newDescriptors(1)
	path := filepath.Join(dir, "a")
	for _, change := range []func() error{
		func() error { return os.WriteFile(path, []byte("longer than before"), 0o666) },
		func() error {
			return errors.Join(os.WriteFile(path+"2", []byte("other"), 0o666), os.Rename(path+"2", path))
		},
		func() error { return os.Remove(path) },
	} {
		if err := os.WriteFile(path, []byte("first"), 0o666); err != nil {
			t.Fatal(err)
		}
		f, err := d.file(path)
		if err != nil {
			t.Fatal(err)
		}
		other, err := d.file(dir) // takes the only descriptor
		if err != nil {
			t.Fatal(err)
		}
		if err := change(); err != nil {
			t.Fatal(err)
		}
		_, err = f.ReadAt(make([]byte, 5), 0)
		if err == nil || !strings.Contains(err.Error(), "changed") && !os.IsNotExist(err) {
			t.Errorf("read of a changed file: %v", err)
		}
		if err := errors.Join(f.Close(), other.Close()); err != nil {
			t.Error(err)
		}
	}
	if d.open != 0 {
		t.Errorf("%d descriptors are open", d.open)
	}
}

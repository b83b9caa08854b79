// SPDX-License-Identifier: BSD-3-Clause

package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

// TestTempsSwept: the first value that is put into a directory takes away what processes that were killed have left in it, and nothing else.
func TestTempsSwept(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("asks for processes")
	}
	gone := exec.Command("true")
	if err := gone.Run(); err != nil {
		t.Skip(err)
	}
	root := t.TempDir()
	host := store.ThisHost()
	hour, days := time.Now().Add(-time.Hour), time.Now().Add(-48*time.Hour)
	for _, x := range []struct {
		name string
		age  time.Time
		left bool
	}{
		{fmt.Sprintf(".put-%08x-%d-1", host, gone.Process.Pid), hour, false},
		{fmt.Sprintf(".put-%08x-%d-2", host, gone.Process.Pid), time.Now(), true}, // of a container, perhaps
		{fmt.Sprintf(".put-%08x-%d-3", host, os.Getppid()), days, true},           // it runs
		{fmt.Sprintf(".put-%08x-%d-4", host+1, gone.Process.Pid), hour, true},     // of another machine
		{fmt.Sprintf(".put-%08x-%d-5", host+1, os.Getppid()), days, false},
		{".put-17-6", days, false}, // of a version that named no machine
		{".putty", days, true},
		{"put-17-7", days, true},
	} {
		p := filepath.Join(root, x.name)
		if err := os.WriteFile(p, nil, 0o666); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(p, x.age, x.age); err != nil {
			t.Fatal(err)
		}
		if err := store.NewDir(root).Put(context.Background(), "c/0/0", []byte("x"), store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		if store.Exists(p) != x.left {
			t.Errorf("%s: there afterwards is %v, want %v", x.name, !x.left, x.left)
		}
		os.Remove(p)
	}
}

// TestTempsElsewhere: values are replaced in a part of a store that is on another file system.
func TestTempsElsewhere(t *testing.T) {
	other, err := os.MkdirTemp("/dev/shm", "arrayrun")
	if err != nil {
		t.Skip(err)
	}
	defer os.RemoveAll(other)
	root := t.TempDir()
	if err := os.Symlink(other, filepath.Join(root, "c")); err != nil {
		t.Skip(err)
	}
	ctx := context.Background()
	for _, d := range []*store.Dir{store.NewDir(root), store.NewNamedDir(root)} {
		for _, text := range []string{"one", "two"} {
			if err := d.Put(ctx, "c/0", []byte(text), store.PutOpt{}); err != nil {
				t.Fatal(err)
			}
			if b, err := d.Get(ctx, "c/0", store.All, -1, nil); string(b) != text {
				t.Errorf("got %q, %v, want %q", b, err, text)
			}
		}
	}
	for _, dir := range []string{root, other} {
		if left, _ := filepath.Glob(filepath.Join(dir, ".put-*")); left != nil {
			t.Errorf("left: %v", left)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package store_test

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/arrayrun/arrayrun/formats/store"
)

// TestPipesAreNoFiles: a named pipe where a key would be is an error at once, however many reads there were before; nobody waits for a writer.
func TestPipesAreNoFiles(t *testing.T) {
	dir := t.TempDir()
	if err := syscall.Mkfifo(filepath.Join(dir, "0"), 0o600); err != nil {
		t.Skipf("no named pipes here: %v", err)
	}
	d := store.NewDir(dir)
	for range 40 { // more than a directory is read from by its path
		for _, buf := range [][]byte{nil, make([]byte, 100)} {
			if b, err := d.Get(context.Background(), "0", store.All, -1, buf); err == nil || !strings.Contains(err.Error(), "want a file") {
				t.Fatalf("got %d bytes and %v, want an error that says it is no file", len(b), err)
			}
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package all_test

import (
	"context"
	"errors"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
)

// TestNamedPipe: a pipe that nobody writes to is an error at once.
func TestNamedPipe(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe.nc")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := all.Open(context.Background(), path)
		done <- err
	}()
	select {
	case err := <-done:
		if !errors.Is(err, formats.ErrFormat) {
			t.Errorf("got %v, want an error wrapping ErrFormat", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("Open of a named pipe waits for somebody to write to it")
	}
}

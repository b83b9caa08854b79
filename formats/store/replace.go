// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
)

// Partial returns the name under which the output at path is written until it is
// complete: .NAME.arrayrun-partial beside it. It is the same for every run, so that the
// remains of an interrupted one are found and swept by the next.
func Partial(path string) string {
	path = filepath.Clean(path)
	p := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".arrayrun-partial")
	partials.Store(p, true)
	return p
}

// partials holds every partial name this process has given out.
var partials sync.Map

// Sweep removes the partial outputs of this process. It is for a program that
// must leave before its writers have stopped; outputs that are complete have other names and stay.
func Sweep() {
	partials.Range(func(p, _ any) bool {
		os.RemoveAll(p.(string)) // the process leaves: there is nobody to tell
		return true
	})
}

// Exists reports whether something, even a broken link, is at path.
func Exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// Replace moves the file or directory partial to path. What is at path is exchanged with it
// in one step where the system can, else moved away first, and then removed; when overwrite is false, or a
// file would replace a directory, it is left alone and the error wraps fs.ErrExist.
func Replace(partial, path string, overwrite bool) error {
	path = filepath.Clean(path)
	if !Exists(path) {
		return os.Rename(partial, path)
	}
	if !overwrite {
		return fmt.Errorf("store: move %s to %s: %w", partial, path, fs.ErrExist)
	}
	if st, err := os.Stat(partial); err == nil && !st.IsDir() {
		if old, err := os.Lstat(path); err != nil || old.IsDir() {
			return errors.Join(err, fmt.Errorf("store: move %s to %s: it is a folder: %w", partial, path, fs.ErrExist))
		}
		return os.Rename(partial, path) // a file replaces a file in one step
	}
	if err := exchange(partial, path); err == nil {
		return os.RemoveAll(partial)
	}
	old := filepath.Join(filepath.Dir(path), "."+filepath.Base(path)+".arrayrun-old")
	if err := errors.Join(os.RemoveAll(old), os.Rename(path, old)); err != nil {
		return err
	}
	if err := os.Rename(partial, path); err != nil {
		return errors.Join(err, os.Rename(old, path))
	}
	return os.RemoveAll(old)
}

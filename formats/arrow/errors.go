// SPDX-License-Identifier: BSD-3-Clause

package arrow

import (
	"errors"
	"fmt"
	"io"

	"github.com/arrayrun/arrayrun/formats"
)

func corrupt(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, formats.ErrCorrupt)...)
}

func refused(format string, args ...any) error {
	return fmt.Errorf(format+": %w", append(args, formats.ErrFormat)...)
}

// guard runs f and makes an error wrapping formats.ErrCorrupt of a panic: the library's answer to bytes that contradict themselves.
func guard(what string, f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = corrupt("%s: %v", what, r)
		}
	}()
	return f()
}

// readAt fills b from off on. The end of the file inside b is damage.
func readAt(r io.ReaderAt, b []byte, off int64) error {
	n, err := r.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		return corrupt("%d of %d bytes at %d are there", n, len(b), off)
	}
	return err
}

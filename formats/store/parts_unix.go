// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
)

var _ PartReader = (*Dir)(nil)

// Parts implements PartReader.
func (d *Dir) Parts(ctx context.Context, key string, read func(io.ReaderAt) error) error {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return err
	}
	n, err := d.open(key)
	if err == nil {
		err = read(fd(n))
		_ = syscall.Close(n) // opened for reading: nothing is lost
		if !errors.Is(err, syscall.EISDIR) {
			return err
		}
		err = syscall.ENOENT
	}
	return fmt.Errorf("store: get %s: %w", d.path(key), err)
}

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

// GetParts implements PartReader.
func (d *Dir) GetParts(ctx context.Context, key string, limit int64, buf []byte, put func(at int64, b []byte)) (int64, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return 0, err
	}
	n, err := d.open(key)
	if err != nil {
		return 0, fmt.Errorf("store: get %s: %w", d.path(key), err)
	}
	at, err := fd(n).parts(limit, buf, put)
	_ = syscall.Close(n) // opened for reading: nothing is lost
	if err != nil {
		err = fmt.Errorf("store: get %s: %w", d.path(key), err)
	}
	return at, err
}

// parts reads to the end, or to limit and looks whether more follows.
func (f fd) parts(limit int64, buf []byte, put func(at int64, b []byte)) (int64, error) {
	at := int64(0)
	for at < limit {
		n, err := f.ReadAt(buf[:min(int64(len(buf)), limit-at)], at)
		put(at, buf[:n])
		at += int64(n)
		switch {
		case err == io.ErrUnexpectedEOF:
			return at, nil
		case err == syscall.EISDIR:
			return at, syscall.ENOENT
		case err != nil:
			return at, err
		}
	}
	var more [1]byte
	if _, err := f.ReadAt(more[:], at); err != io.ErrUnexpectedEOF {
		if err == nil {
			err = tooLong(limit+1, limit)
		}
		return at, err
	}
	return at, nil
}

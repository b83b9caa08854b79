// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package store

import (
	"io/fs"
	"os"
)

func (d *Dir) read(key string, r Range, limit int64, buf []byte) ([]byte, error) {
	f, err := os.Open(d.path(key))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if st.IsDir() {
		return nil, fs.ErrNotExist
	}
	return readOpen(f, st.Size(), r, limit, buf)
}

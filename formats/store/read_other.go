// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package store

import (
	"io/fs"
	"os"
)

func readFile(path string, r Range, limit int64, buf []byte) ([]byte, error) {
	f, err := os.Open(path)
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

// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// putNameless writes b to a file without a name and links it to p: a process that dies meanwhile leaves nothing. A file that is at p gives way,
// by way of the first of the names temps that can be had, unless fresh is set. It reports false where the file system has no such files.
func putNameless(p string, temps []string, b []byte, fresh bool) (bool, error) {
	fd, err := -1, error(unix.EINTR)
	for errors.Is(err, unix.EINTR) {
		fd, err = unix.Open(filepath.Dir(p), unix.O_TMPFILE|unix.O_WRONLY|unix.O_CLOEXEC, 0o666)
	}
	switch {
	case errors.Is(err, unix.ENOENT):
		return true, &fs.PathError{Op: "open", Path: p, Err: err} // the directory is to be made
	case err != nil:
		return false, nil
	}
	f := os.NewFile(uintptr(fd), p)
	defer f.Close()
	if _, err := f.Write(b); err != nil {
		return true, err
	}
	if err := f.Sync(); err != nil {
		return true, err
	}
	link := func(to string) error {
		return unix.Linkat(unix.AT_FDCWD, "/proc/self/fd/"+strconv.Itoa(fd), unix.AT_FDCWD, to, unix.AT_SYMLINK_FOLLOW)
	}
	err = link(p)
	if errors.Is(err, unix.EEXIST) && !fresh {
		for _, tmp := range temps {
			if err = link(tmp); err == nil {
				if err = os.Rename(tmp, p); err != nil {
					return true, errors.Join(err, os.Remove(tmp))
				}
			}
			if !errors.Is(err, unix.EXDEV) {
				break
			}
		}
	}
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.EEXIST):
		return true, &os.PathError{Op: "link", Path: p, Err: err}
	}
	return false, nil // no /proc, or no links
}

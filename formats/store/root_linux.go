// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
)

// root may hold the directory of a Dir open: a path from there on has fewer names to look up. It saves
// a fifth of opening a small file and closes itself when nobody has the Dir any more.
type root struct {
	dir  atomic.Pointer[os.File]
	gets atomic.Int32
}

const (
	rootAfter = 32 // reads before a directory is held: many that are opened are hardly read
	mostRoots = 64 // directories that a process holds
)

var heldRoots atomic.Int32

// hold opens the directory when it has been read from often enough.
func (r *root) hold(path string) {
	if r.dir.Load() != nil || r.gets.Add(1) != rootAfter {
		return
	}
	if heldRoots.Add(1) > mostRoots {
		heldRoots.Add(-1)
		return
	}
	f, err := os.Open(path)
	if err != nil {
		heldRoots.Add(-1)
		return
	}
	runtime.AddCleanup(f, func(n int32) { heldRoots.Add(-n) }, 1)
	r.dir.Store(f)
}

// open opens the file at key for reading; without the directory it is not there.
func (r *root) open(key string) (int, error) {
	f := r.dir.Load()
	if f == nil {
		return -1, syscall.ENOENT
	}
	defer runtime.KeepAlive(f)
	for {
		n, err := syscall.Openat(int(f.Fd()), key, syscall.O_RDONLY|syscall.O_CLOEXEC|nonblock, 0)
		if err != syscall.EINTR {
			return n, err
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// tempPrefix begins the names that values have while they take the place of others.
const tempPrefix = ".put-"

// deadAge is how old a value of a process is that no longer runs here: it may run in a container that has the machine's name and numbers of its own.
// foreignAge is the same for processes nobody can ask for.
const (
	deadAge    = time.Minute
	foreignAge = 24 * time.Hour
)

// thisHost tells machines apart that write to one directory.
var thisHost = sync.OnceValue(func() uint32 {
	name, _ := os.Hostname() // "" is a name too
	h := fnv.New32a()
	io.WriteString(h, name)
	return h.Sum32()
})

// temps returns the names a value for p may have for a moment: one in the store's own directory, where the next process finds what one that was
// killed has left, and one beside p for where that is another file system.
func (d *Dir) temps(p string) []string {
	name := fmt.Sprintf("%s%08x-%d-%d", tempPrefix, thisHost(), os.Getpid(), d.temp.Add(1))
	out := []string{filepath.Join(d.root, name)}
	if dir := filepath.Dir(p); dir != d.root {
		out = append(out, filepath.Join(dir, name))
	}
	return out
}

// putNamed writes b to a file with a name of its own, which then takes the place of p, or becomes it where fresh is set.
func putNamed(p string, temps []string, b []byte, fresh bool) (err error) {
	for _, tmp := range temps {
		if err = writeFile(tmp, b, os.O_EXCL, true); err == nil {
			if fresh {
				err = os.Link(tmp, p) // a hard link fails where the name exists, a rename would replace it
			} else {
				err = os.Rename(tmp, p)
			}
		}
		if fresh || err != nil {
			os.Remove(tmp)
		}
		if !errors.Is(err, syscall.EXDEV) {
			return err
		}
	}
	return err
}

// sweepTemps removes from a directory what processes that no longer run have left there. What cannot be removed stays: nobody reads it.
func sweepTemps(dir string) {
	f, err := os.Open(dir)
	if err != nil {
		return
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(4096)
		for _, name := range names {
			if strings.HasPrefix(name, tempPrefix) && abandoned(dir, name) {
				os.Remove(filepath.Join(dir, name))
			}
		}
		if err != nil {
			return
		}
	}
}

// abandoned reports whether nobody is going to use a temporary value.
func abandoned(dir, name string) bool {
	st, err := os.Lstat(filepath.Join(dir, name))
	if err != nil || !st.Mode().IsRegular() {
		return false
	}
	age := time.Since(st.ModTime())
	var host uint32
	var pid, n int
	if _, err := fmt.Sscanf(name, tempPrefix+"%08x-%d-%d", &host, &pid, &n); err == nil && host == thisHost() && seesProcesses {
		return age > deadAge && !IsRunning(pid)
	}
	return age > foreignAge
}

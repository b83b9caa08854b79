// SPDX-License-Identifier: BSD-3-Clause

package hdf5

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"path/filepath"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
)

// ErrDangling: a link leads to a place of its own file where nothing is, so that nothing is lost without it. It is an fs.ErrNotExist.
var ErrDangling error = dangling{}

type dangling struct{}

func (dangling) Error() string        { return "the link leads nowhere" }
func (dangling) Is(target error) bool { return target == fs.ErrNotExist }

const (
	maxLinks      = 16 // links that lead to links
	maxNeighbours = 1 << 16
)

// Neighbours opens the other files that external links and virtual datasets name: those in the folder
// of the first file and below it, and no others. Each is opened once.
type Neighbours struct {
	open  func(name string) (io.ReaderAt, int64, error)
	mu    sync.Mutex
	files map[string]*File
}

// Beside lets f follow its references to other files. open opens a file by its path relative to f's folder, in
// which f's own name is name; an error wrapping fs.ErrNotExist says that there is none.
func (f *File) Beside(name string, open func(name string) (io.ReaderAt, int64, error)) {
	f.name = name
	f.others = &Neighbours{open: open, files: map[string]*File{name: f}}
}

// neighbour opens the file that f calls name. An absolute name means the file of that base name beside f: the files
// of a data set are copied together.
func (f *File) neighbour(name string) (*File, error) {
	if f.others == nil {
		return nil, fmt.Errorf("hdf5: a part lies in the file %q, which cannot be opened from here: %w", name, formats.ErrFormat)
	}
	rel := path.Join(path.Dir(f.name), filepath.ToSlash(name))
	if path.IsAbs(name) || filepath.IsAbs(name) {
		rel = path.Join(path.Dir(f.name), filepath.Base(name))
	}
	if !filepath.IsLocal(filepath.FromSlash(rel)) || strings.ContainsRune(rel, 0) {
		return nil, fmt.Errorf("hdf5: a part lies in the file %q, outside the folder of this one, and is not opened; copy it there: %w", name, formats.ErrFormat)
	}
	n := f.others
	n.mu.Lock()
	defer n.mu.Unlock()
	if g, ok := n.files[rel]; ok {
		if g == nil {
			return nil, fmt.Errorf("hdf5: a part lies in the file %q, which is not beside this one; copy it there: %w", name, fs.ErrNotExist)
		}
		return g, nil
	}
	if len(n.files) >= maxNeighbours {
		return nil, fmt.Errorf("hdf5: more than %d other files: %w", maxNeighbours, formats.ErrFormat)
	}
	r, size, err := n.open(rel)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			n.files[rel] = nil
			return nil, fmt.Errorf("hdf5: a part lies in the file %q, which is not beside this one; copy it there: %w", name, err)
		}
		return nil, fmt.Errorf("hdf5: a part lies in the file %q: %w", name, err)
	}
	g, err := New(r, size)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", rel, err)
	}
	g.name, g.others, g.linked = rel, n, true
	n.files[rel] = g
	return g, nil
}

// File returns the file o lies in, which is another one behind an external link.
func (o *Object) File() *File { return o.f }

// Follow returns the object behind a link of o: soft links are followed inside the file, external ones
// where Beside allows it. The error wraps ErrDangling for a soft link behind which there is nothing, but not where a part of
// its way lies in another file.
func (o *Object) Follow(l Link) (*Object, error) { return o.follow(l, 0) }

func (o *Object) follow(l Link, depth int) (*Object, error) {
	switch {
	case depth > maxLinks:
		return nil, fmt.Errorf("hdf5: links to %q in a circle: %w: %w", l.Target, ErrDangling, formats.ErrFormat)
	case l.File != "":
		f, err := o.f.neighbour(l.File)
		if err != nil {
			return nil, err
		}
		root, err := f.Root()
		if err != nil {
			return nil, err
		}
		to, err := root.lookup(l.Target, depth+1)
		if errors.Is(err, ErrDangling) {
			err = fmt.Errorf("hdf5: there is no %q in the file %q: %w: %w", l.Target, l.File, formats.ErrFormat, fs.ErrNotExist)
		}
		return to, err
	case l.Addr != Undef:
		return o.f.Object(l.Addr)
	case l.Target == "":
		return nil, fmt.Errorf("hdf5: link %q is neither hard nor soft nor external: %w", l.Name, formats.ErrFormat)
	case strings.HasPrefix(l.Target, "/"):
		root, err := o.f.Root()
		if err != nil {
			return nil, err
		}
		return root.lookup(l.Target, depth+1)
	}
	return o.lookup(l.Target, depth+1)
}

// lookup returns the object at a path below o.
func (o *Object) lookup(target string, depth int) (*Object, error) {
	at := o
	for part := range strings.SplitSeq(target, "/") {
		if part == "" || part == "." {
			continue
		}
		var next *Object
		for _, l := range at.Links {
			if l.Name != part {
				continue
			}
			var err error
			if next, err = at.follow(l, depth); err != nil {
				return nil, err
			}
			break
		}
		if next == nil {
			return nil, fmt.Errorf("hdf5: there is no %q: %w: %w", target, ErrDangling, formats.ErrFormat)
		}
		at = next
	}
	return at, nil
}

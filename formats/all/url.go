// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/npy"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// openURL opens a file behind a network, by its first bytes, or else a Zarr hierarchy at the URI.
func openURL(ctx context.Context, uri string) (*formats.Group, error) {
	r := &resolver{}
	st, key, err := r.at(uri)
	if err != nil {
		if errors.Is(err, fs.ErrInvalid) {
			err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
		}
		return nil, fmt.Errorf("formats: open: %w", err)
	}
	whole := st
	if key != "" {
		whole = store.Below(st, key)
	}
	fail := func(err error) (*formats.Group, error) {
		return nil, fmt.Errorf("formats: open %s: %w", whole.Name(), err)
	}
	g, fileErr := openRemoteFile(ctx, r, st, key, whole.Name())
	if g != nil {
		return reading.open(whole.Name(), g), nil
	}
	if fileErr != nil && !errors.Is(fileErr, fs.ErrNotExist) && !errors.Is(fileErr, fs.ErrPermission) && !errors.Is(fileErr, errNoFile) {
		return nil, fileErr
	}
	g, err = zarr.OpenStore(ctx, whole)
	if err != nil || g.Format == "zarr2" {
		if t, err := openRemoteTables(ctx, r, st, key, whole.Name()); err != nil {
			return nil, err
		} else if t != nil {
			return reading.open(whole.Name(), t), nil
		}
	}
	switch {
	case err == nil:
		return reading.open(whole.Name(), g), nil
	case errors.Is(err, formats.ErrFormat) && fileErr != nil:
		return fail(fileErr)
	}
	return fail(err)
}

// errNoFile: there is a value, and no format knows its first bytes.
var errNoFile = fmt.Errorf("no known format (%s): %w", names(false), formats.ErrFormat)

// openRemoteFile opens the value at key where a format of single files knows its first bytes.
func openRemoteFile(ctx context.Context, r *resolver, st store.Store, key, name string) (*formats.Group, error) {
	if key == "" {
		return nil, errNoFile
	}
	o, err := store.NewObject(ctx, st, key)
	if err != nil {
		return nil, err
	}
	head := make([]byte, min(o.Size(), 4096))
	if n, err := o.ReadAt(head, 0); err != nil && !(err == io.EOF && n == len(head)) {
		return nil, err
	}
	if kerchunk.Detect(head, key) {
		return openRemoteReferences(ctx, r, st, key, name)
	}
	if archive.Detect(head, key) && !npy.Archive.Detect(head, key) {
		return openArchiveAt(ctx, o, o.Size(), name, remoteOpener(r, st, key))
	}
	for i := range Formats {
		if f := &Formats[i]; len(head) > 0 && f.OpenAt != nil && f.Detect != nil && f.Detect(head, key) {
			return f.OpenAt(ctx, o, o.Size(), name)
		}
	}
	return nil, errNoFile
}

// movable refuses what cannot be written at uri because that lies behind a network, where only Zarr hierarchies can be: they alone
// are made of values that are put whole.
func movable(uri string, f *formats.Format) error {
	switch s := findScheme(uri); {
	case s == nil:
		return nil
	case strings.HasPrefix(s.name, "http"):
		return fmt.Errorf("formats: create: %s servers are only read: %w", s.name, formats.ErrFormat)
	case f.Name != zarr.Format.Name:
		return fmt.Errorf("formats: create: %s: behind a network only Zarr hierarchies can be written, with the ending .zarr; write a file here and copy it: %w", uri, formats.ErrFormat)
	}
	return nil
}

// createRemote starts a Zarr hierarchy behind a network.
func createRemote(ctx context.Context, uri string, spec formats.Spec) (formats.Writer, error) {
	fail := func(err error) (formats.Writer, error) { return nil, fmt.Errorf("formats: create: %w", err) }
	st, key, err := (&resolver{}).at(uri)
	if err != nil {
		if errors.Is(err, fs.ErrInvalid) {
			err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
		}
		return fail(err)
	}
	name := st.Name() + "/" + key
	switch {
	case key == "":
		return fail(fmt.Errorf("%s: want a key in it: %w", name, formats.ErrFormat))
	case reading.overlaps(name):
		return fail(fmt.Errorf("%s: it is being read, and replacing it would delete it first; write to another name: %w", name, formats.ErrExists))
	}
	return zarr.CreateStore(ctx, store.Below(st, key), spec)
}

// reading are the names of what is open behind a network.
var reading = openNames{count: map[string]int{}}

type openNames struct {
	mu    sync.Mutex
	count map[string]int
}

// open adds a group until it is closed.
func (n *openNames) open(name string, g *formats.Group) *formats.Group {
	n.mu.Lock()
	n.count[name]++
	n.mu.Unlock()
	var once sync.Once
	inner := g.Close
	g.Close = func() error {
		once.Do(func() {
			n.mu.Lock()
			defer n.mu.Unlock()
			if n.count[name]--; n.count[name] == 0 {
				delete(n.count, name)
			}
		})
		if inner == nil {
			return nil
		}
		return inner()
	}
	return g
}

// overlaps reports whether what is open has the name, or one lies inside the other.
func (n *openNames) overlaps(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	for other := range n.count {
		if other == name || strings.HasPrefix(other, name+"/") || strings.HasPrefix(name, other+"/") {
			return true
		}
	}
	return false
}

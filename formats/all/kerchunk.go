// SPDX-License-Identifier: BSD-3-Clause

package all

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

// kerchunk is the row of references to bytes of other files that make a Zarr hierarchy. It is here because what they refer to
// lies wherever this package can read.
var kerchunk = formats.Format{
	Name: "kerchunk",
	Detect: func(head []byte, path string) bool {
		return store.IsReference(head) || len(head) == 0 && isTables(path)
	},
	Open: openReferences,
}

// openReferences opens the references in a local file, which may refer to whatever its reader may read.
func openReferences(ctx context.Context, path string) (*formats.Group, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	st, err := f.Stat()
	if err == nil && st.IsDir() {
		return openTables(ctx, path)
	}
	if err == nil && st.Size() > store.MaxReference {
		err = fmt.Errorf("%d bytes of references, want at most %d: %w", st.Size(), store.MaxReference, formats.ErrFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("formats: open %s: %w", path, err)
	}
	doc := make([]byte, st.Size())
	if _, err := f.ReadAt(doc, 0); err != nil {
		return nil, fmt.Errorf("formats: open %s: %w", path, err)
	}
	ref, err := store.NewReference(doc, path, localOpener(filepath.Dir(path)))
	return hierarchy(ctx, ref, err, path)
}

// localOpener opens what references in a local file or folder, which is in dir, refer to.
func localOpener(dir string) store.Opener {
	r := &resolver{}
	return func(_ context.Context, uri string) (store.Store, string, error) {
		if p, ok := strings.CutPrefix(uri, "file://"); ok {
			return r.file(local(dir, p))
		}
		if strings.Contains(uri, "://") {
			return r.at(uri)
		}
		return r.file(local(dir, uri))
	}
}

// openRemoteReferences opens the references that are the value at key. They come from somebody else: they may refer to what lies
// behind a network, and to what lies beside them, but not to this machine's files.
func openRemoteReferences(ctx context.Context, r *resolver, st store.Store, key, name string) (*formats.Group, error) {
	doc, err := st.Get(ctx, key, store.All, store.MaxReference, nil)
	if err != nil {
		return nil, fmt.Errorf("formats: open %s: %w", name, err)
	}
	ref, err := store.NewReference(doc, name, remoteOpener(r, st, key))
	return hierarchy(ctx, ref, err, name)
}

// remoteOpener opens what references at key refer to.
func remoteOpener(r *resolver, st store.Store, key string) store.Opener {
	dir := ""
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		dir = key[:i+1]
	}
	return func(_ context.Context, uri string) (store.Store, string, error) {
		switch {
		case strings.HasPrefix(uri, "file://") || strings.HasPrefix(uri, "/"):
			return nil, "", fmt.Errorf("a file of this machine, which references from elsewhere may not read; copy them here if they should: %w", fs.ErrPermission)
		case strings.Contains(uri, "://"):
			return r.at(uri)
		}
		return st, dir + uri, nil
	}
}

// hierarchy opens the Zarr hierarchy that references make, unless err says that they are none.
func hierarchy(ctx context.Context, ref *store.Reference, err error, name string) (*formats.Group, error) {
	var g *formats.Group
	if err == nil {
		g, err = zarr.OpenStore(ctx, ref)
	}
	switch {
	case err == nil:
		g.Format, g.Of = "kerchunk", g.Format
		return g, nil
	case errors.Is(err, store.ErrDamaged):
		err = fmt.Errorf("%w: %w", err, formats.ErrCorrupt)
	case errors.Is(err, fs.ErrInvalid):
		err = fmt.Errorf("%w: %w", err, formats.ErrFormat)
	}
	return nil, fmt.Errorf("formats: open %s: %w", name, err)
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"io/fs"

	"github.com/arrayrun/arrayrun/formats/store"
)

// What ahead keeps: documents of usual size, of groups that people make by hand.
const (
	maxAhead      = 1 << 20 // bytes of a document
	maxAheadNames = 1 << 10 // nodes of a group
)

// ahead reads the documents of the nodes below a group at once where the store is far away and no consolidated metadata have them:
// one after the other, each would take as long as all of them. What cannot be read is left to whoever asks for it.
func (t *tree) ahead(ctx context.Context, path string, n *node, names []string) {
	if store.LatencyOf(t.st) != store.Remote {
		return
	}
	kinds := []string{"zarr.json"}
	if n.version == 2 {
		kinds = append(kinds, ".zarray", ".zgroup", ".zattrs")
	}
	var reqs []store.Req
	for _, name := range names[:min(len(names), maxAheadNames)] {
		p := join(path, name)
		if !t.has(p) {
			for _, k := range kinds {
				reqs = append(reqs, store.Req{Key: join(p, k), Range: store.All, Limit: maxAhead})
			}
		}
	}
	if t.read == nil {
		t.read = map[string][]byte{}
	}
	_ = store.GetMany(ctx, t.st, reqs, func(i int, b []byte, err error) error { // a context that has ended is the next reader's error
		switch {
		case err == nil:
			t.read[reqs[i].Key] = append([]byte{}, b...)
		case errors.Is(err, fs.ErrNotExist):
			t.read[reqs[i].Key] = nil
		}
		return nil
	})
}

// has reports whether consolidated metadata have the node at path.
func (t *tree) has(path string) bool {
	for _, c := range t.metas {
		if _, ok := c.nodes[path]; ok {
			return true
		}
	}
	return false
}

// get returns the bytes of a document, which ahead may have read; those are not kept any longer.
func (t *tree) get(ctx context.Context, key string) ([]byte, error) {
	if b, ok := t.read[key]; ok {
		delete(t.read, key)
		if b == nil {
			return nil, fs.ErrNotExist
		}
		return b, nil
	}
	return t.st.Get(ctx, key, store.All, maxDocument, nil)
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Commit implements formats.Writer: arrays that have grown get their new shapes, then the groups that repeat them in
// consolidated metadata.
func (w *updater) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done.Swap(true) {
		return fmt.Errorf("formats/zarr: commit %s: it is committed or aborted already", w.st.Name())
	}
	docs := map[string]object{}
	var order []string
	for _, s := range w.sinks {
		if s.shape.Equal(s.a.meta.Shape) {
			continue
		}
		keys, err := s.documents(ctx, docs)
		if err != nil {
			return fmt.Errorf("formats/zarr: commit %s: %w", w.st.Name(), err)
		}
		for _, k := range keys {
			if !slices.Contains(order, k) {
				order = append(order, k)
			}
		}
	}
	// the deepest first: a reader of the root's consolidated metadata sees all of it at once
	slices.SortStableFunc(order, func(a, b string) int { return strings.Count(b, "/") - strings.Count(a, "/") })
	if err := w.put(ctx, docs, order); err != nil {
		return fmt.Errorf("formats/zarr: commit %s: %w", w.st.Name(), err)
	}
	return nil
}

// intent is the key of a value that is there while several documents change: what they are and become, for the next update, which
// takes back what a process that died between two of them has done. A single document needs none, and regions inside of arrays change no document.
const intent = ".arrayrun-update"

// put replaces documents, the last one being what makes the update done.
func (w *updater) put(ctx context.Context, docs map[string]object, order []string) error {
	host, _ := os.Hostname() // "" is a name too: this process is then told by its number alone
	changes := make([]any, len(order))
	fresh := make([][]byte, len(order))
	for i, k := range order {
		old, err := w.st.Get(ctx, k, store.All, maxDocument, nil)
		if err != nil {
			return err
		}
		b, err := appendJSON(nil, docs[k], 0)
		if err != nil {
			return fmt.Errorf("%s: %w", k, err)
		}
		fresh[i] = append(b, '\n')
		changes[i] = object{{"key", k}, {"old", string(old)}, {"new", string(fresh[i])}}
	}
	if len(order) > 1 {
		b, err := appendJSON(nil, object{{"host", host}, {"process", int64(os.Getpid())}, {"changes", changes}}, 0)
		if err == nil {
			err = w.st.Put(ctx, intent, b, store.PutOpt{})
		}
		if err != nil {
			return err
		}
	}
	for i, k := range order {
		if err := w.st.Put(ctx, k, fresh[i], store.PutOpt{}); err != nil {
			if len(order) > 1 {
				err = errors.Join(err, takeBack(context.WithoutCancel(ctx), w.st))
			}
			return err
		}
	}
	if len(order) > 1 {
		return w.st.Delete(ctx, intent)
	}
	return nil
}

// isRunning reports whether a process of this machine has the number in an intent.
func isRunning(number any) bool {
	pid, ok := number.(int64)
	return ok && pid == int64(int(pid)) && store.IsRunning(int(pid))
}

// settle ends what a process that died while it changed documents has left: all of it is taken back unless the last one is there.
func settle(ctx context.Context, st store.Store) error {
	o, err := (&tree{st: st}).document(ctx, intent)
	if o == nil {
		return err
	}
	host, _ := os.Hostname()
	if h, _ := o.get("host"); h == host {
		if p, _ := o.get("process"); p != int64(os.Getpid()) && isRunning(p) {
			return fmt.Errorf("process %v is changing it at this moment; wait until it is done", p)
		}
	}
	return takeBack(ctx, st)
}

// takeBack makes documents what they were before the update that an intent tells of, unless all of them are changed. What somebody else has written since
// stays.
func takeBack(ctx context.Context, st store.Store) error {
	o, err := (&tree{st: st}).document(ctx, intent)
	if o == nil {
		return err
	}
	bad := fmt.Errorf("%s: it is not what an update leaves: %w", intent, formats.ErrCorrupt)
	v, _ := o.get("changes")
	list, _ := v.([]any)
	type change struct{ key, old, now, fresh string }
	changes := make([]change, len(list))
	for i, x := range list {
		d, _ := x.(object)
		c := &changes[i]
		for _, f := range []struct {
			name string
			to   *string
		}{{"key", &c.key}, {"old", &c.old}, {"new", &c.fresh}} {
			v, _ := d.get(f.name)
			text, ok := v.(string)
			if !ok {
				return bad
			}
			*f.to = text
		}
		if base := c.key[strings.LastIndexByte(c.key, '/')+1:]; !slices.Contains(documents, base) {
			return bad
		}
		b, err := st.Get(ctx, c.key, store.All, maxDocument, nil)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		c.now = string(b)
	}
	if n := len(changes); n > 0 && changes[n-1].now != changes[n-1].fresh {
		for _, c := range slices.Backward(changes) {
			if c.now != c.fresh {
				continue
			}
			if err := st.Put(ctx, c.key, []byte(c.old), store.PutOpt{}); err != nil {
				return err
			}
		}
	}
	return st.Delete(ctx, intent)
}

// documents puts the documents that state the array's shape, changed, into docs and returns their keys.
func (s *partSink) documents(ctx context.Context, docs map[string]object) ([]string, error) {
	t := &tree{st: s.w.st}
	load := func(key string) (object, error) {
		if d, ok := docs[key]; ok {
			return d, nil
		}
		return t.document(ctx, key)
	}
	own, all := "zarr.json", "zarr.json"
	if _, v3 := s.doc.get("node_type"); !v3 {
		own, all = ".zarray", ".zmetadata"
	}
	key := join(s.a.path, own)
	doc, err := load(key)
	if err != nil {
		return nil, err
	}
	docs[key] = doc.with("shape", list(s.shape))
	keys := []string{key}
	for p := s.a.path; p != ""; {
		p = p[:max(strings.LastIndexByte(p, '/'), 0)]
		key := join(p, all)
		doc, err := load(key)
		if err != nil {
			return nil, err
		}
		rest := strings.TrimPrefix(strings.TrimPrefix(s.a.path, p), "/")
		changed, ok := consolidated3(doc, rest, s.shape)
		if all == ".zmetadata" {
			changed, ok = within(doc, []string{"metadata", join(rest, own)}, s.shape)
		}
		if ok {
			docs[key] = changed
			keys = append(keys, key)
		}
	}
	return keys, nil
}

// consolidated3 changes the shape of the array at path in the consolidated metadata of a group, and in those of
// groups inside of them.
func consolidated3(doc object, path string, shape chunk.Shape) (object, bool) {
	out, found := within(doc, []string{"consolidated_metadata", "metadata", path}, shape)
	c, _ := out.get("consolidated_metadata")
	all, _ := c.(object)
	m, _ := all.get("metadata")
	docs, _ := m.(object)
	for _, d := range docs {
		rest, ok := strings.CutPrefix(path, d.name+"/")
		in, isObject := d.value.(object)
		if !ok || !isObject {
			continue
		}
		if changed, ok := consolidated3(in, rest, shape); ok {
			docs, found = docs.with(d.name, changed), true
		}
	}
	if found {
		out = out.with("consolidated_metadata", all.with("metadata", docs))
	}
	return out, found
}

// within changes the shape in the document that the names lead to.
func within(doc object, names []string, shape chunk.Shape) (object, bool) {
	if len(names) == 0 {
		return doc.with("shape", list(shape)), doc != nil
	}
	v, _ := doc.get(names[0])
	in, ok := v.(object)
	if !ok {
		return doc, false
	}
	in, ok = within(in, names[1:], shape)
	return doc.with(names[0], in), ok
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// writer makes a hierarchy where it is not visible: a formats.Writer.
type writer struct {
	place
	st    store.Store
	docs  []member // the documents by key, the root's last
	sinks []*sink
	done  atomic.Bool
}

// sink writes the chunks of one array: a formats.Sink.
type sink struct {
	w     *writer
	path  string
	name  string
	grid  chunk.Grid
	full  chunk.Shape // of a whole chunk
	shard chunk.Shape // of a whole shard, nil: there are none; grid is then the shards'
	el    elem
	keys  keyEncoding
	chain *codec.Chain
	vlen  bool
	fill  []byte // what is not stored, when skip is set, and what pads the chunks at the edges
	skip  bool
}

// Create starts a hierarchy at path, a version 3 one unless spec.Format is "zarr2". Names of variables
// may hold slashes: the groups on the way are made. Errors wrap formats.ErrExists when path is there and must stay,
// formats.ErrFormat for what Zarr or this writer cannot hold.
func Create(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	path = filepath.Clean(path)
	p, err := folder(path, spec.Overwrite)
	if err != nil {
		return nil, fmt.Errorf("formats/zarr: create %s: %w", path, err)
	}
	return begin(ctx, p, spec)
}

// createArchive is Create for a ZIP archive.
func createArchive(ctx context.Context, path string, spec formats.Spec) (formats.Writer, error) {
	path = filepath.Clean(path)
	p, err := archive(path, spec.Overwrite)
	if err != nil {
		return nil, fmt.Errorf("formats/zarr: create %s: %w", path, err)
	}
	return begin(ctx, p, spec)
}

// CreateStore is Create for the root of any store. It is no hierarchy until Commit puts the metadata, the root's last. One that is there
// is deleted at once when spec.Overwrite is set: a store moves nothing.
func CreateStore(ctx context.Context, st store.Store, spec formats.Spec) (formats.Writer, error) {
	return begin(ctx, root(st, spec.Overwrite), spec)
}

func begin(ctx context.Context, p place, spec formats.Spec) (formats.Writer, error) {
	fail := func(err error) (formats.Writer, error) {
		return nil, fmt.Errorf("formats/zarr: create %s: %w", p.name, err)
	}
	version := 3
	switch spec.Format {
	case "", "zarr", "zarr3":
	case "zarr2":
		version = 2
	default:
		return fail(fmt.Errorf("format %q: want zarr2 or zarr3: %w", spec.Format, formats.ErrFormat))
	}
	w := &writer{place: p}
	var err error
	if w.docs, err = w.documents(spec, version); err != nil {
		return fail(err)
	}
	if w.st, err = p.start(ctx); err != nil {
		return fail(err)
	}
	if !p.late {
		if err := w.putDocuments(ctx); err != nil {
			return fail(errors.Join(err, p.abort(w.st)))
		}
	}
	return w, nil
}

func (w *writer) putDocuments(ctx context.Context) error {
	for _, d := range w.docs {
		b, err := appendJSON(nil, d.value, 0)
		if err == nil {
			err = w.st.Put(ctx, d.name, append(b, '\n'), store.PutOpt{Direct: true})
		}
		if err != nil {
			return err
		}
	}
	w.docs = nil
	return nil
}

// documents returns the metadata documents of the output by key and makes the sinks.
func (w *writer) documents(spec formats.Spec, version int) ([]member, error) {
	attrs, err := attrsJSON(spec.Attrs)
	if err != nil {
		return nil, err
	}
	h := &hierarchy{version: version, docs: map[string]bool{}, extra: extraOf(spec)}
	for _, g := range spec.Groups {
		js, err := attrsJSON(g.Attrs)
		if err != nil {
			return nil, fmt.Errorf("group %s: %w", g.Path, err)
		}
		if err := h.groups(g.Path); err != nil {
			return nil, err
		}
		if err := h.add(g.Path, nil, js, false); err != nil {
			return nil, err
		}
	}
	for i := range spec.Vars {
		v := &spec.Vars[i]
		s, doc, vattrs, err := newSink(w, v, version)
		if err != nil {
			return nil, fmt.Errorf("variable %s: %w", v.Name, err)
		}
		if err := h.groups(v.Name); err != nil {
			return nil, err
		}
		if err := h.add(v.Name, doc, vattrs, true); err != nil {
			return nil, err
		}
		w.sinks = append(w.sinks, s)
	}
	return h.root(attrs), nil
}

// hierarchy collects the documents below the root.
type hierarchy struct {
	version int
	out     []member
	docs    map[string]bool // path: is an array
	extra   object
}

// checkName refuses what the specification does; version 2 reserves no prefix.
func checkName(name string, version int) error {
	for _, p := range strings.Split(name, "/") {
		if p == "" || strings.Trim(p, ".") == "" || version == 3 && strings.HasPrefix(p, "__") || strings.ContainsAny(p, "\\\x00") || p == "zarr.json" || strings.HasPrefix(p, ".z") {
			return fmt.Errorf("variable %q cannot be the name of a Zarr node: %w", name, formats.ErrFormat)
		}
	}
	return nil
}

// groups adds the groups above the node at path.
func (h *hierarchy) groups(path string) error {
	if err := checkName(path, h.version); err != nil {
		return err
	}
	for i, c := range path {
		if c != '/' {
			continue
		}
		p := path[:i]
		isArray, there := h.docs[p]
		if isArray {
			return fmt.Errorf("variable %q lies inside the variable %q: %w", path, p, formats.ErrFormat)
		}
		if !there {
			if err := h.add(p, nil, nil, false); err != nil {
				return err
			}
		}
	}
	return nil
}

func (h *hierarchy) add(path string, doc, attrs object, array bool) error {
	if _, there := h.docs[path]; there {
		return fmt.Errorf("variable %q: there are two of the name: %w", path, formats.ErrFormat)
	}
	h.docs[path] = array
	switch {
	case h.version == 3 && array:
		h.out = append(h.out, member{path + "/zarr.json", doc})
	case h.version == 3:
		h.out = append(h.out, member{path + "/zarr.json", group3(attrs)})
	case array:
		h.out = append(h.out, member{path + "/.zarray", doc})
	default:
		h.out = append(h.out, member{path + "/.zgroup", object{{"zarr_format", 2}}})
	}
	if h.version == 2 && len(attrs) > 0 {
		h.out = append(h.out, member{path + "/.zattrs", attrs})
	}
	return nil
}

func group3(attrs object) object {
	return object{{"zarr_format", 3}, {"node_type", "group"}, {"attributes", attrs}}
}

// root returns all documents; the root's holds the others: readers need one request, and keep the order.
func (h *hierarchy) root(attrs object) []member {
	all := object{}
	if h.version == 3 {
		for _, d := range h.out {
			all = append(all, member{strings.TrimSuffix(d.name, "/zarr.json"), d.value})
		}
		meta := object{{"kind", "inline"}, {"must_understand", false}, {"metadata", all}}
		if h.extra != nil {
			meta = append(meta, member{extraKey, h.extra})
		}
		return append(h.out, member{"zarr.json", append(group3(attrs), member{"consolidated_metadata", meta})})
	}
	all = append(all, member{".zgroup", object{{"zarr_format", 2}}})
	if len(attrs) > 0 {
		all = append(all, member{".zattrs", attrs})
	}
	root := slices.Clone(all)
	all = append(all, h.out...)
	meta := object{{"zarr_consolidated_format", 1}, {"metadata", all}}
	if h.extra != nil {
		meta = append(meta, member{extraKey, h.extra})
	}
	return append(append(h.out, root...), member{".zmetadata", meta})
}

func attrsJSON(attrs formats.Attrs) (object, error) {
	o := make(object, 0, len(attrs))
	for _, a := range attrs {
		if _, err := appendJSON(nil, a.Value, 0); err != nil {
			return nil, fmt.Errorf("attribute %s: %w", a.Name, err)
		}
		o = append(o, member{a.Name, a.Value})
	}
	return o, nil
}

// Sink implements formats.Writer.
func (w *writer) Sink(i int) formats.Sink { return w.sinks[i] }

// Commit implements formats.Writer: the output is visible when all of it is there.
func (w *writer) Commit(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if w.done.Swap(true) {
		return fmt.Errorf("formats/zarr: commit %s: it is committed or aborted already", w.name)
	}
	err := error(nil)
	if w.late {
		err = w.putDocuments(ctx)
	}
	if err == nil {
		err = w.commit(ctx, w.st)
	}
	if err != nil {
		return fmt.Errorf("formats/zarr: commit %s: %w", w.name, errors.Join(err, w.abort(w.st)))
	}
	return nil
}

// Abort implements formats.Writer.
func (w *writer) Abort() error {
	if w.done.Swap(true) {
		return nil
	}
	return w.abort(w.st)
}

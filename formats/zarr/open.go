// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Format is the row of the table of formats.
var Format = formats.Format{
	Name:       "zarr",
	Detect:     detect,
	Open:       Open,
	Extensions: []string{".zarr", ".zr"},
	Create:     Create,
	Update:     Update,
}

// Archive is the row of hierarchies in ZIP archives.
var Archive = formats.Format{
	Name:   "zarr.zip",
	Detect: func(head []byte, _ string) bool { return strings.HasPrefix(string(head), "PK\x03\x04") },
	Open:   openArchive,
	OpenAt: openArchiveAt,

	Extensions: []string{".zarr.zip"},
	Create:     createArchive,
}

// documents are the keys that make a directory a node.
var documents = []string{"zarr.json", ".zarray", ".zgroup", ".zmetadata"}

func detect(head []byte, path string) bool {
	if len(head) > 0 {
		return false
	}
	for _, d := range documents {
		if _, err := os.Stat(filepath.Join(path, d)); err == nil {
			return true
		}
	}
	return false
}

// Open opens the group or array in the directory at path. An array becomes a group with the
// one variable. An array that cannot be read keeps its place with Var.Err.
func Open(ctx context.Context, path string) (*formats.Group, error) {
	g, err := OpenStore(ctx, store.NewDir(path))
	if err != nil {
		return nil, fmt.Errorf("formats/zarr: open %s: %w", path, err)
	}
	return g, nil
}

// OpenStore is Open for the node at the root of any store.
func OpenStore(ctx context.Context, st store.Store) (*formats.Group, error) {
	t := &tree{st: st}
	root, err := t.node(ctx, "")
	if err != nil {
		return nil, err
	}
	if root == nil {
		l, err := st.List(ctx, "")
		if err == nil && len(l) == 0 {
			return nil, fmt.Errorf("there is nothing: %w", fs.ErrNotExist)
		}
		return nil, fmt.Errorf("no zarr.json, .zgroup or .zarray: %w", formats.ErrFormat)
	}
	if root.array {
		name := arrayName(st)
		g := &formats.Group{Format: root.format(), Bare: true}
		v := t.variable(name, "", root)
		g.Vars = []formats.Var{v}
		if v.Source != nil {
			t.addDims(g, "", v)
		}
		return g, nil
	}
	g, err := t.group(ctx, "", root, 0)
	if err == nil {
		ome(g)
	}
	return g, err
}

// arrayName is what the one array of a store without groups is called.
func arrayName(st store.Store) string {
	return strings.TrimSuffix(strings.TrimSuffix(filepath.Base(st.Name()), ".zip"), ".zarr")
}

// node is a metadata document.
type node struct {
	version int
	array   bool
	doc     object
	attrs   object
}

func (n *node) format() string { return fmt.Sprintf("zarr%d", n.version) }

// tree reads the documents of a hierarchy, from consolidated metadata where it has them.
type tree struct {
	st    store.Store
	metas []consolidated
	extra *extra // nil where the root has none
	nodes int
	read  map[string][]byte // documents that ahead has read, nil for those that are not there
}

// consolidated holds the documents below a group by path.
type consolidated struct {
	prefix string
	nodes  map[string]*node
	order  []string
}

// Limits of a hierarchy.
const (
	maxDocument = 256 << 20
	maxNodes    = 1 << 20
	maxGroups   = 64
)

func (t *tree) document(ctx context.Context, key string) (object, error) {
	b, err := t.get(ctx, key)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	v, err := parse(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", key, err)
	}
	o, ok := v.(object)
	if !ok {
		return nil, fmt.Errorf("%s: %T, want an object: %w", key, v, formats.ErrCorrupt)
	}
	return o, nil
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "/" + name
}

// node returns the node at path, or nil when nothing makes it one.
func (t *tree) node(ctx context.Context, path string) (*node, error) {
	for i := len(t.metas) - 1; i >= 0; i-- {
		if n, ok := t.metas[i].nodes[path]; ok {
			return n, nil
		}
	}
	if t.nodes++; t.nodes > maxNodes {
		return nil, fmt.Errorf("more than %d nodes: %w", maxNodes, formats.ErrFormat)
	}
	doc, err := t.document(ctx, join(path, "zarr.json"))
	if err != nil {
		return nil, err
	}
	if doc != nil {
		n, err := node3(doc)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", join(path, "zarr.json"), err)
		}
		if c, _ := doc.get("consolidated_metadata"); c != nil && !n.array {
			t.consolidate3(path, c)
		}
		return n, nil
	}
	return t.node2(ctx, path)
}

func node3(doc object) (*node, error) {
	v, _ := doc.get("zarr_format")
	kind, _ := doc.get("node_type")
	if v != int64(3) || kind != "array" && kind != "group" {
		return nil, fmt.Errorf("zarr_format %v, node_type %v: want 3 and array or group: %w", plain(v), plain(kind), formats.ErrFormat)
	}
	a, _ := doc.get("attributes")
	attrs, _ := a.(object)
	return &node{3, kind == "array", doc, attrs}, nil
}

func (t *tree) node2(ctx context.Context, path string) (*node, error) {
	if path == "" {
		if doc, err := t.document(ctx, ".zmetadata"); err == nil && doc != nil {
			if t.consolidate2(doc); len(t.metas) > 0 {
				if n, ok := t.metas[0].nodes[""]; ok {
					return n, nil
				}
			}
		}
	}
	doc, err := t.document(ctx, join(path, ".zarray"))
	if err != nil {
		return nil, err
	}
	n := &node{version: 2, array: doc != nil, doc: doc}
	if doc == nil {
		if n.doc, err = t.document(ctx, join(path, ".zgroup")); err != nil || n.doc == nil {
			return nil, err
		}
	}
	if n.attrs, err = t.document(ctx, join(path, ".zattrs")); err != nil {
		return nil, err
	}
	if v, _ := n.doc.get("zarr_format"); v != int64(2) {
		return nil, fmt.Errorf("%s: zarr_format %v, want 2: %w", path, plain(v), formats.ErrFormat)
	}
	return n, nil
}

// consolidate3 keeps the documents inside a v3 group's own; what it does not understand it leaves.
func (t *tree) consolidate3(path string, v any) {
	o, _ := v.(object)
	m, _ := o.get("metadata")
	docs, ok := m.(object)
	if !ok {
		return
	}
	if x, _ := o.get(extraKey); x != nil && path == "" {
		t.extra = readExtra(x)
	}
	c := consolidated{path, map[string]*node{}, nil}
	for _, d := range docs {
		doc, _ := d.value.(object)
		n, err := node3(doc)
		if err != nil || !fs.ValidPath(d.name) {
			return
		}
		c.add(join(path, d.name), n)
		// groups may carry their own part again
		if in, _ := doc.get("consolidated_metadata"); in != nil && !n.array {
			t.consolidate3(join(path, d.name), in)
		}
	}
	t.metas = append(t.metas, c)
}

func (c *consolidated) add(path string, n *node) {
	if _, ok := c.nodes[path]; !ok {
		c.order = append(c.order, path)
	}
	c.nodes[path] = n
}

// consolidate2 keeps the documents of a .zmetadata.
func (t *tree) consolidate2(doc object) {
	m, _ := doc.get("metadata")
	docs, ok := m.(object)
	if !ok {
		return
	}
	if x, _ := doc.get(extraKey); x != nil {
		t.extra = readExtra(x)
	}
	c := consolidated{"", map[string]*node{}, nil}
	attrs := map[string]object{}
	for _, d := range docs {
		dir, file := "", d.name
		if i := strings.LastIndexByte(d.name, '/'); i >= 0 {
			dir, file = d.name[:i], d.name[i+1:]
		}
		o, _ := d.value.(object)
		if dir != "" && !fs.ValidPath(dir) {
			return
		}
		switch file {
		case ".zattrs":
			attrs[dir] = o
		case ".zarray", ".zgroup":
			c.add(dir, &node{version: 2, array: file == ".zarray", doc: o})
		}
	}
	for p, n := range c.nodes {
		n.attrs = attrs[p]
	}
	t.metas = append(t.metas, c)
}

// children returns the names directly below the group at path, in the order of consolidated
// metadata or sorted.
func (t *tree) children(ctx context.Context, path string) ([]string, error) {
	for i := len(t.metas) - 1; i >= 0; i-- {
		c := t.metas[i]
		if _, ok := c.nodes[path]; !ok && c.prefix != path {
			continue
		}
		var out []string
		seen := map[string]bool{}
		for _, p := range c.order {
			rest := p
			if path != "" {
				var ok bool
				if rest, ok = strings.CutPrefix(p, path+"/"); !ok {
					continue
				}
			}
			name, _, _ := strings.Cut(rest, "/")
			if name != "" && !seen[name] {
				seen[name] = true
				out = append(out, name)
			}
		}
		return out, nil
	}
	l, err := t.st.List(ctx, path)
	if err != nil {
		return nil, err
	}
	var out []string
	for _, e := range l {
		if e.Dir && !strings.HasPrefix(e.Name, ".") && e.Name != "__MACOSX" {
			out = append(out, e.Name)
		}
	}
	return out, nil
}

func (t *tree) group(ctx context.Context, path string, n *node, depth int) (*formats.Group, error) {
	if depth > maxGroups {
		return nil, fmt.Errorf("%s: groups nested more than %d deep: %w", path, maxGroups, formats.ErrFormat)
	}
	g := &formats.Group{Format: n.format(), Attrs: t.extra.attributes(path, n.attrs)}
	t.extra.begin(g, path)
	names, err := t.children(ctx, path)
	if err != nil {
		return nil, err
	}
	t.ahead(ctx, path, n, names)
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p := join(path, name)
		c, err := t.node(ctx, p)
		switch {
		case err != nil:
			if errors.Is(err, formats.ErrCorrupt) || errors.Is(err, formats.ErrFormat) {
				g.Vars = append(g.Vars, formats.Var{Name: name, Err: fmt.Errorf("formats/zarr: %w", err)})
				continue
			}
			return nil, err
		case c == nil: // not a node
		case c.array:
			v := t.variable(name, p, c)
			g.Vars = append(g.Vars, v)
			if v.Source != nil {
				t.addDims(g, path, v)
			}
		default:
			sub, err := t.group(ctx, p, c, depth+1)
			if err != nil {
				return nil, err
			}
			g.Groups = append(g.Groups, formats.NamedGroup{Name: name, Group: sub})
		}
	}
	return g, nil
}

// addDims adds the named dimensions of v that g, the group at path, lacks. What an array says of a length is
// newer than what was kept of it.
func (t *tree) addDims(g *formats.Group, path string, v formats.Var) {
	shape := v.Source.Meta().Shape
	for i, name := range v.Dims {
		k := slices.IndexFunc(g.Dims, func(d formats.Dim) bool { return d.Name == name })
		switch {
		case name == "":
		case k >= 0 && g.Dims[k].Unlimited:
			g.Dims[k].Size = shape[i]
		case k < 0 && !t.extra.inherited(path, name, shape[i]):
			g.Dims = append(g.Dims, formats.Dim{Name: name, Size: shape[i]})
		}
	}
}

func (t *tree) variable(name, path string, n *node) formats.Var {
	v := formats.Var{Name: name, Attrs: t.extra.attributes(path, n.attrs)}
	a, err := newArray(t.st, path, name, n.doc, n.version)
	if err != nil {
		v.Err = fmt.Errorf("formats/zarr: array %s: %w", join("", path), err)
		if path == "" {
			v.Err = fmt.Errorf("formats/zarr: array %s: %w", name, err)
		}
		return v
	}
	t.extra.describe(path, &a.meta)
	v.Source = a
	rank := len(a.meta.Shape)
	if n.version == 3 {
		d, _ := n.doc.get("dimension_names")
		v.Dims = dimNames(d, rank)
		return v
	}
	if d, ok := v.Attrs.Get("_ARRAY_DIMENSIONS"); ok {
		if v.Dims = dimNames(d, rank); v.Dims != nil {
			v.Attrs = v.Attrs.Without("_ARRAY_DIMENSIONS")
		}
	}
	return v
}

// dimNames returns the names of a list, "" where one is null; nil when it names nothing or does not fit.
func dimNames(v any, rank int) []string {
	l, ok := v.([]any)
	if !ok || len(l) != rank {
		return nil
	}
	out, named := make([]string, rank), rank == 0
	for i, x := range l {
		s, ok := x.(string)
		if !ok && x != nil {
			return nil
		}
		out[i] = s
		named = named || s != ""
	}
	if !named {
		return nil
	}
	return out
}

func attributes(o object) formats.Attrs {
	if len(o) == 0 {
		return nil
	}
	out := make(formats.Attrs, len(o))
	for i, m := range o {
		out[i] = formats.Attr{Name: m.name, Value: plain(m.value)}
	}
	return out
}

// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"sort"
	"strings"
	"sync"
	"sync/atomic"
)

// Reference is a Store whose values lie in other files, which is read: a key has the text of its value, or
// says which bytes of what file it is. It is what kerchunk writes and fsspec reads.
// Specification: https://fsspec.github.io/kerchunk/spec.html, versions 0 and 1.
type Reference struct {
	name    string
	open    Opener
	entries []entry     // sorted by key
	tables  *tables     // of further entries, nil: there are none
	remote  atomic.Bool // some value lies behind a network

	mu      sync.Mutex
	targets map[string]*target
}

var _ Store = (*Reference)(nil)

// Opener returns the store and the key of what is at a URL or path that a Reference names.
type Opener func(ctx context.Context, url string) (Store, string, error)

// entry is a value: text, or bytes of the file at the URL text.
type entry struct {
	key    string
	text   string
	off, n int64 // n < 0: the whole file
	inline bool
}

// target is a file that values lie in, opened when the first of them is read.
type target struct {
	once sync.Once
	st   Store
	key  string
	err  error
}

// NewReference parses the references in doc. name says where they are, for messages. What is no set of references wraps
// fs.ErrInvalid; one that contradicts the specification, or needs more than what a set may take, wraps ErrDamaged.
func NewReference(doc []byte, name string, open Opener) (*Reference, error) {
	r := &Reference{name: name, open: open, targets: map[string]*target{}}
	var err error
	if r.entries, err = parseReferences(string(doc)); err != nil {
		return nil, fmt.Errorf("store: open %s: %w", name, err)
	}
	for i := range r.entries {
		if r.entries[i].remote() {
			r.remote.Store(true)
			break
		}
	}
	return r, nil
}

// remote reports whether a value lies behind a network.
func (e *entry) remote() bool {
	scheme, _, ok := strings.Cut(e.text, "://")
	return ok && !e.inline && scheme != "file"
}

// IsReference reports whether head, the start of a file, may be of a set of references: an object that
// has their members or, in version 0, a key of Zarr.
func IsReference(head []byte) bool {
	s := strings.TrimLeft(string(head), " \t\r\n")
	if !strings.HasPrefix(s, "{") || strings.Contains(s, `"zarr_consolidated_format"`) || strings.Contains(s, `"node_type"`) && !strings.Contains(s, `zarr.json"`) {
		return false
	}
	for _, k := range []string{`"refs"`, `"templates"`, `"gen"`, `.zgroup"`, `.zarray"`, `.zattrs"`, `.zmetadata"`, `zarr.json"`} {
		if strings.Contains(s, k) {
			return true
		}
	}
	return false
}

// Name returns the name of the references.
func (r *Reference) Name() string { return r.name }

// Latency is Remote where some value lies behind a network.
func (r *Reference) Latency() Latency {
	if r.remote.Load() {
		return Remote
	}
	return Local
}

// find returns the entry of a key. The error wraps fs.ErrNotExist where there is none.
func (r *Reference) find(ctx context.Context, key string) (*entry, error) {
	i := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].key >= key })
	if i < len(r.entries) && r.entries[i].key == key {
		return &r.entries[i], nil
	}
	if r.tables != nil {
		e, err := r.tables.find(ctx, key)
		if err != nil || e != nil {
			if e != nil && e.remote() {
				r.remote.Store(true)
			}
			return e, err
		}
	}
	return nil, fs.ErrNotExist
}

// value returns the bytes of an entry that has them itself.
func (e *entry) value() ([]byte, error) {
	if code, ok := strings.CutPrefix(e.text, "base64:"); ok {
		b, err := base64.StdEncoding.DecodeString(code)
		if err != nil {
			return nil, fmt.Errorf("base64: %w: %w", err, ErrDamaged)
		}
		return b, nil
	}
	return []byte(e.text), nil
}

// target returns the store and key of a URL.
func (r *Reference) target(ctx context.Context, url string) (Store, string, error) {
	r.mu.Lock()
	t := r.targets[url]
	if t == nil {
		t = &target{}
		r.targets[url] = t
	}
	r.mu.Unlock()
	t.once.Do(func() { t.st, t.key, t.err = r.open(context.WithoutCancel(ctx), url) })
	return t.st, t.key, t.err
}

// Get implements Store.
func (r *Reference) Get(ctx context.Context, key string, rg Range, limit int64, buf []byte) ([]byte, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return nil, err
	}
	e, err := r.find(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("store: get %q in %s: %w", key, r.name, err)
	}
	b, err := r.get(ctx, e, rg, limit, buf)
	if err != nil {
		return nil, fmt.Errorf("store: get %q in %s: %w", key, r.name, err)
	}
	return b, nil
}

func (r *Reference) get(ctx context.Context, e *entry, rg Range, limit int64, buf []byte) ([]byte, error) {
	var v []byte
	size := e.n
	if e.inline {
		var err error
		if v, err = e.value(); err != nil {
			return nil, err
		}
		size = int64(len(v))
	}
	if size >= 0 {
		lo, hi, err := rg.of(size)
		if err == nil && limit >= 0 && hi-lo > limit {
			err = tooLong(hi-lo, limit)
		}
		if err != nil {
			return nil, err
		}
		if e.inline {
			return append(buf[:0], v[lo:hi]...), nil
		}
		rg = Range{e.off + lo, hi - lo}
	}
	st, key, err := r.target(ctx, e.text)
	if err != nil {
		return nil, r.lost(e, err)
	}
	b, err := st.Get(ctx, key, rg, limit, buf)
	switch {
	case err == nil:
		return b, nil
	case size >= 0 && errors.Is(err, ErrRange):
		return nil, fmt.Errorf("%d bytes at %d are not in it: %v: %w", rg.Len, rg.Off, err, ErrDamaged)
	}
	return nil, r.lost(e, err)
}

// lost hides that a target is not there: its key is, and must not read as a chunk that was never written.
func (r *Reference) lost(e *entry, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("what it refers to is not there: %v: %w", err, ErrDamaged)
	}
	return fmt.Errorf("it refers to %.200q: %w", e.text, err)
}

// Stat implements Store.
func (r *Reference) Stat(ctx context.Context, key string) (Info, error) {
	if err := errors.Join(ctx.Err(), checkKey(key)); err != nil {
		return Info{}, err
	}
	i := Info{Name: key[strings.LastIndexByte(key, '/')+1:]}
	e, err := r.find(ctx, key)
	if err != nil {
		return i, fmt.Errorf("store: stat %q in %s: %w", key, r.name, err)
	}
	if i.Size = e.n; e.n >= 0 && !e.inline {
		return i, nil
	}
	if e.inline {
		v, err := e.value()
		if err != nil {
			return i, fmt.Errorf("store: stat %q in %s: %w", key, r.name, err)
		}
		i.Size = int64(len(v))
		return i, nil
	}
	st, k, err := r.target(ctx, e.text)
	if err == nil {
		var at Info
		if at, err = st.Stat(ctx, k); err == nil {
			i.Size = at.Size
			return i, nil
		}
	}
	return i, fmt.Errorf("store: stat %q in %s: %w", key, r.name, r.lost(e, err))
}

// List implements Store: a search for each name below prefix.
func (r *Reference) List(ctx context.Context, prefix string) ([]Info, error) {
	if prefix != "" {
		if err := checkKey(prefix); err != nil {
			return nil, err
		}
		prefix += "/"
	}
	out := []Info{}
	if r.tables != nil {
		chunks, err := r.tables.list(ctx, strings.TrimSuffix(prefix, "/"))
		if err != nil {
			return nil, fmt.Errorf("store: list %s/%s: %w", r.name, prefix, err)
		}
		out = append(out, chunks...)
	}
	i := sort.Search(len(r.entries), func(i int) bool { return r.entries[i].key >= prefix })
	for i < len(r.entries) {
		if len(out)%1024 == 0 && ctx.Err() != nil {
			return nil, ctx.Err()
		}
		e := &r.entries[i]
		rest, ok := strings.CutPrefix(e.key, prefix)
		if !ok {
			break
		}
		name, _, dir := strings.Cut(rest, "/")
		if !dir {
			size := e.n
			if e.inline {
				size = -1
			}
			out = append(out, Info{Name: name, Size: size})
			i++
			continue
		}
		out = append(out, Info{Name: name, Dir: true, Size: -1})
		past := prefix + name + "0" // what follows every key that starts with name and a slash
		i += sort.Search(len(r.entries)-i, func(j int) bool { return r.entries[i+j].key >= past })
	}
	// "a.b" sorts before "a/b" in keys and behind "a" in names
	sort.Slice(out, func(i, j int) bool { return out[i].Name < out[j].Name })
	return out, ctx.Err()
}

// Put fails: references are read.
func (r *Reference) Put(_ context.Context, key string, _ []byte, _ PutOpt) error {
	return fmt.Errorf("store: put %q in %s: %w", key, r.name, ErrReadOnly)
}

// Delete fails: references are read.
func (r *Reference) Delete(_ context.Context, key string) error {
	return fmt.Errorf("store: delete %q in %s: %w", key, r.name, ErrReadOnly)
}

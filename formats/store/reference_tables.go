// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"container/list"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Limits of references in tables.
const (
	// MaxRows is how many references one table may have.
	MaxRows     = 4 << 20
	keptBytes   = 64 << 20 // of tables in memory
	listTables  = 64       // tables that a listing may read
	maxTableDim = 64       // of an array
)

// Rows are the references that a table holds, one a row. Their slices have one length; Raw may be nil.
type Rows struct {
	URL      []string // "" where there is none
	Off, Len []int64  // both 0: the whole file
	Raw      []string // the value itself, "" where there is none
}

// RowsReader reads the table that is the value at a key of a store. An error that wraps fs.ErrNotExist says that there is none.
type RowsReader func(ctx context.Context, st Store, key string) (*Rows, error)

// tables are the chunks of references that fsspec's LazyReferenceMapper keeps as Parquet: those of an array x in x/refs.0.parq, x/refs.1.parq and
// so on, size of them in each, in the order of the grid.
type tables struct {
	st     Store
	read   RowsReader
	size   int64
	arrays map[string]*tableArray

	mu   sync.Mutex
	kept map[string]*list.Element // of *table
	used *list.List               // the last used one in front
	held int64
}

// tableArray is the chunk grid of an array.
type tableArray struct {
	counts []int64
	total  int64
	err    error
}

// table is a table that is being read or is there.
type table struct {
	key   string
	once  sync.Once
	rows  *Rows
	err   error
	bytes int64 // that are counted
}

// IsReferenceTables reports whether doc, a .zmetadata, belongs to references that are kept as tables.
func IsReferenceTables(doc []byte) bool {
	found := false
	p := &scanner{s: string(doc)}
	err := p.object(func(name string) error {
		found = found || name == "record_size"
		_, err := p.skip()
		return err
	})
	return err == nil && found
}

// NewReferenceTables is NewReference for references in tables below the root of st. doc is the .zmetadata there; read reads a table
// when one of its references is asked for.
func NewReferenceTables(doc []byte, st Store, open Opener, read RowsReader) (*Reference, error) {
	t := &tables{st: st, read: read, arrays: map[string]*tableArray{}, kept: map[string]*list.Element{}, used: list.New()}
	b := &builder{}
	p := &scanner{s: string(doc)}
	if len(doc) > MaxReference {
		return nil, fmt.Errorf("store: open %s: %d bytes of metadata, want at most %d: %w", st.Name(), len(doc), MaxReference, ErrDamaged)
	}
	err := p.object(func(name string) (err error) {
		switch name {
		case "record_size":
			t.size, err = p.whole()
		case "metadata":
			err = p.object(func(key string) error { return b.document(p, t, key) })
		default:
			_, err = p.skip()
		}
		return err
	})
	if err == nil && (t.size < 1 || t.size > MaxRows) {
		err = fmt.Errorf("record_size is %d, want 1 to %d: %w", t.size, MaxRows, ErrDamaged)
	}
	if err == nil {
		err = b.add(entry{key: ".zmetadata", text: p.s, inline: true})
	}
	if err != nil {
		return nil, fmt.Errorf("store: open %s: %w", st.Name(), err)
	}
	r := &Reference{name: st.Name(), open: open, entries: b.done(), targets: map[string]*target{}, tables: t}
	r.remote.Store(LatencyOf(st) == Remote)
	return r, nil
}

// document adds a document of the metadata, and the array that it describes.
func (b *builder) document(p *scanner, t *tables, key string) error {
	doc, err := p.skip()
	if err != nil {
		return err
	}
	dir, file := "", key
	if i := strings.LastIndexByte(key, '/'); i >= 0 {
		dir, file = key[:i], key[i+1:]
	}
	if file == ".zarray" {
		a := parseTableArray(doc)
		t.arrays[dir] = a
	}
	return b.add(entry{key: key, text: doc, inline: true})
}

// parseTableArray reads the chunk grid from the metadata of an array.
func parseTableArray(doc string) *tableArray {
	a := &tableArray{total: 1}
	var shape, chunks []int64
	p := &scanner{s: doc}
	numbers := func(to *[]int64) error {
		return p.array(func() error {
			n, err := p.whole()
			if *to = append(*to, n); err == nil && len(*to) > maxTableDim {
				err = p.bad("too many dimensions")
			}
			return err
		})
	}
	a.err = p.object(func(name string) (err error) {
		switch name {
		case "shape":
			err = numbers(&shape)
		case "chunks":
			err = numbers(&chunks)
		default:
			_, err = p.skip()
		}
		return err
	})
	if a.err == nil && len(shape) != len(chunks) {
		a.err = fmt.Errorf("shape %v and chunks %v: %w", shape, chunks, ErrDamaged)
	}
	for i := 0; i < len(shape) && a.err == nil; i++ {
		if shape[i] < 0 || chunks[i] < 1 {
			a.err = fmt.Errorf("shape %v and chunks %v: %w", shape, chunks, ErrDamaged)
			break
		}
		n := shape[i] / chunks[i]
		if shape[i]%chunks[i] > 0 {
			n++
		}
		if a.counts = append(a.counts, n); n > 0 && a.total > math.MaxInt64/n {
			a.err = fmt.Errorf("shape %v in chunks %v: too many of them: %w", shape, chunks, ErrDamaged)
			break
		}
		a.total *= n
	}
	return a
}

// number returns the place of the chunk with that name in the order of the grid.
func (a *tableArray) number(name string) (int64, bool) {
	parts := strings.FieldsFunc(name, func(r rune) bool { return r == '.' || r == '/' })
	if len(a.counts) == 0 {
		return 0, name == "0"
	}
	if len(parts) != len(a.counts) {
		return 0, false
	}
	n := int64(0)
	for i, s := range parts {
		x, err := strconv.ParseInt(s, 10, 64)
		if err != nil || x < 0 || x >= a.counts[i] || strconv.FormatInt(x, 10) != s {
			return 0, false
		}
		n = n*a.counts[i] + x
	}
	return n, true
}

// name is number's inverse.
func (a *tableArray) name(n int64) string {
	parts := make([]string, max(len(a.counts), 1))
	parts[0] = "0"
	for i := len(a.counts) - 1; i >= 0; i-- {
		parts[i] = strconv.FormatInt(n%a.counts[i], 10)
		n /= a.counts[i]
	}
	return strings.Join(parts, ".")
}

// find returns the reference of a chunk, nil where there is none.
func (t *tables) find(ctx context.Context, key string) (*entry, error) {
	for i := strings.LastIndexByte(key, '/'); ; i = strings.LastIndexByte(key[:i], '/') {
		a := t.arrays[key[:max(i, 0)]]
		if a != nil {
			if a.err != nil {
				return nil, a.err
			}
			n, ok := a.number(key[i+1:])
			if !ok {
				return nil, nil
			}
			rows, err := t.rows(ctx, tableKey(key[:max(i, 0)], n/t.size))
			if err != nil || rows == nil {
				return nil, err
			}
			return rows.entry(int(n%t.size), key)
		}
		if i < 0 {
			return nil, nil
		}
	}
}

func tableKey(dir string, n int64) string {
	name := "refs." + strconv.FormatInt(n, 10) + ".parq"
	if dir == "" {
		return name
	}
	return dir + "/" + name
}

// entry returns what a row says, nil for one that is empty or not there.
func (r *Rows) entry(i int, key string) (*entry, error) {
	switch {
	case i >= len(r.URL):
		return nil, nil
	case r.Raw != nil && r.Raw[i] != "":
		return &entry{key: key, text: r.Raw[i], inline: true}, nil
	case r.URL[i] == "":
		return nil, nil
	}
	e := &entry{key: key, text: r.URL[i], off: r.Off[i], n: r.Len[i]}
	if e.off == 0 && e.n == 0 {
		e.n = -1
		return e, nil
	}
	return e, e.check()
}

// bytes is about what the rows take in memory.
func (r *Rows) bytes() int64 {
	n, last := int64(0), ""
	for i, u := range r.URL {
		n += 32
		if u != last {
			n, last = n+int64(len(u)), u
		}
		if r.Raw != nil {
			n += 16 + int64(len(r.Raw[i]))
		}
	}
	return n
}

// rows returns a table, nil where there is none: a table of nothing but chunks that were never written is left out. The tables
// used last stay in memory.
func (t *tables) rows(ctx context.Context, key string) (*Rows, error) {
	t.mu.Lock()
	el := t.kept[key]
	if el == nil {
		el = t.used.PushFront(&table{key: key})
		t.kept[key] = el
	}
	t.used.MoveToFront(el)
	x := el.Value.(*table)
	t.mu.Unlock()
	x.once.Do(func() {
		x.rows, x.err = t.read(context.WithoutCancel(ctx), t.st, key)
		switch {
		case errors.Is(x.err, fs.ErrNotExist):
			x.rows, x.err = nil, nil
		case x.err == nil && (len(x.rows.Off) != len(x.rows.URL) || len(x.rows.Len) != len(x.rows.URL) || x.rows.Raw != nil && len(x.rows.Raw) != len(x.rows.URL)):
			x.err = fmt.Errorf("columns of different lengths: %w", ErrDamaged)
		case x.err == nil && int64(len(x.rows.URL)) > t.size:
			x.err = fmt.Errorf("%d references, want at most record_size, %d: %w", len(x.rows.URL), t.size, ErrDamaged)
		}
		if x.err != nil {
			x.err = fmt.Errorf("table %q: %w", key, x.err)
		}
		t.keep(x)
	})
	return x.rows, x.err
}

// keep notes a table that has been read, and forgets those used longest ago where they are too many. One that could not be read is forgotten.
func (t *tables) keep(x *table) {
	n := int64(0)
	if x.err == nil && x.rows != nil {
		n = x.rows.bytes()
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	el := t.kept[x.key]
	if el == nil || el.Value != any(x) {
		return // forgotten while it was read
	}
	x.bytes = n
	t.held += n
	drop := func(el *list.Element) {
		old := el.Value.(*table)
		t.used.Remove(el)
		delete(t.kept, old.key)
		t.held -= old.bytes
	}
	if x.err != nil {
		drop(el)
	}
	for t.held > keptBytes && t.used.Len() > 1 {
		drop(t.used.Back())
	}
}

// list returns the chunks of an array that have references.
func (t *tables) list(ctx context.Context, dir string) ([]Info, error) {
	a := t.arrays[dir]
	if a == nil {
		return nil, nil
	}
	if a.err != nil {
		return nil, a.err
	}
	if a.total > listTables*t.size {
		return nil, fmt.Errorf("the references of %d chunks are in more tables than a listing reads: %w", a.total, errors.ErrUnsupported)
	}
	var out []Info
	for n := int64(0); n < a.total; n += t.size {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		rows, err := t.rows(ctx, tableKey(dir, n/t.size))
		if err != nil {
			return nil, err
		}
		if rows == nil {
			continue
		}
		for i := range min(int(min(t.size, a.total-n)), len(rows.URL)) {
			e, err := rows.entry(i, "")
			if err != nil {
				return nil, err
			}
			if e == nil {
				continue
			}
			size := e.n
			if e.inline {
				size = -1
			}
			out = append(out, Info{Name: a.name(n + int64(i)), Size: size})
		}
	}
	slices.SortFunc(out, func(x, y Info) int { return strings.Compare(x.Name, y.Name) })
	return out, nil
}

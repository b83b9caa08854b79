// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/base64"
	"fmt"
	"io"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

// Referrer writes what another file holds as the keys of a Zarr 2 hierarchy: metadata as text, chunks as places in the
// file. It is what kerchunk makes, and fsspec's reference file system reads.
type Referrer struct {
	// URL names the file in references.
	URL string
	// File reads it, for chunks of at most Inline bytes, which become text themselves; nil: there are none.
	File   io.ReaderAt
	Inline int64
	// Skip is asked about each variable that cannot be referred to; nil or its error ends the work.
	Skip func(variable string, err error) error
	// Emit gets the value of a key: a text, or [URL] or [URL, offset, length].
	Emit func(key string, value any) error
}

// Group emits the keys of an open group and of those below it.
func (r *Referrer) Group(ctx context.Context, g *formats.Group) error { return r.group(ctx, g, "") }

func (r *Referrer) group(ctx context.Context, g *formats.Group, prefix string) error {
	if err := r.document(prefix+".zgroup", object{{"zarr_format", 2}}); err != nil {
		return err
	}
	attrs, err := attrsJSON(g.Attrs)
	if err != nil {
		return err
	}
	if err := r.document(prefix+".zattrs", attrs); err != nil {
		return err
	}
	for i := range g.Vars {
		v := &g.Vars[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		refs, err := r.refer(ctx, v, prefix)
		if err == nil {
			for _, x := range refs {
				if err := r.Emit(x.name, x.value); err != nil {
					return err
				}
			}
			continue
		}
		if err = fmt.Errorf("variable %q: %w", prefix+v.Name, err); r.Skip == nil {
			return err
		}
		if err := r.Skip(prefix+v.Name, err); err != nil {
			return err
		}
	}
	for _, s := range g.Groups {
		if err := r.group(ctx, s.Group, prefix+s.Name+"/"); err != nil {
			return err
		}
	}
	return nil
}

// document emits a metadata document.
func (r *Referrer) document(key string, doc object) error {
	b, err := appendJSON(nil, doc, 0)
	if err != nil {
		return err
	}
	return r.Emit(key, string(b))
}

// v2Codecs are the codecs of other formats that decode as numcodecs' do; the level only matters to who writes.
var v2Codecs = map[string]object{
	"zlib": {{"id", "zlib"}, {"level", 1}}, "zstd": {{"id", "zstd"}, {"level", 1}}, "bz2": {{"id", "bz2"}, {"level", 1}},
	"blosc":      {{"id", "blosc"}, {"cname", "lz4"}, {"clevel", 5}, {"shuffle", 1}, {"blocksize", 0}},
	"fletcher32": {{"id", "fletcher32"}},
}

// maxTextInline bounds the texts of a variable that become a part of the references.
const maxTextInline = 16 << 20

// maxUnwritten bounds the chunks that are looked for though hardly any of them can be there: a shape is a few bytes of a file.
const maxUnwritten = 1 << 24

// refer returns the keys of one variable.
func (r *Referrer) refer(ctx context.Context, v *formats.Var, prefix string) (object, error) {
	if v.Err != nil || v.Source == nil {
		if v.Err != nil {
			return nil, v.Err
		}
		return nil, fmt.Errorf("it has no values: %w", formats.ErrFormat)
	}
	if err := checkName(v.Name, 2); err != nil {
		return nil, err
	}
	m := v.Source.Meta()
	el, err := elemOf(&formats.VarSpec{DType: m.DType, ItemBytes: m.ItemBytes, Stored: m.Stored})
	if err != nil {
		return nil, err
	}
	x := &referred{r: r, v: v, m: m, el: el, prefix: prefix + v.Name + "/"}
	src, placed := v.Source.(formats.RefSource)
	switch {
	case m.DType == dtype.String:
		err = x.texts(ctx)
	case placed:
		err = x.chunks(ctx, src)
	default:
		err = fmt.Errorf("this format does not say where its chunks lie: %w", formats.ErrFormat)
	}
	if err != nil {
		return nil, err
	}
	return x.done()
}

// referred is a variable being referred to.
type referred struct {
	r       *Referrer
	v       *formats.Var
	m       *formats.ArrayMeta
	el      elem
	prefix  string
	grid    chunk.Grid
	steps   chunk.Shape
	codecs  []any // in the order of encoding
	zlib    bool  // they are zlib alone
	missing bool  // some chunks were never written
	out     object
}

// done adds the metadata.
func (x *referred) done() (object, error) {
	m := x.m
	var fill any
	known := m.FillSet
	if known || x.missing || x.el.dt == dtype.String {
		fill = x.el.fillValue(m.Fill, 2)
	}
	var filters, compressor any
	if len(x.codecs) > 0 {
		filters = x.codecs
	}
	name := x.el.name2()
	if s, ok := name.(string); ok && m.ByteOrder == "big" {
		name = strings.Replace(s, "<", ">", 1)
	} else if m.ByteOrder == "big" {
		return nil, fmt.Errorf("records of big-endian numbers cannot be referred to: %w", formats.ErrFormat)
	}
	attrs := v2Attrs(x.v, known)
	doc := object{{"zarr_format", 2}, {"shape", list(m.Shape)}, {"chunks", list(x.steps)}, {"dtype", name}, {"compressor", compressor},
		{"fill_value", fill}, {"order", "C"}, {"filters", filters}}
	js, err := attrsJSON(attrs)
	if err != nil {
		return nil, err
	}
	out := object{}
	for _, d := range []member{{".zarray", doc}, {".zattrs", js}} {
		b, err := appendJSON(nil, d.value, 0)
		if err != nil {
			return nil, err
		}
		out = append(out, member{x.prefix + d.name, string(b)})
	}
	return append(out, x.out...), nil
}

// v2Attrs returns the attributes as version 2 has them: the names of dimensions among them, _FillValue not, where it is the fill value.
func v2Attrs(v *formats.Var, known bool) formats.Attrs {
	attrs := v.Attrs
	if known {
		attrs = attrs.Without("_FillValue")
	}
	if v.Dims == nil {
		return attrs
	}
	dims := make([]any, len(v.Dims))
	for i, d := range v.Dims {
		dims[i] = d
	}
	return attrs.With("_ARRAY_DIMENSIONS", dims)
}

// add appends a chunk.
func (x *referred) add(k chunk.Key, value any) {
	key := keyEncoding{"", "."}
	x.out = append(x.out, member{string(key.append([]byte(x.prefix), k)), value})
}

func base64Text(b []byte) string { return "base64:" + base64.StdEncoding.EncodeToString(b) }

// texts puts the texts of a variable into one chunk of its own.
func (x *referred) texts(ctx context.Context) error {
	m := x.m
	if n, err := m.Shape.Bytes(16); err != nil || n > maxTextInline {
		return fmt.Errorf("%v texts of variable length are too many for references: %w", m.Shape, formats.ErrFormat)
	}
	x.steps = m.Shape.Clone()
	for i := range x.steps {
		x.steps[i] = max(x.steps[i], 1)
	}
	s := &sink{el: x.el}
	x.codecs = []any{object{{"id", s.vlenName()}}}
	if m.Shape.Size() == 0 {
		return nil
	}
	c := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: m.Shape, Strides: m.Shape.RowMajor(), Block: wrap(make([]byte, 16*m.Shape.Size()))}
	if _, err := formats.ReadRegion(ctx, x.v.Source, chunk.Whole(m.Shape), c); err != nil {
		return err
	}
	if len(c.Heap) > maxTextInline {
		return fmt.Errorf("%d bytes of text are too many for references: %w", len(c.Heap), formats.ErrFormat)
	}
	x.add(make(chunk.Key, len(m.Shape)), base64Text(appendTexts(nil, c, m.Shape, nil)))
	return nil
}

// chunks refers to the chunks where they lie.
func (x *referred) chunks(ctx context.Context, src formats.RefSource) error {
	m := x.m
	x.grid = src.RefGrid()
	x.steps = make(chunk.Shape, len(m.Shape))
	for i, a := range x.grid.Axes {
		if a.Edges != nil {
			return fmt.Errorf("chunks of several lengths along axis %d cannot be referred to: %w", i, formats.ErrFormat)
		}
		x.steps[i] = max(a.Step, 1)
	}
	for i, name := range m.Codecs {
		if name == "shuffle" {
			if i > 0 {
				return fmt.Errorf("codec %q behind %q: readers of references shuffle whole elements only; convert the file to Zarr instead: %w", name, m.Codecs[i-1], formats.ErrFormat)
			}
			x.codecs = append(x.codecs, object{{"id", "shuffle"}, {"elementsize", m.ItemBytes}})
			continue
		}
		c, ok := v2Codecs[name]
		if !ok {
			return fmt.Errorf("codec %q: readers of references do not have it; convert the file to Zarr instead: %w", name, formats.ErrFormat)
		}
		x.codecs = append(x.codecs, c)
	}
	x.zlib = len(m.Codecs) == 1 && m.Codecs[0] == "zlib"
	full, err := x.steps.Bytes(int64(m.ItemBytes))
	if err != nil {
		return err
	}
	if m.Shape.Size() == 0 {
		return nil
	}
	if n := x.grid.Len(); n > maxUnwritten {
		if s, ok := src.(formats.Sizer); ok {
			if stored, err := s.StoredBytes(ctx); err == nil && stored >= 0 && stored < n {
				return fmt.Errorf("%d chunks of %d bytes that are stored: most were never written, and at most %d of those are gone through: %w", n, stored, maxUnwritten, formats.ErrFormat)
			}
		}
	}
	var key chunk.Key
	blosc := len(m.Codecs) > 0 && m.Codecs[len(m.Codecs)-1] == "blosc"
	for n := range x.grid.Len() {
		if err := ctx.Err(); err != nil {
			return err
		}
		key = x.grid.At(n, key)
		ref, err := src.Ref(ctx, key)
		if err != nil {
			return err
		}
		if blosc && !ref.Missing {
			if err := x.snappy(ref); err != nil {
				return err
			}
			blosc = false // all chunks are made by one filter
		}
		if err := x.one(ctx, key, ref, full); err != nil {
			return fmt.Errorf("chunk %s: %w", keyText(key), err)
		}
	}
	return nil
}

// snappy refuses Blosc's one inner codec that numcodecs is built without: only a chunk's own header names it.
func (x *referred) snappy(ref formats.ChunkRef) error {
	var head [4]byte
	if f := x.r.File; f == nil || ref.Inline != nil || ref.Mask != 0 || ref.Len < int64(len(head)) {
		return nil
	} else if _, err := f.ReadAt(head[:], ref.Off); err != nil {
		return err
	}
	if head[2]>>5 == 2 {
		return fmt.Errorf("codec blosc with snappy: readers of references do not have it; convert the file to Zarr instead: %w", formats.ErrFormat)
	}
	return nil
}

// one refers to one chunk, whose decoded bytes are full.
func (x *referred) one(ctx context.Context, k chunk.Key, ref formats.ChunkRef, full int64) error {
	r := x.r
	switch {
	case ref.Missing && x.grid.Len() == 1 && full <= r.Inline && len(x.codecs) == 0 && !x.m.FillSet && x.m.ByteOrder != "big":
		// a scalar nobody has written, as grid mappings often are: version 2's fill_value would make its value a missing one
		b, err := x.whole(ctx, k, full)
		if err != nil {
			return err
		}
		x.add(k, base64Text(b))
	case ref.Missing:
		x.missing = true
		return nil
	case ref.Mask != 0 && len(x.codecs) > 0:
		return fmt.Errorf("it is stored without some of its filters, which references cannot say: %w", formats.ErrFormat)
	case ref.Short || len(x.codecs) == 0 && ref.Inline == nil && ref.Len < full:
		b, err := x.whole(ctx, k, full)
		if err != nil {
			return err
		}
		x.add(k, base64Text(b))
	case ref.Inline != nil:
		x.add(k, base64Text(ref.Inline))
	case r.File != nil && ref.Len >= 0 && ref.Len <= r.Inline:
		b := make([]byte, ref.Len)
		if n, err := r.File.ReadAt(b, ref.Off); n < len(b) {
			return fmt.Errorf("read %d bytes at %d: %w", ref.Len, ref.Off, err)
		}
		x.add(k, base64Text(b))
	default:
		if len(x.codecs) == 0 && ref.Len > full {
			ref.Len = full
		}
		x.add(k, []any{r.URL, ref.Off, ref.Len})
	}
	return nil
}

// maxShort bounds the chunks that are written anew.
const maxShort = 64 << 20

// whole returns a chunk that is stored with fewer rows than the others, the last strip of an image, padded and encoded again.
func (x *referred) whole(ctx context.Context, k chunk.Key, full int64) ([]byte, error) {
	if len(x.codecs) > 0 && !x.zlib || full > maxShort {
		return nil, fmt.Errorf("it has fewer rows than the others and would have to be encoded again with %v: %w", x.m.Codecs, formats.ErrFormat)
	}
	if x.m.ByteOrder == "big" {
		return nil, fmt.Errorf("it has fewer rows than the others, in big-endian order: %w", formats.ErrFormat)
	}
	box := &chunk.Chunk{DType: x.m.DType, ItemBytes: int32(x.m.ItemBytes), Shape: x.steps, Strides: x.steps.RowMajor(), Block: wrap(make([]byte, full))}
	part := x.grid.Region(k)
	if _, err := formats.ReadRegion(ctx, x.v.Source, part, box.Sub(chunk.Whole(part.Shape()))); err != nil {
		return nil, err
	}
	if !x.zlib {
		return box.Bytes(), nil
	}
	var b bytes.Buffer
	w := zlib.NewWriter(&b)
	_, err := w.Write(box.Bytes())
	if cerr := w.Close(); err == nil {
		err = cerr
	}
	return b.Bytes(), err
}

// Hierarchy emits the keys of a Zarr hierarchy of either version: metadata as it is, every other value as a reference
// to url and its key.
func Hierarchy(ctx context.Context, st store.Store, url string, emit func(key string, value any) error) error {
	var walk func(prefix string, depth int) error
	walk = func(prefix string, depth int) error {
		l, err := st.List(ctx, prefix)
		if err != nil || depth > maxRank+maxGroups {
			return err
		}
		for _, e := range l {
			key := join(prefix, e.Name)
			switch {
			case e.Dir:
				err = walk(key, depth+1)
			case e.Name == "zarr.json" || strings.HasPrefix(e.Name, ".z"):
				var b []byte
				if b, err = st.Get(ctx, key, store.All, maxDocument, nil); err == nil {
					err = emit(key, string(b))
				}
			default:
				err = emit(key, []any{strings.TrimRight(url, "/") + "/" + key})
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
	return walk("", 0)
}

// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// newSink returns the sink of a variable with its metadata document and, for version 2, its attributes.
func newSink(w *writer, v *formats.VarSpec, version int) (*sink, object, object, error) {
	if v.Dims != nil && len(v.Dims) != len(v.Shape) {
		return nil, nil, nil, fmt.Errorf("%d dimension names for shape %v: %w", len(v.Dims), v.Shape, chunk.ErrShape)
	}
	el, err := elemIn(v, version)
	if err != nil {
		return nil, nil, nil, err
	}
	s := &sink{w: w, path: v.Name, name: v.Name, el: el, keys: keyEncoding{"c", "/"}, vlen: el.dt == dtype.String, fill: v.Fill}
	if version == 2 {
		s.keys = keyEncoding{"", "."}
	}
	hint := chunk.DefaultGrid(v.Shape, el.item)
	if v.Grid != nil {
		hint = *v.Grid
	}
	s.full = make(chunk.Shape, len(v.Shape))
	s.grid = chunk.Grid{Shape: v.Shape.Clone(), Axes: make([]chunk.Axis, len(v.Shape))}
	for i, n := range v.Shape {
		step := max(1, min(hint.Axes[i].Max(), n))
		if n == 0 {
			step = max(1, hint.Axes[i].Step) // what will be appended is cut like that
		}
		s.full[i], s.grid.Axes[i] = step, chunk.Axis{Len: n, Step: step}
	}
	if err := s.setShards(v, version); err != nil {
		return nil, nil, nil, err
	}
	attrs := slices.Clone(v.Attrs)
	fill, known := attrs.Get("_FillValue")
	if version == 2 && known && v.Dims != nil {
		// version 2 has one place for both: readers take fill_value for _FillValue, which says what the values mean, so that it wins
		attrs = attrs.Without("_FillValue")
		f, err := el.ofAttr(fill)
		switch {
		case err == nil:
			s.fill = f
		case s.fill == nil:
			return nil, nil, nil, fmt.Errorf("attribute _FillValue: %w", err)
		}
	}
	if version == 3 && known && el.dt.IsFloat() {
		attrs = attrs.With("_FillValue", encodeFill(fill))
	}
	if version == 2 {
		dims := make([]any, len(v.Dims))
		for i, d := range v.Dims {
			dims[i] = d
		}
		if v.Dims != nil {
			attrs = append(attrs, formats.Attr{Name: "_ARRAY_DIMENSIONS", Value: dims})
		}
	}
	js, err := attrsJSON(attrs)
	if err != nil {
		return nil, nil, nil, err
	}
	if s.fill != nil && !s.vlen {
		// what a reader will make of it: the metadata has one NaN only
		if s.fill, err = el.fill(fillJSON(el.fillValue(s.fill, version)), version == 2); err != nil {
			return nil, nil, nil, fmt.Errorf("fill value: %w", err)
		}
	}
	var doc object
	if version == 2 {
		doc, err = s.document2(v)
	} else {
		doc, err = s.document3(v, js)
	}
	return s, doc, js, err
}

// encodeFill spells _FillValue of a float array in version 3 as xarray does: base64 of a
// little-endian float64. A bare NaN would be no JSON, and a text "NaN" no number.
func encodeFill(v any) any {
	f, ok := toFloat(fillJSON(v))
	if !ok {
		return v
	}
	return base64.StdEncoding.EncodeToString(binary.LittleEndian.AppendUint64(nil, math.Float64bits(f)))
}

// fillJSON returns a number of any Go type as the parser would give it.
func fillJSON(v any) any {
	b, err := appendJSON(nil, v, 0)
	if err != nil {
		return v
	}
	if out, err := parse(b); err == nil {
		return out
	}
	return v
}

// Holds returns an error wrapping formats.ErrFormat where a version of Zarr has no data type for the elements of a variable.
func Holds(v formats.VarSpec, version int) error {
	_, err := elemIn(&v, version)
	return err
}

// elemIn is elemOf for a version.
func elemIn(v *formats.VarSpec, version int) (elem, error) {
	el, err := elemOf(v)
	if version == 3 {
		el.joinCharacters()
	}
	if f := el.arrayField(); err == nil && version == 3 && f != "" {
		err = fmt.Errorf("field %q is an array; structs of Zarr version 3 have none: write version 2: %w", f, formats.ErrFormat)
	}
	return el, err
}

// elemOf returns the element type a variable is stored as.
func elemOf(v *formats.VarSpec) (elem, error) {
	name, _ := v.Stored.(string)
	switch v.DType {
	case dtype.String:
		if name == "bytes" {
			return vlen("bytes"), nil
		}
		if v.Stored != nil && name == "" {
			return elem{}, fmt.Errorf("data type %s cannot be written to Zarr, which has no sequences of numbers of any length; --lossy leaves it out: %w", formats.TypeText(v.Stored, v.DType), formats.ErrFormat)
		}
		return vlen("str"), nil
	case dtype.Raw:
		if v.Stored == nil && v.ItemBytes > 0 {
			return fixed('S', v.ItemBytes), nil
		}
		if e, ok := storedElem(v.Stored, 0); ok && e.item == v.ItemBytes {
			return e, nil
		}
		return elem{}, fmt.Errorf("data type %s of %d bytes cannot be written to Zarr: %w", formats.TypeText(v.Stored, v.DType), v.ItemBytes, formats.ErrFormat)
	case dtype.Int64:
		if e, ok := storedMoment(name); ok {
			return e, nil
		}
	}
	if !v.DType.IsNumeric() {
		return elem{}, fmt.Errorf("data type %v cannot be written to Zarr: %w", v.DType, formats.ErrFormat)
	}
	return numeric(v.DType), nil
}

// codecSpec splits "zstd:3" into its name and level, -1 where it has none.
func codecSpec(s string) (string, int64, error) {
	name, level, ok := strings.Cut(s, ":")
	if !ok {
		return name, -1, nil
	}
	n, err := strconv.ParseInt(level, 10, 32)
	if err != nil || n < 0 {
		return "", 0, fmt.Errorf("codec %q: the level is no number: %w", s, formats.ErrFormat)
	}
	return name, n, nil
}

// compressor returns the compressor's name and configuration as the metadata states it; "" for none.
func (s *sink) compressor(spec string, version int) (string, object, error) {
	name, level, err := codecSpec(spec)
	if err != nil {
		return "", nil, err
	}
	or := func(def int64) int64 {
		if level < 0 {
			return def
		}
		return level
	}
	switch name {
	case "none":
		return "", nil, nil
	case "", "zstd":
		if version == 2 { // tensorstore refuses a member it does not know there
			return "zstd", object{{"level", or(3)}}, nil
		}
		return "zstd", object{{"level", or(3)}, {"checksum", false}}, nil
	case "zlib", "gzip", "deflate":
		if version == 2 && name != "gzip" {
			return "zlib", object{{"level", or(4)}}, nil
		}
		return "gzip", object{{"level", or(4)}}, nil // version 3 knows deflate in this container only
	case "lz4":
		if version == 3 {
			name = "numcodecs.lz4"
		}
		return name, object{{"acceleration", max(or(1), 1)}}, nil
	case "blosc", "blosc-lz4", "blosc-zstd", "blosc-lz4hc":
		cname := strings.TrimPrefix(strings.TrimPrefix(name, "blosc"), "-")
		if cname == "" {
			cname = "lz4"
		}
		size, shuffle, word := int64(s.el.item), int64(1), "shuffle"
		if s.vlen || size == 1 {
			size, shuffle, word = 1, 0, "noshuffle"
		}
		if or(5) > 9 {
			return "", nil, fmt.Errorf("codec %q: Blosc's levels are 0 to 9: %w", spec, formats.ErrFormat)
		}
		if version == 2 {
			return "blosc", object{{"cname", cname}, {"clevel", or(5)}, {"shuffle", shuffle}, {"blocksize", int64(0)}}, nil
		}
		return "blosc", object{{"typesize", size}, {"cname", cname}, {"clevel", or(5)}, {"shuffle", word}, {"blocksize", int64(0)}}, nil
	}
	return "", nil, fmt.Errorf("codec %q: Zarr can be written with zstd, blosc-lz4, blosc-lz4hc, blosc-zstd, lz4, zlib, gzip or none: %w", spec, formats.ErrFormat)
}

func (s *sink) document3(v *formats.VarSpec, attrs object) (object, error) {
	first := object{{"name", "bytes"}}
	if s.vlen {
		first = object{{"name", s.vlenName()}}
	} else if len(s.el.units) > 0 {
		first = append(first, member{"configuration", object{{"endian", "little"}}})
	}
	codecs := []any{first}
	name, cfg, err := s.compressor(v.Codec, 3)
	if err != nil {
		return nil, err
	}
	var steps []codec.Step
	if name != "" {
		codecs = append(codecs, object{{"name", name}, {"configuration", cfg}})
		steps = append(steps, codec.Step{Name: name, Config: config(cfg)})
	}
	if s.chain, err = codec.NewChain(steps, codec.Layout{ItemBytes: s.el.item, Rank: len(s.full), Units: s.el.units}); err != nil {
		return nil, err
	}
	s.skip = true
	unit := s.full
	if s.shard != nil {
		codecs, unit = s.shardCodecs(codecs), s.shard
	}
	doc := object{{"zarr_format", 3}, {"node_type", "array"}, {"shape", list(v.Shape)}, {"data_type", s.el.name3()},
		{"chunk_grid", object{{"name", "regular"}, {"configuration", object{{"chunk_shape", list(unit)}}}}},
		{"chunk_key_encoding", object{{"name", "default"}, {"configuration", object{{"separator", "/"}}}}},
		{"fill_value", s.el.fillValue(s.fill, 3)}, {"codecs", codecs}, {"attributes", attrs}}
	if v.Dims != nil {
		names := make([]any, len(v.Dims))
		for i, d := range v.Dims {
			if d != "" {
				names[i] = d
			}
		}
		doc = append(doc, member{"dimension_names", names})
	}
	return append(doc, member{"storage_transformers", []any{}}), nil
}

func (s *sink) document2(v *formats.VarSpec) (object, error) {
	name, cfg, err := s.compressor(v.Codec, 2)
	if err != nil {
		return nil, err
	}
	if s.chain, err = codec.NewChain(nil, codec.Layout{ItemBytes: s.el.item, Rank: len(s.full)}); err != nil {
		return nil, err
	}
	var comp, filters any
	if name != "" {
		comp = append(object{{"id", name}}, cfg...)
		if err := s.chain.AppendV2(name, config(cfg)); err != nil {
			return nil, err
		}
	}
	if s.vlen {
		filters = []any{object{{"id", s.vlenName()}}}
	}
	// With named dimensions a fill_value would mean _FillValue: nobody asked for one, so there is none.
	var fill any
	if s.fill != nil || v.Dims == nil {
		fill = s.el.fillValue(s.fill, 2)
		s.skip = true
	}
	return object{{"zarr_format", 2}, {"shape", list(v.Shape)}, {"chunks", list(s.full)}, {"dtype", s.el.name2()}, {"compressor", comp},
		{"fill_value", fill}, {"order", "C"}, {"filters", filters}, {"dimension_separator", "."}}, nil
}

func (s *sink) vlenName() string {
	if s.el.stored == "bytes" {
		return "vlen-bytes"
	}
	return "vlen-utf8"
}

func list(s chunk.Shape) []any {
	out := make([]any, len(s))
	for i, n := range s {
		out[i] = n
	}
	return out
}

// Grid implements formats.Sink.
func (s *sink) Grid() chunk.Grid { return s.grid }

// ScratchBytes implements formats.Sink.
func (s *sink) ScratchBytes() int64 {
	n := int(s.full.Size()) * s.el.item
	b := int64(n) + s.chain.EncodeScratch(n) + 64<<10
	if s.shard != nil {
		b += s.shardBound()
	}
	return b
}

// WriteChunk implements formats.Sink.
func (s *sink) WriteChunk(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	n, err := s.write(ctx, k, c)
	if err != nil {
		return 0, fmt.Errorf("formats/zarr: write %s chunk %s: %w", s.name, keyText(k), err)
	}
	return n, nil
}

func (s *sink) write(ctx context.Context, k chunk.Key, c *chunk.Chunk) (int64, error) {
	if s.w.done.Load() {
		return 0, fmt.Errorf("the output is committed or aborted already")
	}
	if want := s.grid.Region(k).Shape(); !c.Shape.Equal(want) || c.DType != s.el.dt || int(c.ItemBytes) != s.el.item {
		return 0, fmt.Errorf("got a %v chunk of shape %v, want %v and %v: %w", c.DType, c.Shape, s.el.dt, want, chunk.ErrShape)
	}
	z := codec.Borrow()
	defer z.Return()
	encode := s.encode
	if s.shard != nil {
		room := shardRoom.Get().(*[]byte)
		defer shardRoom.Put(room)
		encode = func(c *chunk.Chunk, z *codec.Scratch) ([]byte, error) {
			var err error
			*room, err = s.encodeShard((*room)[:0], c, z)
			return *room, err
		}
	}
	enc, err := encode(c, z)
	if err != nil || len(enc) == 0 {
		return 0, err
	}
	key := make([]byte, 0, 64)
	key = s.keys.append(append(append(key, s.path...), '/'), k)
	if err := s.w.st.Put(ctx, string(key), enc, store.PutOpt{Direct: true}); err != nil {
		return 0, err
	}
	return int64(len(enc)), nil
}

// encode returns the stored bytes of a chunk, none where it is not stored. They are z's until its next use, or c's own.
func (s *sink) encode(c *chunk.Chunk, z *codec.Scratch) ([]byte, error) {
	if rows, ok := s.rows(c); ok {
		n := int(s.full.Size()) * s.el.item
		z.Enc = codec.Grow(z.Enc, s.chain.Bound(n))
		return s.chain.EncodeRows(z.Enc[:0], &rows, n, z)
	}
	var raw []byte
	switch {
	case s.vlen:
		z.Dec = appendTexts(z.Dec[:0], c, s.full, s.fill)
		raw = z.Dec
	case c.Contiguous() && c.Shape.Equal(s.full):
		raw = c.Bytes()
	default:
		z.Dec = codec.Grow(z.Dec, int(s.full.Size())*s.el.item)
		raw = z.Dec
		whole := &chunk.Chunk{DType: c.DType, ItemBytes: c.ItemBytes, Shape: s.full, Strides: s.full.RowMajor(), Block: wrap(raw)}
		if !c.Shape.Equal(s.full) {
			formats.FillElems(whole, s.fill)
		}
		formats.CopyElems(whole.Sub(chunk.Whole(c.Shape)), c)
	}
	if s.skip && !s.vlen && isFill(raw, s.fill, s.el.item) {
		return nil, nil
	}
	z.Enc = codec.Grow(z.Enc, s.chain.Bound(len(raw)))
	return s.chain.Encode(z.Enc[:0], raw, z)
}

// rows returns where a whole chunk lies whose rows are encoded as they lie, and do not begin as one that is not stored.
func (s *sink) rows(c *chunk.Chunk) (rows codec.Rows, ok bool) {
	if s.vlen || c.Contiguous() || !c.Shape.Equal(s.full) {
		return rows, false
	}
	if rows, ok = codec.RowsOf(c, s.full); !ok || !s.chain.EncodesRows(&rows) {
		return rows, false
	}
	var first [256]byte
	some := first[:len(first)/s.el.item*s.el.item]
	rows.Get(some, 0)
	return rows, !s.skip || len(some) > 0 && !isFill(some, s.fill, s.el.item)
}

// isFill reports whether every element of raw is fill, zeros where that is nil.
func isFill(raw, fill []byte, item int) bool {
	if len(raw) < item || item == 0 {
		return false
	}
	for i := range item {
		if fill == nil && raw[i] != 0 || fill != nil && raw[i] != fill[i] {
			return false
		}
	}
	// each element equals the one before it
	return bytes.Equal(raw[item:], raw[:len(raw)-item])
}

// appendTexts appends a chunk of texts as vlen-utf8 has them, padded to the full shape.
func appendTexts(b []byte, c *chunk.Chunk, full chunk.Shape, fill []byte) []byte {
	whole := &chunk.Chunk{DType: dtype.String, ItemBytes: 16, Shape: full, Strides: full.RowMajor(), Block: wrap(make([]byte, 16*full.Size()))}
	if !c.Shape.Equal(full) {
		formats.FillElems(whole, fill)
	}
	part := whole.Sub(chunk.Whole(c.Shape))
	part.Heap = whole.Heap
	formats.CopyElems(part, c)
	whole.Heap = part.Heap
	n := full.Size()
	b = binary.LittleEndian.AppendUint32(b, uint32(n))
	for i := range n {
		t := formats.Text(whole, i)
		b = append(binary.LittleEndian.AppendUint32(b, uint32(len(t))), t...)
	}
	return b
}

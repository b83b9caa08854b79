// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// placed is an array whose chunks lie at places that a test says.
type placed struct {
	meta formats.ArrayMeta
	refs func(k chunk.Key) (formats.ChunkRef, error)
}

func (s *placed) Meta() *formats.ArrayMeta { return &s.meta }
func (s *placed) ScratchBytes() int64      { return 0 }
func (s *placed) RefGrid() chunk.Grid      { return s.meta.Grid }
func (s *placed) Ref(_ context.Context, k chunk.Key) (formats.ChunkRef, error) {
	return s.refs(k)
}
func (s *placed) ReadChunk(_ context.Context, k chunk.Key, dst *chunk.Chunk) (int64, error) {
	formats.FillElems(dst, []byte{byte(k[0]), 1})
	return 0, nil
}

func newPlaced(codecs []string, order string, refs func(k chunk.Key) (formats.ChunkRef, error)) *placed {
	shape := chunk.Shape{5}
	return &placed{formats.ArrayMeta{Shape: shape, DType: dtype.Int16, ItemBytes: 2, Stored: "int16", ByteOrder: order, Chunked: true, Codecs: codecs,
		Grid: chunk.Regular(shape, 2), Bytes: -1}, refs}
}

// refer returns the keys of one variable called v.
func refer(src formats.Source, inline int64) (map[string]any, error) {
	out := map[string]any{}
	r := &Referrer{URL: "file", File: strings.NewReader(strings.Repeat("abcd", 100)), Inline: inline, Emit: func(k string, v any) error { out[k] = v; return nil }}
	return out, r.Group(context.Background(), &formats.Group{Vars: []formats.Var{{Name: "v", Dims: []string{"x"}, Source: src}}})
}

func TestReferrer(t *testing.T) {
	at := func(k chunk.Key) (formats.ChunkRef, error) {
		switch k[0] {
		case 0:
			return formats.ChunkRef{Off: 8, Len: 4}, nil
		case 1:
			return formats.ChunkRef{Missing: true}, nil
		}
		return formats.ChunkRef{Off: 12, Len: 2, Short: true}, nil
	}
	short := "base64:" + base64.StdEncoding.EncodeToString([]byte{2, 1, 0, 0})
	got, err := refer(newPlaced(nil, "little", at), 0)
	if err != nil || fmt.Sprint(got["v/0"]) != "[file 8 4]" || got["v/1"] != nil || got["v/2"] != short {
		t.Errorf("%v, %v", got, err)
	}
	if doc, _ := got["v/.zarray"].(string); !strings.Contains(doc, `"<i2"`) || !strings.Contains(doc, `"fill_value": 0`) || !strings.Contains(doc, `"chunks": [2]`) {
		t.Errorf("%s", doc)
	}
	if doc, _ := got["v/.zattrs"].(string); !strings.Contains(doc, "_ARRAY_DIMENSIONS") {
		t.Errorf("%s", doc)
	}
	got, err = refer(newPlaced([]string{"shuffle", "zlib"}, "big", func(chunk.Key) (formats.ChunkRef, error) { return formats.ChunkRef{Off: 4, Len: 6}, nil }), 6)
	if doc, _ := got["v/.zarray"].(string); err != nil || got["v/2"] != "base64:"+base64.StdEncoding.EncodeToString([]byte("abcdab")) || !strings.Contains(doc, `">i2"`) ||
		!strings.Contains(doc, `"elementsize": 2`) || !strings.Contains(doc, `"zlib"`) {
		t.Errorf("%v, %v", got, err)
	}
	for name, src := range map[string]formats.Source{
		"codec":    newPlaced([]string{"szip"}, "little", at),
		"mask":     newPlaced([]string{"zlib"}, "little", func(chunk.Key) (formats.ChunkRef, error) { return formats.ChunkRef{Len: 4, Mask: 1}, nil }),
		"short":    newPlaced([]string{"zstd"}, "little", at),
		"order":    newPlaced(nil, "big", at),
		"no place": struct{ formats.Source }{newPlaced(nil, "little", at)},
	} {
		if got, err := refer(src, 0); !errors.Is(err, formats.ErrFormat) || got["v/.zarray"] != nil {
			t.Errorf("%s: %v, %v, want ErrFormat and no keys of the variable", name, got, err)
		}
	}
}

// A reference of a hierarchy's own chunk is its key, in a shard with its place.
func TestRef(t *testing.T) {
	ctx := context.Background()
	path := filepath.Join(t.TempDir(), "s.zarr")
	shape := chunk.Shape{8}
	grid := chunk.Regular(shape, 2)
	data := formattest.New(dtype.Int16, 2, shape)
	for i := range chunk.Slice[int16](data) {
		chunk.Slice[int16](data)[i] = int16(max(i, 2)) // chunk 0 is not fill value, all are stored
	}
	w, err := Create(ctx, path, formats.Spec{Vars: []formats.VarSpec{{Name: "v", Shape: shape, DType: dtype.Int16, Grid: &grid, Shards: chunk.Shape{4}, Codec: "none"}}})
	if err == nil {
		err = formattest.Write(ctx, w, []*chunk.Chunk{data})
	}
	if err != nil {
		t.Fatal(err)
	}
	g, err := Open(ctx, path)
	if err != nil {
		t.Fatal(err)
	}
	src := g.Vars[0].Source.(formats.RefSource)
	st := store.NewDir(path)
	for k := range src.RefGrid().Covering(chunk.Whole(shape)) {
		ref, err := src.Ref(ctx, k)
		if err != nil {
			t.Fatal(err)
		}
		b, err := st.Get(ctx, ref.Key, store.Range{Off: ref.Off, Len: ref.Len}, 100, nil)
		if want := data.Bytes()[4*k[0] : 4*k[0]+4]; err != nil || string(b) != string(want) {
			t.Errorf("chunk %v at %+v: %x, %v, want %x", k, ref, b, err, want)
		}
	}
	keys := map[string]any{}
	err = Hierarchy(ctx, st, "/data/s.zarr/", func(k string, v any) error { keys[k] = v; return nil })
	if err != nil || fmt.Sprint(keys["v/c/1"]) != "[/data/s.zarr/v/c/1]" || !strings.Contains(fmt.Sprint(keys["v/zarr.json"]), "sharding_indexed") {
		t.Errorf("%v, %v", keys, err)
	}
}

// Filters that readers of references decode in another way, or lack, are refused by name.
func TestReferrerRefuses(t *testing.T) {
	all := func(chunk.Key) (formats.ChunkRef, error) { return formats.ChunkRef{Off: 8, Len: 40}, nil }
	for _, c := range []struct {
		codecs []string
		head   string
		part   string
	}{
		{[]string{"zlib", "shuffle"}, "", `codec "shuffle" behind "zlib"`}, {[]string{"shuffle", "lzf"}, "", `codec "lzf"`}, {[]string{"szip"}, "", `codec "szip"`}, {[]string{"bitshuffle"}, "", `codec "bitshuffle"`},
		{[]string{"lz4"}, "", `codec "lz4"`}, {[]string{"blosc"}, "\x02\x01\x41\x02", "snappy"}, {[]string{"blosc"}, "\x02\x01\x21\x02", ""}, {[]string{"shuffle", "bz2", "fletcher32"}, "", ""},
	} {
		r := &Referrer{URL: "file", File: strings.NewReader("01234567" + c.head + strings.Repeat(" ", 100)), Emit: func(string, any) error { return nil }}
		err := r.Group(context.Background(), &formats.Group{Vars: []formats.Var{{Name: "v", Source: newPlaced(c.codecs, "little", all)}}})
		if c.part == "" && err != nil || c.part != "" && (!errors.Is(err, formats.ErrFormat) || !strings.Contains(err.Error(), c.part)) {
			t.Errorf("%v %x: %v, want %q", c.codecs, c.head, err, c.part)
		}
	}
}

// TestReferrerUnwritten: one small chunk that was never written is put down with its values, so that they need no fill value, which readers of version 2 would
// take for what is missing. A stated fill value, several chunks and large ones are as they were.
func TestReferrerUnwritten(t *testing.T) {
	missing := func(chunk.Key) (formats.ChunkRef, error) { return formats.ChunkRef{Missing: true}, nil }
	for name, c := range map[string]struct {
		shape, step int64
		stated      bool
		inline      int64
		fill, value string // of the metadata and of the chunk
	}{
		"one":    {2, 2, false, 100, "null", "base64:AAEAAQ=="},
		"stated": {2, 2, true, 100, "257", ""},
		"two":    {2, 1, false, 100, "257", ""},
		"large":  {2, 2, false, 3, "257", ""},
	} {
		shape := chunk.Shape{c.shape}
		src := &placed{formats.ArrayMeta{Shape: shape, DType: dtype.Int16, ItemBytes: 2, Stored: "int16", Chunked: true, Grid: chunk.Regular(shape, c.step),
			Fill: []byte{1, 1}, FillSet: c.stated, Bytes: -1}, missing}
		got, err := refer(src, c.inline)
		if err != nil {
			t.Fatal(err)
		}
		value, _ := got["v/0"].(string)
		if doc := fmt.Sprint(got["v/.zarray"]); value != c.value || !strings.Contains(doc, `"fill_value": `+c.fill+`,`) {
			t.Errorf("%s: chunk %q, %s, want %q and fill value %s", name, value, doc, c.value, c.fill)
		}
	}
}

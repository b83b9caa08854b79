// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"testing"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
)

// visit asks everything that a group says of itself.
func visit(g *formats.Group) {
	Multiscales(g)
	Labels(g)
	Plate(g)
	for _, v := range g.Vars {
		if v.Source != nil {
			v.Source.Meta().Grid.Len()
			v.Source.ScratchBytes()
		}
	}
	for _, s := range g.Groups {
		visit(s.Group)
	}
}

// FuzzHierarchy: any document of a root with what it holds of others, consolidated or as what an update has left.
func FuzzHierarchy(f *testing.F) {
	f.Add([]byte(`{"zarr_format": 3, "node_type": "group", "attributes": {"a": NaN}, "consolidated_metadata": {"kind": "inline", "must_understand": false, "metadata": {"g": {"zarr_format": 3, "node_type": "group"},
		"g/a": {"zarr_format": 3, "node_type": "array", "shape": [2], "data_type": "int8", "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": [2]}}, "codecs": ["bytes"], "fill_value": 0, "dimension_names": ["x"]}}}}`))
	f.Add([]byte(`{"zarr_consolidated_format": 1, "metadata": {".zgroup": {"zarr_format": 2}, ".zattrs": {"multiscales": [{}]}, "g/.zgroup": {"zarr_format": 2}, "g/a/.zarray": {"zarr_format": 2, "shape": [2], "chunks": [2], "dtype": "<i2", "compressor": null, "filters": null, "order": "C", "fill_value": null}, "g/a/.zattrs": {"_ARRAY_DIMENSIONS": ["x"]}}}`))
	f.Add([]byte(`{"host": "h", "process": 1, "changes": [{"key": "zarr.json", "old": "{}", "new": "{ }"}, {"key": "a/.zarray", "old": "", "new": "x"}]}`))
	ctx := context.Background()
	for _, format := range []string{"zarr2", "zarr3"} { // with what is kept for NetCDF
		m := new(store.Memory)
		spec := grownSpec(format, nil, 6)
		spec.Dims = []formats.Dim{{Name: "time", Size: 6, Unlimited: true}, {Name: "unused", Size: 3}}
		w, err := CreateStore(ctx, m, spec)
		if err == nil {
			err = formattest.Write(ctx, w, grown(6))
		}
		if err != nil {
			f.Fatal(err)
		}
		for _, key := range []string{"zarr.json", ".zmetadata"} {
			if b, err := m.Get(ctx, key, store.All, -1, nil); err == nil {
				f.Add(b)
			}
		}
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		m := new(store.Memory)
		for _, key := range []string{"zarr.json", ".zmetadata", "g/zarr.json", "g/.zgroup"} {
			if err := m.Put(ctx, key, doc, store.PutOpt{}); err != nil {
				t.Fatal(err)
			}
		}
		if g, err := OpenStore(ctx, m); err == nil {
			visit(g)
		}
		if err := m.Delete(ctx, "zarr.json"); err != nil {
			t.Fatal(err)
		}
		if g, err := OpenStore(ctx, m); err == nil {
			visit(g)
		}
		if err := m.Put(ctx, intent, doc, store.PutOpt{}); err != nil {
			t.Fatal(err)
		}
		if w, err := UpdateStore(ctx, m, nil); err == nil {
			if err := w.Abort(); err != nil {
				t.Error(err)
			}
		}
	})
}

// FuzzUpdate: any metadata of an array into which a region is written.
func FuzzUpdate(f *testing.F) {
	f.Add([]byte(head + `"shape":[4,2],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[2,2]}},"codecs":[{"name":"transpose","configuration":{"order":[1,0]}},"bytes","crc32c"],"data_type":"int16","fill_value":0}`))
	f.Add([]byte(head + `"shape":[4],"chunk_grid":{"name":"regular","configuration":{"chunk_shape":[4]}},"codecs":[{"name":"sharding_indexed","configuration":{"chunk_shape":[2],"codecs":["bytes"],"index_codecs":["bytes","crc32c"],"index_location":"start"}}],"data_type":"int8","fill_value":1}`))
	f.Add([]byte(head + `"shape":[3],"chunk_grid":{"name":"rectilinear","configuration":{"kind":"inline","chunk_shapes":[[1,2]]}},"codecs":["vlen-utf8"],"data_type":"string","fill_value":"a"}`))
	f.Add([]byte(`{"zarr_format":2,"shape":[5],"chunks":[2],"dtype":[["a","<i2"],["b",">f4",[2]]],"order":"F","filters":[{"id":"shuffle","elementsize":10}],"compressor":{"id":"zlib"},"fill_value":null}`))
	ctx := context.Background()
	f.Fuzz(func(t *testing.T, doc []byte) {
		m := new(store.Memory)
		for _, key := range []string{"a/zarr.json", "a/.zarray"} {
			if err := m.Put(ctx, key, doc, store.PutOpt{}); err != nil {
				t.Fatal(err)
			}
		}
		n, err := (&tree{st: m}).own(ctx, "a")
		if err != nil || n == nil {
			return
		}
		a, err := newArray(m, "a", "a", n.doc, n.version)
		if err != nil || a.meta.Grid.MaxChunk().Size() > 1<<12 || a.el.item > 1<<8 || a.meta.Shape.Size() == 0 {
			return
		}
		at := formats.Part{Name: "a"}.At
		at.Lo, at.Hi = make([]int64, len(a.meta.Shape)), make([]int64, len(a.meta.Shape))
		for i, s := range a.meta.Shape {
			at.Lo[i], at.Hi[i] = s-1, s+1 // the last elements, and new ones behind them
			if len(a.unit[i]) > 1 {
				at.Hi[i] = s
			}
			if a.unit[i][0] > 1<<12 {
				return
			}
		}
		w, err := UpdateStore(ctx, m, []formats.Part{{Name: "a", At: at}})
		if err != nil {
			return
		}
		part := formattest.New(a.el.dt, a.el.item, at.Shape())
		s := w.Sink(0)
		for i := range min(s.Grid().Len(), 4) {
			k := s.Grid().At(i, nil)
			if _, err := s.WriteChunk(ctx, k, part.Sub(s.Grid().Region(k))); err != nil {
				return
			}
		}
		if w.Commit(ctx) == nil {
			n, err := (&tree{st: m}).own(ctx, "a")
			if err != nil || n == nil {
				t.Fatalf("after Commit: %v", err)
			}
		}
	})
}

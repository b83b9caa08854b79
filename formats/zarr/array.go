// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"strconv"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// array is one stored array: a formats.Source.
type array struct {
	st   store.Store
	path string // key of the node, "" at the root
	name string // for messages
	meta formats.ArrayMeta
	el   elem
	keys keyEncoding
	top  *pipeline
	// shape of whole stored units (shards, or chunks where there are none), by axis: one length, or
	// one for each position of an irregular axis
	unit [][]int64
	idx  indexCache
}

// keyEncoding says how the key of a stored unit is spelled.
type keyEncoding struct {
	prefix string // "c" for v3's default encoding
	sep    string
}

func (e keyEncoding) append(b []byte, k []int64) []byte {
	b = append(b, e.prefix...)
	for i, x := range k {
		if i > 0 || e.prefix != "" {
			b = append(b, e.sep...)
		}
		b = strconv.AppendInt(b, x, 10)
	}
	if e.prefix == "" && len(k) == 0 {
		b = append(b, '0')
	}
	return b
}

// Limits of what metadata may say.
const (
	maxRank       = 32
	maxChunkBytes = 1 << 38
)

func lengths(v any, what string, least int64) (chunk.Shape, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("%s is %v, want a list of integers: %w", what, plain(v), formats.ErrCorrupt)
	}
	if len(list) > maxRank {
		return nil, fmt.Errorf("%s has %d axes, want at most %d: %w", what, len(list), maxRank, formats.ErrFormat)
	}
	s := make(chunk.Shape, len(list))
	for i, x := range list {
		n, ok := x.(int64)
		if f, isFloat := x.(float64); isFloat && f == float64(int64(f)) {
			n, ok = int64(f), true
		}
		if !ok || n < least {
			return nil, fmt.Errorf("%s %v: axis %d is not an integer of at least %d: %w", what, plain(v), i, least, formats.ErrCorrupt)
		}
		s[i] = n
	}
	return s, nil
}

// newArray reads the metadata document of an array of either version.
func newArray(st store.Store, path, name string, doc object, version int) (*array, error) {
	a := &array{st: st, path: path, name: name}
	v, _ := doc.get("shape")
	shape, err := lengths(v, "shape", 0)
	if err != nil {
		return nil, err
	}
	a.meta = formats.ArrayMeta{Shape: shape, Chunked: true, Bytes: -1}
	if version == 2 {
		err = a.version2(doc)
	} else {
		err = a.version3(doc)
	}
	if err != nil {
		return nil, err
	}
	m := &a.meta
	m.DType, m.ItemBytes, m.Stored = a.el.dt, a.el.item, a.el.stored
	if len(a.el.units) > 0 {
		m.ByteOrder = "little"
		if a.top.swaps() {
			m.ByteOrder = "big"
		}
	}
	m.Codecs = a.top.names()
	if _, err := shape.Bytes(int64(max(1, m.ItemBytes))); err != nil {
		return nil, fmt.Errorf("%w: %w", err, formats.ErrCorrupt)
	}
	if n, err := m.Grid.MaxChunk().Bytes(int64(max(1, m.ItemBytes))); err != nil || n > maxChunkBytes {
		return nil, fmt.Errorf("a chunk of shape %v is too large: %w", m.Grid.MaxChunk(), formats.ErrFormat)
	}
	return a, nil
}

// regular sets the grid of chunks of one shape.
func (a *array) regular(steps chunk.Shape) error {
	if len(steps) != len(a.meta.Shape) {
		return fmt.Errorf("chunk shape %v does not have the %d axes of shape %v: %w", steps, len(a.meta.Shape), a.meta.Shape, formats.ErrCorrupt)
	}
	if n, err := steps.Bytes(int64(max(1, a.el.item))); err != nil || n > maxChunkBytes {
		return fmt.Errorf("a chunk of shape %v is too large: %w", steps, formats.ErrFormat)
	}
	a.meta.Grid = chunk.Grid{Shape: a.meta.Shape, Axes: make([]chunk.Axis, len(steps))}
	a.unit = make([][]int64, len(steps))
	for i, n := range steps {
		a.meta.Grid.Axes[i] = chunk.Axis{Len: a.meta.Shape[i], Step: n}
		a.unit[i] = []int64{n}
	}
	return nil
}

// full returns the stored length along axis i of the unit at position k.
func (a *array) full(i int, k int64) int64 {
	u := a.unit[i]
	if len(u) == 1 {
		return u[0]
	}
	return u[k]
}

// version2 reads the rest of a .zarray.
func (a *array) version2(doc object) error {
	v, _ := doc.get("dtype")
	var err error
	if a.el, err = parseV2(v, 0); err != nil {
		return err
	}
	a.keys = keyEncoding{sep: "."}
	if s, _ := doc.get("dimension_separator"); s == "/" {
		a.keys.sep = "/"
	}
	filters, _ := doc.get("filters")
	list, _ := filters.([]any)
	if c, _ := doc.get("compressor"); c != nil {
		list = append(list[:len(list):len(list)], c)
	}
	p := &pipeline{}
	rank := len(a.meta.Shape)
	layout := codec.Layout{ItemBytes: a.el.item, DType: a.el.dt, Rank: rank, Units: a.el.units, Big: a.el.big}
	steps := []codec.Step{}
	switch o, is := doc.get("order"); {
	case is && o != "C" && o != "F":
		return fmt.Errorf("order %v, want \"C\" or \"F\": %w", o, formats.ErrCorrupt)
	case o == "F" && rank > 1:
		steps = append(steps, codec.Step{Name: "transpose", Config: codec.Config{"order": "F"}})
	}
	if p.chain, err = codec.NewChain(steps, layout); err != nil {
		return err
	}
	for i, x := range list {
		o, _ := x.(object)
		id, _ := o.get("id")
		name, _ := id.(string)
		p.codecs = append(p.codecs, name)
		if a.el.dt == dtype.String && i == 0 && (name == "vlen-utf8" || name == "vlen-bytes") {
			a.el.stored = map[string]string{"vlen-utf8": "str", "vlen-bytes": "bytes"}[name]
			p.vlen = name
			continue
		}
		if err := p.chain.AppendV2(name, config(o)); err != nil {
			return err
		}
	}
	p.chain.Finish()
	if a.el.dt == dtype.String && p.vlen == "" {
		return badType("object", ": its filter is not vlen-utf8 or vlen-bytes")
	}
	a.top = p
	v, _ = doc.get("chunks")
	steps2, err := lengths(v, "chunks", 1)
	if err != nil {
		return err
	}
	if err := a.regular(steps2); err != nil {
		return err
	}
	p.shape = steps2
	v, _ = doc.get("fill_value")
	if a.meta.Fill, err = a.el.fill(v, true); err != nil {
		return err
	}
	a.meta.FillSet = v != nil
	return nil
}

// v3Known are the members of an array's zarr.json that are understood.
var v3Known = map[string]bool{"zarr_format": true, "node_type": true, "shape": true, "data_type": true, "chunk_grid": true,
	"chunk_key_encoding": true, "fill_value": true, "codecs": true, "attributes": true, "storage_transformers": true, "dimension_names": true}

func (a *array) version3(doc object) error {
	for _, m := range doc {
		if v3Known[m.name] {
			continue
		}
		o, _ := m.value.(object)
		if must, ok := o.get("must_understand"); !ok || must != false {
			return fmt.Errorf("extension %q of the array must be understood and is not: %w", m.name, formats.ErrFormat)
		}
	}
	if t, _ := doc.get("storage_transformers"); t != nil {
		if l, ok := t.([]any); !ok || len(l) > 0 {
			return fmt.Errorf("storage transformers %v are not supported: %w", plain(t), formats.ErrFormat)
		}
	}
	v, _ := doc.get("data_type")
	var err error
	if a.el, err = parseV3(v, 0); err != nil {
		return err
	}
	if err := a.keys3(doc); err != nil {
		return err
	}
	if err := a.grid3(doc); err != nil {
		return err
	}
	v, _ = doc.get("codecs")
	list, _ := v.([]any)
	shape := make(chunk.Shape, len(a.unit))
	irregular := false
	for i := range shape {
		shape[i] = a.unit[i][0]
		irregular = irregular || len(a.unit[i]) > 1
	}
	if a.top, err = newPipeline(list, &a.el, shape, 0); err != nil {
		return err
	}
	if a.top.shard != nil {
		if irregular {
			return fmt.Errorf("codec sharding_indexed: it is not supported on a rectilinear grid: %w", formats.ErrFormat)
		}
		if err := a.sharded(); err != nil {
			return err
		}
	}
	v, ok := doc.get("fill_value")
	if !ok {
		return fmt.Errorf("no fill_value: %w", formats.ErrCorrupt)
	}
	if a.meta.Fill, err = a.el.fill(v, false); err != nil {
		return err
	}
	a.meta.FillSet = true
	return nil
}

func (a *array) keys3(doc object) error {
	v, ok := doc.get("chunk_key_encoding")
	a.keys = keyEncoding{"c", "/"}
	if !ok {
		return nil
	}
	name, cfg, err := nameConfig(v)
	if err != nil {
		return err
	}
	switch name {
	case "default":
		a.keys.sep = cfg.Text("separator", "/")
	case "v2":
		a.keys = keyEncoding{"", cfg.Text("separator", ".")}
	default:
		return fmt.Errorf("chunk key encoding %q is not known: %w", name, formats.ErrFormat)
	}
	if a.keys.sep != "/" && a.keys.sep != "." {
		return fmt.Errorf("chunk key separator %q, want \"/\" or \".\": %w", a.keys.sep, formats.ErrCorrupt)
	}
	return nil
}

func (a *array) grid3(doc object) error {
	v, _ := doc.get("chunk_grid")
	name, cfg, err := nameConfig(v)
	if err != nil {
		return err
	}
	switch name {
	case "regular":
		steps, err := lengths(cfg["chunk_shape"], "chunk_shape", 1)
		if err != nil {
			return err
		}
		return a.regular(steps)
	case "rectilinear":
		return a.rectilinear(cfg)
	}
	return fmt.Errorf("chunk grid %q is not known: %w", name, formats.ErrFormat)
}

// rectilinear reads a grid of irregular axes: for each axis one step, or a list of lengths and
// [length, count] pairs.
func (a *array) rectilinear(cfg codec.Config) error {
	const maxCuts = 1 << 22
	list, _ := cfg["chunk_shapes"].([]any)
	if len(list) != len(a.meta.Shape) {
		return fmt.Errorf("chunk_shapes %v does not have the %d axes of the shape: %w", plain(cfg["chunk_shapes"]), len(a.meta.Shape), formats.ErrCorrupt)
	}
	bad := func(i int) error {
		return fmt.Errorf("chunk_shapes: axis %d: bad lengths for %d elements: %w", i, a.meta.Shape[i], formats.ErrCorrupt)
	}
	g := chunk.Grid{Shape: a.meta.Shape, Axes: make([]chunk.Axis, len(list))}
	a.unit = make([][]int64, len(list))
	for i, x := range list {
		n := a.meta.Shape[i]
		if step, ok := x.(int64); ok {
			if step < 1 {
				return bad(i)
			}
			g.Axes[i], a.unit[i] = chunk.Axis{Len: n, Step: step}, []int64{step}
			continue
		}
		items, _ := x.([]any)
		edges, sizes := []int64{0}, []int64{}
		for _, y := range items {
			size, count := y, int64(1)
			if pair, ok := y.([]any); ok && len(pair) == 2 {
				size = pair[0]
				count, _ = pair[1].(int64)
			}
			s, ok := size.(int64)
			if !ok || s < 1 || s > maxChunkBytes || count < 1 || int64(len(sizes))+count > maxCuts {
				return bad(i)
			}
			for range count {
				at := edges[len(edges)-1]
				if at >= n {
					break // lengths behind the end of the array hold nothing
				}
				edges, sizes = append(edges, min(at+s, n)), append(sizes, s)
			}
		}
		if edges[len(edges)-1] < n {
			return bad(i)
		}
		if len(sizes) == 1 {
			g.Axes[i], a.unit[i] = chunk.Axis{Len: n, Step: sizes[0]}, sizes
			continue
		}
		if len(sizes) == 0 {
			g.Axes[i], a.unit[i] = chunk.Axis{Len: 0, Step: 1}, []int64{1}
			continue
		}
		g.Axes[i], a.unit[i] = chunk.Axis{Len: n, Edges: edges}, sizes
	}
	a.meta.Grid = g
	return nil
}

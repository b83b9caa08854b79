// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"fmt"
	"slices"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// pipeline is the way between a chunk (or shard) and its bytes. With shard set, the chain's stages are
// those behind the sharding codec and its order is the transposition before it.
type pipeline struct {
	chain *codec.Chain
	shape chunk.Shape // of what it codes, in array axes; stored axis i is array axis chain.Order[i]
	vlen  string      // "vlen-utf8" or "vlen-bytes": texts
	shard *shard

	codecs []string // as the metadata names them
}

// shard is the sharding_indexed codec. Shapes and counts are in the axes of the stored shard.
type shard struct {
	inner   *pipeline
	counts  chunk.Shape // inner chunks along each axis
	index   *codec.Chain
	indexAt string // "start" or "end"
	raw     int    // bytes of the decoded index
	stored  int    // bytes of the stored index
}

// maxIndex bounds the decoded index of a shard.
const maxIndex = 1 << 28

func newPipeline(list []any, el *elem, shape chunk.Shape, depth int) (*pipeline, error) {
	if depth > 4 {
		return nil, fmt.Errorf("codec sharding_indexed: nested more than 4 times: %w", formats.ErrFormat)
	}
	p := &pipeline{shape: shape}
	layout := codec.Layout{ItemBytes: el.item, DType: el.dt, Rank: len(shape), Units: el.units}
	now := *el // what the array-to-array codecs make of it
	var before, after []codec.Step
	var sharding codec.Config
	toBytes, outside := false, ""
	for _, x := range list {
		name, cfg, err := nameConfig(x)
		if err != nil {
			return nil, fmt.Errorf("codec: %w", err)
		}
		p.codecs = append(p.codecs, name)
		switch name {
		case "sharding_indexed", "vlen-utf8", "vlen-bytes", "bytes":
			if toBytes {
				return nil, fmt.Errorf("codec %s: it follows a codec that already made bytes: %w", name, formats.ErrCorrupt)
			}
			toBytes = true
			switch name {
			case "sharding_indexed":
				sharding = cfg
				if sharding == nil {
					sharding = codec.Config{}
				}
			case "bytes":
				before = append(before, codec.Step{Name: name, Config: cfg})
			default:
				p.vlen = name
			}
		case "transpose":
			before = append(before, codec.Step{Name: name, Config: cfg})
		default:
			e, known := codec.ByName(name)
			if !known || e.Array == nil {
				after = append(after, codec.Step{Name: name, Config: cfg})
				break
			}
			if cfg, now, err = scalars(name, cfg, now); err != nil {
				return nil, fmt.Errorf("codec %s: %w", name, err)
			}
			outside = name
			before = append(before, codec.Step{Name: name, Config: cfg})
			toBytes = toBytes || name == "packbits"
		}
	}
	if sharding != nil && outside != "" {
		return nil, fmt.Errorf("codec %s: around shards it is not supported, only inside of them: %w", outside, formats.ErrFormat)
	}
	if p.chain = (*codec.Chain)(nil); !toBytes {
		// The first array-to-bytes codec is what we do not know, when one that we do is missing.
		for _, s := range after {
			if _, ok := codec.ByName(s.Name); !ok {
				return nil, unknownCodec(s.Name)
			}
		}
		return nil, fmt.Errorf("codecs: none of them makes bytes: %w", formats.ErrCorrupt)
	}
	if sharding == nil && (p.vlen != "") != (el.dt == dtype.String) {
		return nil, fmt.Errorf("codecs do not fit data type %v: %w", el.stored, formats.ErrFormat)
	}
	var err error
	if p.chain, err = codec.NewChain(before, layout); err != nil {
		return nil, err
	}
	for _, s := range after {
		if err := p.chain.Append(s); err != nil {
			return nil, err
		}
	}
	if sharding != nil {
		p.shard, err = newShard(sharding, el, p.storedShape(), depth)
	}
	return p, err
}

// scalars replaces the scalars and data types in the configuration of a codec that computes by elements of
// the type el, and returns the type it makes.
func scalars(name string, cfg codec.Config, el elem) (codec.Config, elem, error) {
	switch name {
	case "scale_offset":
		out := codec.Config{}
		for _, k := range []string{"offset", "scale"} {
			if v, ok := cfg[k]; ok {
				b, err := el.fill(v, false)
				if err != nil {
					return nil, el, err
				}
				out[k] = b
			}
		}
		return out, el, nil
	case "cast_value":
		to, err := parseV3(cfg["data_type"], 0)
		if err != nil {
			return nil, el, err
		}
		out := codec.Config{"data_type": codec.Elem{DType: to.dt, Bytes: to.item}}
		for _, k := range []string{"rounding", "out_of_range"} {
			if v, ok := cfg[k]; ok {
				out[k] = v
			}
		}
		maps, _ := cfg["scalar_map"].(object)
		pairs := codec.Config{}
		for k, types := range map[string][2]elem{"encode": {el, to}, "decode": {to, el}} {
			v, _ := maps.get(k)
			list, _ := v.([]any)
			both := [][2][]byte{}
			for _, x := range list {
				p, _ := x.([]any)
				if len(p) != 2 {
					return nil, el, fmt.Errorf("scalar_map: %v is no pair: %w", plain(x), formats.ErrCorrupt)
				}
				var two [2][]byte
				for i := range two {
					if two[i], err = types[i].fill(p[i], false); err != nil {
						return nil, el, err
					}
				}
				both = append(both, two)
			}
			pairs[k] = both
		}
		out["scalar_map"] = pairs
		return out, to, nil
	}
	return cfg, el, nil
}

func unknownCodec(name string) error {
	return fmt.Errorf("codec %s: this codec is not known; rewrite the array with zstd, gzip or blosc: %w", name, formats.ErrFormat)
}

// storedShape returns p.shape in the order of the stored axes.
func (p *pipeline) storedShape() chunk.Shape { return permute(p.shape, p.chain.Order) }

func permute(s []int64, order []int) []int64 {
	if order == nil {
		return s
	}
	out := make([]int64, len(s))
	for i, o := range order {
		out[i] = s[o]
	}
	return out
}

func newShard(cfg codec.Config, el *elem, shape chunk.Shape, depth int) (*shard, error) {
	inner, err := lengths(cfg["chunk_shape"], "sharding_indexed chunk_shape", 1)
	if err != nil {
		return nil, err
	}
	if len(inner) != len(shape) {
		return nil, fmt.Errorf("sharding_indexed chunk_shape %v does not have the axes of shard %v: %w", inner, shape, formats.ErrCorrupt)
	}
	s := &shard{counts: make(chunk.Shape, len(shape)), indexAt: cfg.Text("index_location", "end")}
	for i := range shape {
		if shape[i]%inner[i] != 0 {
			return nil, fmt.Errorf("sharding_indexed chunk_shape %v does not divide shard %v: %w", inner, shape, formats.ErrCorrupt)
		}
		s.counts[i] = shape[i] / inner[i]
	}
	if s.indexAt != "start" && s.indexAt != "end" {
		return nil, fmt.Errorf("sharding_indexed index_location %q: %w", s.indexAt, formats.ErrCorrupt)
	}
	n, err := s.counts.Bytes(16)
	if err != nil || n > maxIndex {
		return nil, fmt.Errorf("sharding_indexed: shard %v of chunks %v has too many of them: %w", shape, inner, formats.ErrFormat)
	}
	s.raw = int(n)
	list, _ := cfg["codecs"].([]any)
	if s.inner, err = newPipeline(list, el, inner, depth+1); err != nil {
		return nil, err
	}
	index, _ := cfg["index_codecs"].([]any)
	var steps []codec.Step
	for _, x := range index {
		name, c, err := nameConfig(x)
		if err != nil {
			return nil, err
		}
		switch name {
		case "bytes":
		case "crc32c":
			s.stored += 4
		default:
			return nil, fmt.Errorf("index codec %q gives no fixed size, want bytes or crc32c: %w", name, formats.ErrFormat)
		}
		steps = append(steps, codec.Step{Name: name, Config: c})
	}
	s.stored += s.raw
	s.index, err = codec.NewChain(steps, codec.Layout{ItemBytes: 8, Rank: 1, Units: []codec.Unit{{Width: 8, Count: 1}}})
	return s, err
}

// leaf returns the innermost pipeline: the one that codes chunks.
func (p *pipeline) leaf() *pipeline {
	for p.shard != nil {
		p = p.shard.inner
	}
	return p
}

// swaps reports whether stored numbers are big endian.
func (p *pipeline) swaps() bool { return p.leaf().chain.Swap }

// names returns the codecs as the metadata names them, in the order of encoding; a shard's inner
// ones follow sharding_indexed.
func (p *pipeline) names() []string {
	if p.shard == nil {
		return p.codecs
	}
	var out []string
	for _, n := range p.codecs {
		out = append(out, n)
		if n == "sharding_indexed" {
			out = append(out, p.shard.inner.names()...)
		}
	}
	return out
}

// bound is an upper bound of the stored bytes of what p codes, where elements have a size.
func (p *pipeline) bound(item int) int {
	n := int(p.shape.Size()) * item
	if p.shard != nil {
		n = int(p.shard.counts.Size())*p.shard.inner.bound(item) + p.shard.stored
	}
	return p.chain.Bound(n)
}

// sharded sets the grid to the innermost chunks and Shards to the stored unit.
func (a *array) sharded() error {
	a.meta.Shards = a.top.shape
	// the chunk shape comes in the axes of the innermost shard: undo the transpositions on the way
	order := make([]int, len(a.meta.Shape))
	for i := range order {
		order[i] = i
	}
	p := a.top
	for p.shard != nil {
		if p.chain.Order != nil {
			next := make([]int, len(order))
			for i, o := range p.chain.Order {
				next[i] = order[o]
			}
			order = next
		}
		p = p.shard.inner
	}
	steps := make(chunk.Shape, len(order))
	for i, o := range order {
		steps[o] = p.shape[i]
	}
	unit := slices.Clone(a.unit)
	if err := a.regular(steps); err != nil {
		return err
	}
	a.unit = unit
	return nil
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"math"
	"sync"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats/codec"
)

// memory measures what plain loops on all workers get from memory: copy, triad x + 3*y, and read.
func (b *bencher) memory(ctx context.Context) error {
	pool := mem.NewPool()
	defer pool.Close()
	var x, y, z []float64
	for _, p := range []*[]float64{&x, &y, &z} {
		c, err := chunk.New(pool, dtype.Float64, 0, chunk.Shape{b.size})
		if err != nil {
			return err
		}
		defer c.Release()
		*p = chunk.Slice[float64](c)
		fillWaves(c, 0)
	}
	sums := make([]float64, b.workers)
	for _, m := range []struct {
		name   string
		arrays int64
		loop   func(w, lo, hi int)
	}{
		{"copy", 2, func(_, lo, hi int) { copy(z[lo:hi], x[lo:hi]) }},
		{"triad", 3, func(_, lo, hi int) {
			p, q, r := x[lo:hi], y[lo:hi], z[lo:hi]
			for i := range r {
				r[i] = p[i] + float64(3*q[i])
			}
		}},
		{"read", 1, func(w, lo, hi int) { sums[w] += sum8(x[lo:hi]) }},
	} {
		s := speed{Group: "memory", Name: m.name, Bytes: m.arrays * 8 * b.size}
		err := b.repeat(ctx, s, func() error {
			var wg sync.WaitGroup
			for w := range b.workers {
				wg.Go(func() { m.loop(w, int(b.size)*w/b.workers, int(b.size)*(w+1)/b.workers) })
			}
			wg.Wait()
			return nil
		})
		if err != nil {
			return err
		}
	}
	for _, s := range sums {
		if math.IsNaN(s) {
			return fmt.Errorf("bench: read: the sum of numbers is not a number")
		}
	}
	return nil
}

// sum8 adds with eight accumulators, so that loads and not additions are the limit.
func sum8(x []float64) float64 {
	var a, b, c, d, e, f, g, h float64
	for ; len(x) >= 8; x = x[8:] {
		a += x[0]
		b += x[1]
		c += x[2]
		d += x[3]
		e += x[4]
		f += x[5]
		g += x[6]
		h += x[7]
	}
	for _, v := range x {
		a += v
	}
	return a + b + c + d + e + f + g + h
}

// codecSteps are the chains bench measures, each on the same chunk.
var codecSteps = []struct {
	name  string
	steps []codec.Step
}{
	{"shuffle", []codec.Step{{Name: "shuffle", Config: codec.Config{"elementsize": int64(4)}}}},
	{"zlib 1", []codec.Step{{Name: "shuffle", Config: codec.Config{"elementsize": int64(4)}}, {Name: "zlib", Config: codec.Config{"level": int64(1)}}}},
	{"zstd 3", []codec.Step{{Name: "shuffle", Config: codec.Config{"elementsize": int64(4)}}, {Name: "zstd", Config: codec.Config{"level": int64(3)}}}},
	{"lz4", []codec.Step{{Name: "shuffle", Config: codec.Config{"elementsize": int64(4)}}, {Name: "lz4"}}},
	{"crc32c", []codec.Step{{Name: "crc32c"}}},
}

// codecBytes is the chunk that codecs are measured on.
const codecBytes = 4 << 20

// codecs measures encoding and decoding of a chunk of float32 that vary smoothly, with some noise, on one processor.
func (b *bencher) codecs(ctx context.Context) error {
	pool := mem.NewPool()
	defer pool.Close()
	c, err := chunk.New(pool, dtype.Float32, 0, chunk.Shape{codecBytes / 4})
	if err != nil {
		return err
	}
	defer c.Release()
	noise := uint32(1)
	for i, s := 0, chunk.Slice[float32](c); i < len(s); i++ {
		noise = noise*1664525 + 1013904223
		// Two decimals, as measured values have.
		s[i] = float32(math.Round(28000+1500*math.Sin(float64(i)/500)+float64(noise>>28))) / 100
	}
	plain := c.Block.Bytes()
	for _, k := range codecSteps {
		chain, err := codec.NewChain(k.steps, codec.Layout{ItemBytes: 4, DType: dtype.Float32, Rank: 1, Units: []codec.Unit{{Width: 4, Count: 1}}})
		if err != nil {
			return err
		}
		var scratch codec.Scratch
		encoded := make([]byte, 0, chain.Bound(len(plain)))
		stored, err := chain.Encode(encoded, plain, &scratch)
		if err != nil {
			return fmt.Errorf("bench: %s: %w", k.name, err)
		}
		s := speed{Group: "codecs", Name: "encode " + k.name, Bytes: codecBytes, Ratio: float64(codecBytes) / float64(len(stored))}
		if err := b.repeat(ctx, s, func() error { _, err := chain.Encode(encoded, plain, &scratch); return err }); err != nil {
			return err
		}
		out := make([]byte, len(plain))
		s.Name = "decode " + k.name
		if err := b.repeat(ctx, s, func() error { return chain.Decode(out, stored, &scratch) }); err != nil {
			return err
		}
	}
	return nil
}

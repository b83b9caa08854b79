// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"path/filepath"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/formattest"
)

// packed returns an array of noisy packed int16 temperatures.
func packed(shape chunk.Shape) *chunk.Chunk {
	c := formattest.New(dtype.Int16, 2, shape)
	r := rand.New(rand.NewPCG(1, 2))
	b := c.Block.Bytes()
	for i := 0; i < len(b); i += 2 {
		binary.NativeEndian.PutUint16(b[i:], uint16(int16(1000*math.Sin(float64(i)/5000)+20*r.NormFloat64())))
	}
	return c
}

func create(b *testing.B, data *chunk.Chunk, codec string, steps ...int64) string {
	g := chunk.Regular(data.Shape, steps...)
	path := filepath.Join(b.TempDir(), "x.zarr")
	w, err := Create(context.Background(), path, formats.Spec{Vars: []formats.VarSpec{{Name: "v", Shape: data.Shape, DType: data.DType, Grid: &g, Codec: codec}}})
	if err == nil {
		err = formattest.Write(context.Background(), w, []*chunk.Chunk{data})
	}
	if err != nil {
		b.Fatal(err)
	}
	return path
}

// One chunk after the other, into the same destination: -benchmem shows what a chunk allocates.
func BenchmarkReadChunk(b *testing.B) {
	ctx := context.Background()
	for _, c := range []struct {
		codec string
		size  int64
	}{{"none", 1024}, {"zstd", 1024}, {"zlib", 1024}, {"none", 32}, {"zstd", 32}} {
		b.Run(fmt.Sprintf("codec=%s/side=%d", c.codec, c.size), func(b *testing.B) {
			data := packed(chunk.Shape{4 * c.size, 4 * c.size})
			g, err := Open(ctx, create(b, data, c.codec, c.size, c.size))
			if err != nil {
				b.Fatal(err)
			}
			src := g.Vars[0].Source
			dst := formattest.New(dtype.Int16, 2, chunk.Shape{c.size, c.size})
			k, i := chunk.Key{0, 0}, int64(0)
			b.SetBytes(2 * c.size * c.size)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := src.ReadChunk(ctx, src.Meta().Grid.At(i%16, k), dst); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

func BenchmarkWriteChunk(b *testing.B) {
	ctx := context.Background()
	for _, codec := range []string{"none", "zstd", "zlib"} {
		b.Run("codec="+codec, func(b *testing.B) {
			data := packed(chunk.Shape{1024, 1024})
			g := chunk.Regular(chunk.Shape{4096, 4096}, 1024, 1024)
			w, err := Create(ctx, filepath.Join(b.TempDir(), "x.zarr"), formats.Spec{Vars: []formats.VarSpec{{Name: "v", Shape: g.Shape, DType: data.DType, Grid: &g, Codec: codec}}})
			if err != nil {
				b.Fatal(err)
			}
			defer w.Abort()
			k, i := chunk.Key{0, 0}, int64(0)
			b.SetBytes(2 << 20)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := w.Sink(0).WriteChunk(ctx, g.At(i%16, k), data); err != nil {
					b.Fatal(err)
				}
				i++
			}
		})
	}
}

// A store of many small chunks, opened and read by two workers: the time is one for 10,000 chunks of 4 KiB.
func BenchmarkSmallChunks(b *testing.B) {
	ctx := context.Background()
	const chunks = 10000
	for _, codec := range []string{"none", "zstd"} {
		b.Run("codec="+codec, func(b *testing.B) {
			data := formattest.New(dtype.Float32, 4, chunk.Shape{chunks * 1024})
			for i := range data.Bytes() {
				data.Bytes()[i] = byte(i % 13)
			}
			path := create(b, data, codec, 1024)
			b.SetBytes(chunks * 4096)
			for b.Loop() {
				g, err := Open(ctx, path)
				if err != nil {
					b.Fatal(err)
				}
				src := g.Vars[0].Source
				var wg sync.WaitGroup
				for w := range int64(2) {
					wg.Go(func() {
						dst := formattest.New(dtype.Float32, 4, chunk.Shape{1024})
						for k := (chunk.Key{w}); k[0] < chunks; k[0] += 2 {
							if _, err := src.ReadChunk(ctx, k, dst); err != nil {
								b.Error(err)
								return
							}
						}
					})
				}
				wg.Wait()
			}
		})
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package netcdf

import (
	"context"
	"fmt"
	"math/rand"
	"path/filepath"
	"sync"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
)

// benchSpec is a year of daily one-degree fields: 95 MB.
func benchSpec(codec string, d dtype.DType) formats.Spec {
	return formats.Spec{
		Overwrite: true,
		Dims:      []formats.Dim{{Name: "time", Size: 365, Unlimited: codec == "unlimited"}},
		Vars:      []formats.VarSpec{{Name: "tas", Dims: []string{"time", "lat", "lon"}, Shape: chunk.Shape{365, 180, 360}, DType: d, Codec: map[bool]string{true: "", false: codec}[codec == "unlimited"]}},
	}
}

// each runs f for every chunk of g on two workers.
func each(b *testing.B, g chunk.Grid, f func(k chunk.Key) error) {
	next := make(chan int64, g.Len())
	for i := range g.Len() {
		next <- i
	}
	close(next)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for i := range next {
				if err := f(g.At(i, nil)); err != nil {
					b.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func BenchmarkWrite(b *testing.B) {
	ctx := context.Background()
	for _, codec := range []string{"none", "unlimited", "zlib:1", "zlib:4"} {
		spec := benchSpec(codec, dtype.Float32)
		data := array(rand.New(rand.NewSource(1)), spec.Vars[0])
		b.Run(fmt.Sprintf("codec=%s/dtype=float32", codec), func(b *testing.B) {
			path := filepath.Join(b.TempDir(), "b.nc")
			b.SetBytes(int64(len(data.Bytes())))
			for b.Loop() {
				w, err := Create(ctx, path, spec)
				if err != nil {
					b.Fatal(err)
				}
				s := w.Sink(0)
				each(b, s.Grid(), func(k chunk.Key) error {
					_, err := s.WriteChunk(ctx, k, data.Sub(s.Grid().Region(k)))
					return err
				})
				if err := w.Commit(ctx); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkRead(b *testing.B) {
	ctx := context.Background()
	for _, codec := range []string{"none", "unlimited", "zlib:1", "zlib:4"} {
		spec := benchSpec(codec, dtype.Float32)
		data := array(rand.New(rand.NewSource(1)), spec.Vars[0])
		path := filepath.Join(b.TempDir(), "b.nc")
		write(b, path, spec, []*chunk.Chunk{data})
		b.Run(fmt.Sprintf("codec=%s/dtype=float32", codec), func(b *testing.B) {
			b.SetBytes(int64(len(data.Bytes())))
			pool := mem.NewPool()
			defer pool.Close()
			for b.Loop() {
				g, err := openAny(path)
				if err != nil {
					b.Fatal(err)
				}
				src := g.Vars[0].Source
				m := src.Meta()
				each(b, m.Grid, func(k chunk.Key) error {
					c, err := chunk.New(pool, m.DType, 0, m.Grid.Region(k).Shape())
					if err != nil {
						return err
					}
					defer c.Release()
					_, err = src.ReadChunk(ctx, k, c)
					return err
				})
				g.Close()
			}
		})
	}
}

// Opening a file of 16,384 chunks with the place of each.
func BenchmarkOpenChunks(b *testing.B) {
	ctx := context.Background()
	shape := chunk.Shape{64, 128, 128}
	g := chunk.Regular(shape, 1, 8, 8)
	path := filepath.Join(b.TempDir(), "many.nc")
	w, err := Create(ctx, path, formats.Spec{Vars: []formats.VarSpec{{Name: "v", Shape: shape, DType: dtype.Float32, Grid: &g, Codec: "zlib:1"}}})
	if err != nil {
		b.Fatal(err)
	}
	c := &chunk.Chunk{DType: dtype.Float32, ItemBytes: 4, Shape: chunk.Shape{1, 8, 8}, Strides: []int64{64, 8, 1}, Block: mem.Wrap(make([]byte, 256))}
	each(b, g, func(k chunk.Key) error {
		_, err := w.Sink(0).WriteChunk(ctx, k, c)
		return err
	})
	if err := w.Commit(ctx); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		g, err := NetCDF4.Open(ctx, path)
		if err != nil {
			b.Fatal(err)
		}
		if n, err := g.Vars[0].Source.(formats.Sizer).StoredBytes(ctx); err != nil || n <= 0 {
			b.Fatal(n, err)
		}
		g.Close()
	}
}

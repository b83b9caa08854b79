// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
)

// doubleChunk runs out = x + x over a chunk on a device and checks every element.
func doubleChunk(t *testing.T, d *cuda.Device, x *chunk.Chunk) {
	t.Helper()
	ctx := context.Background()
	k, err := d.Compile(ctx, doubled(t, dtype.Float32, len(x.Shape)))
	if err != nil {
		t.Fatal(err)
	}
	out := hostChunk(dtype.Float32, x.Shape)
	if err := k.Run(ctx, &kernels.Call{In: []*chunk.Chunk{x}, Out: []*chunk.Chunk{out}, Shape: x.Shape, Origin: make(chunk.Shape, len(x.Shape))}); err != nil {
		t.Fatal(err)
	}
	dense := hostChunk(dtype.Float32, x.Shape)
	if err := d.Copy(ctx, dense, x); err != nil {
		t.Fatal(err)
	}
	in := chunk.Slice[float32](dense)
	for i, v := range chunk.Slice[float32](out) {
		if v != 2*in[i] {
			t.Fatalf("element %d: got %v, want %v", i, v, 2*in[i])
		}
	}
}

// TestStage: an operand that was read into page-locked memory is copied from there as a whole; buffers come back when their blocks are
// released; what does not fit, or does not lie in one run, goes the other way.
func TestStage(t *testing.T) {
	const buffer = 1 << 20
	d, sim := open(t, cuda.Options{Always: true, Strict: true, Pinned: 6 * buffer})
	shape := chunk.Shape{300, 500}
	n := shape.Size() * 4
	stage := func() *chunk.Chunk {
		c := d.Stage(dtype.Float32, 4, shape)
		if c == nil {
			t.Fatal("no buffer")
		}
		for i, v := 0, chunk.Slice[float32](c); i < len(v); i++ {
			v[i] = float32(i % 1001)
		}
		return c
	}
	if c := d.Stage(dtype.Float32, 4, chunk.Shape{buffer / 4}); c != nil {
		t.Error("a chunk larger than a buffer was given one")
	}
	c := stage()
	doubleChunk(t, d, c)
	if s := d.Stats(); s.StagedBytes != n || s.UploadedBytes != n {
		t.Errorf("%+v: want the operand's %d bytes copied once, from where they were", s, n)
	}
	if got := sim.Stats()["count.up"]; got != 4+1 { // four for the rates
		t.Errorf("%d copies, want one for the operand", got-4)
	}
	rows := c.Sub(chunk.Region{Lo: chunk.Shape{7, 0}, Hi: chunk.Shape{30, 500}}) // a run within the buffer
	doubleChunk(t, d, rows)
	if s := d.Stats(); s.StagedBytes != n+23*500*4 {
		t.Errorf("%+v: want 23 rows more copied from where they were", s)
	}
	box := c.Sub(chunk.Region{Lo: chunk.Shape{0, 3}, Hi: chunk.Shape{300, 200}})
	doubleChunk(t, d, box)
	if s := d.Stats(); s.StagedBytes != n+23*500*4 {
		t.Errorf("%+v: rows with gaps between them are no run", s)
	}
	held := []*chunk.Chunk{c}
	for range 5 {
		held = append(held, stage())
	}
	if c := d.Stage(dtype.Float32, 4, shape); c != nil {
		t.Error("more buffers than there are")
	}
	held[3].Release()
	held[3] = stage()
	for _, c := range held {
		doubleChunk(t, d, c)
		c.Release()
	}
}

// TestStageRefused: without memory for the ring operands go through other memory.
func TestStageRefused(t *testing.T) {
	t.Run("none", func(t *testing.T) {
		d, _ := open(t, cuda.Options{Always: true})
		if c := d.Stage(dtype.Float32, 4, chunk.Shape{100}); c != nil {
			t.Error("a buffer without memory for any")
		}
	})
	d, sim := open(t, cuda.Options{Always: true, Pinned: 6 << 20})
	sim.Fault("cuMemHostAlloc", 1, driver.OutOfMemory)
	for range 2 {
		if c := d.Stage(dtype.Float32, 4, chunk.Shape{100}); c != nil {
			t.Error("a buffer, after the driver refused one")
		}
	}
	doubling(t, d, 1000)
	if s := d.Stats(); s.StagedBytes != 0 || s.FellBack != 0 {
		t.Errorf("%+v", s)
	}
}

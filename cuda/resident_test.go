// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// doubled returns the program out = x + x of a rank.
func doubled(t *testing.T, dt dtype.DType, rank int) *kernels.Program {
	t.Helper()
	b := kernels.NewBuilder(rank)
	x := b.Input(kernels.In(dt))
	b.Ret(b.Apply(kernels.OpAdd, x, x))
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestResident fills an array on the device region by region, from chunks that lie in different ways, and computes with views of it.
func TestResident(t *testing.T) {
	d, sim := open(t, cuda.Options{Strict: true, Always: true})
	ctx := context.Background()
	shape := chunk.Shape{12, 30, 7}
	r, err := d.NewResident(ctx, dtype.Int32, shape)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Release()
	x := hostChunk(dtype.Int32, shape)
	for i, v := 0, chunk.Slice[int32](x); i < len(v); i++ {
		v[i] = int32(i) * 7919
	}
	for _, lo := range []int64{0, 5} { // rows that follow each other
		at := chunk.Region{Lo: chunk.Shape{lo, 0, 0}, Hi: chunk.Shape{5 + lo/5, 30, 7}}
		if err := r.Fill(ctx, at, x.Sub(at), cuda.Plain, nil); err != nil {
			t.Fatal(err)
		}
	}
	for _, at := range []chunk.Region{ // boxes, plain and packed
		{Lo: chunk.Shape{6, 0, 0}, Hi: chunk.Shape{12, 11, 7}},
		{Lo: chunk.Shape{6, 11, 0}, Hi: chunk.Shape{12, 30, 4}},
	} {
		if err := r.Fill(ctx, at, x.Sub(at), cuda.Plain, nil); err != nil {
			t.Fatal(err)
		}
	}
	// What is left comes packed, in chunks that are larger than what is wanted of them.
	at := chunk.Region{Lo: chunk.Shape{6, 11, 4}, Hi: chunk.Shape{9, 30, 7}}
	if err := r.Fill(ctx, at, packed(x, chunk.Shape{4, 20, 5}, chunk.Shape{5, 10, 2}, cuda.Swapped), cuda.Swapped, chunk.Shape{1, 1, 2}); err != nil {
		t.Fatal(err)
	}
	at = chunk.Region{Lo: chunk.Shape{9, 11, 4}, Hi: chunk.Shape{12, 30, 7}}
	if err := r.Fill(ctx, at, packed(x, chunk.Shape{5, 20, 4}, chunk.Shape{7, 10, 3}, cuda.Shuffled), cuda.Shuffled, chunk.Shape{2, 1, 1}); err != nil {
		t.Fatal(err)
	}
	k, err := d.Compile(ctx, doubled(t, dtype.Int32, 3))
	if err != nil {
		t.Fatal(err)
	}
	sim.Forget()
	up := d.Stats().UploadedBytes
	for _, at := range []chunk.Region{
		chunk.Whole(shape),
		{Lo: chunk.Shape{1, 0, 0}, Hi: chunk.Shape{12, 30, 7}}, // a run that begins at no multiple of 16 bytes
		{Lo: chunk.Shape{2, 3, 1}, Hi: chunk.Shape{11, 30, 6}},
	} {
		out := hostChunk(dtype.Int32, at.Shape())
		call := kernels.Call{In: []*chunk.Chunk{r.Chunk().Sub(at)}, Out: []*chunk.Chunk{out}, Shape: at.Shape(), Origin: at.Lo}
		if err := k.Run(ctx, &call); err != nil {
			t.Fatal(err)
		}
		want := hostChunk(dtype.Int32, at.Shape())
		host := cpu.New(cpu.Options{Mode: "generic"})
		if err := host.Copy(ctx, want, x.Sub(at)); err != nil {
			t.Fatal(err)
		}
		host.Close()
		got := chunk.Slice[int32](out)
		for i, v := range chunk.Slice[int32](want) {
			if got[i] != 2*v {
				t.Fatalf("%v: element %d: got %d, want %d", at, i, got[i], 2*v)
			}
		}
	}
	if s := d.Stats(); s.UploadedBytes != up || sim.Stats()["bytes.up"] != 0 {
		t.Errorf("%d bytes were copied up for calls whose operand is there", s.UploadedBytes-up)
	}
}

// packed returns the elements of x from a position on, of x's values where it has them, packed as a codec would leave them.
func packed(x *chunk.Chunk, shape, from chunk.Shape, p cuda.Packing) *chunk.Chunk {
	c := hostChunk(x.DType, shape)
	b := c.Block.Bytes()
	v := chunk.Slice[int32](x)
	n, i := int(shape.Size()), 0
	for a := range shape[0] {
		for o := range shape[1] {
			for e := range shape[2] {
				at := []int64{from[0] + a, from[1] + o, from[2] + e}
				var word uint32
				if at[0] < x.Shape[0] && at[1] < x.Shape[1] && at[2] < x.Shape[2] {
					word = uint32(v[(at[0]*x.Shape[1]+at[1])*x.Shape[2]+at[2]])
				}
				if p == cuda.Swapped {
					binary.BigEndian.PutUint32(b[4*i:], word)
				} else {
					for k := range 4 {
						b[k*n+i] = byte(word >> (8 * k))
					}
				}
				i++
			}
		}
	}
	return c
}

// TestEviction: an array that stays on the device gives way to a call that needs the memory, and calls that read it say so.
func TestEviction(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Memory: 64 << 20}, "memory=14MiB")
	ctx := context.Background()
	shape := chunk.Shape{1 << 20}
	var list []*cuda.Resident
	for range 3 {
		r, err := d.NewResident(ctx, dtype.Int32, shape)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Release()
		list = append(list, r)
	}
	k, err := d.Compile(ctx, doubled(t, dtype.Int32, 1))
	if err != nil {
		t.Fatal(err)
	}
	out := hostChunk(dtype.Int32, shape)
	call := func(in *chunk.Chunk) error {
		return k.Run(ctx, &kernels.Call{In: []*chunk.Chunk{in}, Out: []*chunk.Chunk{out}, Shape: in.Shape, Origin: chunk.Shape{0}})
	}
	whole := chunk.Whole(shape)
	if err := list[0].Fill(ctx, whole, hostChunk(dtype.Int32, shape), cuda.Plain, nil); err != nil {
		t.Fatal(err)
	}
	x := hostChunk(dtype.Int32, chunk.Shape{3 << 20 / 2}) // 6 MiB in, 6 MiB out: more than is left
	out = hostChunk(dtype.Int32, x.Shape)
	if err := call(x); err != nil {
		t.Fatal(err)
	}
	if s := d.Stats(); s.Evicted == 0 || s.FellBack != 0 || s.PeakBytes > 14<<20 {
		t.Errorf("%+v: want an array that has given way, and no call on the CPU", s)
	}
	gone := 0
	out = hostChunk(dtype.Int32, shape)
	for _, r := range list {
		if err := call(r.Chunk()); err != nil {
			if !errors.Is(err, cuda.ErrHost) || !errors.Is(err, cuda.ErrEvicted) {
				t.Errorf("error %v, want %v and %v", err, cuda.ErrHost, cuda.ErrEvicted)
			}
			if err := r.Fill(ctx, whole, out, cuda.Plain, nil); !errors.Is(err, cuda.ErrEvicted) {
				t.Errorf("fill: error %v, want %v", err, cuda.ErrEvicted)
			}
			gone++
		}
	}
	if int64(gone) != d.Stats().Evicted {
		t.Errorf("%d arrays are gone, %d have given way", gone, d.Stats().Evicted)
	}
	if _, err := d.NewResident(ctx, dtype.Int32, chunk.Shape{1 << 30}); driver.CodeOf(err) != driver.OutOfMemory {
		t.Errorf("an array larger than the device: error %v, want %v", err, driver.OutOfMemory)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cpu

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/ref"
)

// Scans of complex numbers are the reference's, byte for byte; the suite for devices has real numbers only.
func TestComplexScans(t *testing.T) {
	oracle, dev := ref.New(), New(Options{})
	defer dev.Close()
	shape := chunk.Shape{3, 35, 2}
	for _, o := range kernels.AllScans() {
		for _, d := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
			for axis := range shape {
				u := &kernels.Scan{Op: o.ID, DType: d, Rank: 3, Axis: axis}
				rng := rand.New(rand.NewPCG(uint64(o.ID), uint64(axis)))
				in := newChunk(t, d, shape)
				if d == dtype.Complex64 {
					for i := range chunk.Elems[complex64](in.Block) {
						chunk.Elems[complex64](in.Block)[i] = complex(rng.Float32(), rng.Float32()-1)
					}
				} else {
					for i := range chunk.Elems[complex128](in.Block) {
						chunk.Elems[complex128](in.Block)[i] = complex(rng.NormFloat64(), rng.Float64())
					}
				}
				want, got := runScan(t, oracle, u, in), runScan(t, dev, u, in)
				for i := range want {
					n := want[i].Shape.Size() * int64(d.Size())
					if !bytes.Equal(got[i].Block.Bytes()[:n], want[i].Block.Bytes()[:n]) {
						t.Errorf("%v: output %d differs from the reference's", u, i)
					}
				}
			}
		}
	}
}

func newChunk(t *testing.T, d dtype.DType, shape chunk.Shape) *chunk.Chunk {
	t.Helper()
	c, err := chunk.New(ref.New().Allocator(), d, 0, shape)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// runScan returns the outputs of a scan of in.
func runScan(t *testing.T, dev kernels.Device, u *kernels.Scan, in *chunk.Chunk) []*chunk.Chunk {
	t.Helper()
	k, err := dev.Compile(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	carry := in.Shape.Clone()
	carry[u.Axis] = 1
	out := []*chunk.Chunk{newChunk(t, u.DType, in.Shape), newChunk(t, u.DType, carry)}
	scratch, err := dev.Allocator().Alloc(k.Scratch(in.Shape))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Release()
	if err := k.Run(context.Background(), &kernels.Call{In: []*chunk.Chunk{in}, Out: out, Shape: in.Shape, Scratch: scratch}); err != nil {
		t.Fatal(err)
	}
	return out
}

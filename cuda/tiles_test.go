// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestTurned computes with operands whose axes lie in memory in random orders, forwards and backwards, some repeated, one gathered, with positions: the
// bits are the CPU's, however the threads of a block take turns.
func TestTurned(t *testing.T) {
	shapes := []chunk.Shape{{33, 32}, {64, 96}, {100, 37}, {40, 3, 70}, {5, 45, 33}, {33, 2, 2, 65}, {1, 200, 40}, {34, 1, 33}}
	dtypes := []dtype.DType{dtype.Bool, dtype.Int8, dtype.Uint16, dtype.Float16, dtype.Float32, dtype.Int64, dtype.Complex64, dtype.Complex128}
	for _, order := range []string{"order=forward", "order=reverse", "order=shuffle"} {
		t.Run(order, func(t *testing.T) {
			d, _ := open(t, cuda.Options{Always: true, Strict: true}, order)
			host := cpu.New(cpu.Options{Mode: "generic"})
			defer host.Close()
			for i, shape := range shapes {
				rng := rand.New(rand.NewPCG(uint64(i), 17))
				p, in := turnedProgram(t, rng, shape, dtypes)
				var results [2][]*chunk.Chunk
				for k, dev := range []kernels.Device{d, host} {
					for _, r := range p.Ret {
						results[k] = append(results[k], hostChunk(p.RegType(r), shape))
					}
					if err := runOn(dev, p, &kernels.Call{In: in, Out: results[k], Shape: shape, Origin: make(chunk.Shape, len(shape))}, host); err != nil {
						t.Fatalf("%v: %v\n%v", shape, err, p)
					}
				}
				for k, want := range results[1] {
					if string(results[0][k].Bytes()) != string(want.Bytes()) {
						t.Errorf("%v: output %d differs from the CPU's\n%v", shape, k, p)
					}
				}
			}
		})
	}
}

// turnedProgram returns a program that gives back some inputs, one more that it gathers and the sum of an input and a position.
func turnedProgram(t *testing.T, rng *rand.Rand, shape chunk.Shape, dtypes []dtype.DType) (*kernels.Program, []*chunk.Chunk) {
	t.Helper()
	b := kernels.NewBuilder(len(shape))
	var in []*chunk.Chunk
	input := func(d dtype.DType, port kernels.Port) kernels.Reg {
		c := hostChunk(d, shape)
		for i, v := 0, c.Bytes(); i < len(v); i++ {
			if v[i] = byte(rng.IntN(256)); d == dtype.Bool {
				v[i] &= 1
			}
		}
		for i := 0; d == dtype.Int32 && i < len(c.Bytes())/4; i++ { // the ids
			chunk.Slice[int32](c)[i] = int32(rng.Int64N(shape[0]+1) - 1)
		}
		n := int64(1)
		for _, a := range rng.Perm(len(shape)) {
			c.Strides[a] = n
			n *= shape[a]
		}
		for a := range shape {
			switch n := rng.IntN(6); {
			case n == 0 || len(in) == 0 && a > 0: // ids vary along the first axis only
				c.Strides[a] = 0
			case n == 1:
				c.Offset += (shape[a] - 1) * c.Strides[a]
				c.Strides[a] = -c.Strides[a]
			}
		}
		in = append(in, c)
		return b.Input(port)
	}
	ids := input(dtype.Int32, kernels.In(dtype.Int32))
	for range 2 + rng.IntN(3) {
		d := dtypes[rng.IntN(len(dtypes))]
		x := input(d, kernels.In(d))
		b.Ret(b.Apply(kernels.OpWhere, b.Apply(kernels.OpEqual, x, x), x, x))
	}
	port := kernels.In(dtype.Float64)
	port.Gather, port.GatherIDs = 0, int8(ids)
	b.Ret(b.Apply(kernels.OpNegative, input(dtype.Float64, port)))
	b.Ret(b.Apply(kernels.OpAdd, b.Cast(ids, dtype.Int64), b.Index(rng.IntN(len(shape)))))
	return build(t, b), in
}

// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestScanPieces runs scans that do not fit the device's memory: they are cut between lines, and where there is one along it. Each call goes on from the carry of the
// one before, and has the CPU's bits; so does one that is made again for want of memory, or whose device is lost: the
// carry is as it was.
func TestScanPieces(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	for _, lost := range []bool{false, true} {
		for _, order := range []string{"order=forward", "order=shuffle"} {
			t.Run(fmt.Sprint(order, " lost ", lost), func(t *testing.T) {
				d, sim := open(t, cuda.Options{Always: true, Strict: !lost, Memory: 96 << 10}, order) // a call's share is 24 KiB
				rng := rand.New(rand.NewPCG(3, 9))
				for i, shape := range []chunk.Shape{{5000}, {1, 1, 4001}, {70, 133}, {133, 70}, {41, 7, 37}, {2, 5001}} {
					for axis := range shape {
						u := &kernels.Scan{Op: kernels.AllScans()[(i+axis)%3].ID, DType: []dtype.DType{dtype.Float32, dtype.Complex128, dtype.Float16, dtype.Int64}[(i+axis)%4], Rank: len(shape), Axis: axis}
						in := hostChunk(u.DType, shape)
						for k, v := 0, in.Bytes(); k < len(v); k++ {
							v[k] = byte(rng.IntN(256)) & 0xbf // no infinities
						}
						if u.DType == dtype.Float32 {
							chunk.Slice[float32](in)[rng.Int64N(shape.Size())] = float32(math.NaN())
						}
						carry := shape.Clone()
						carry[axis] = 1
						var results [2][]*chunk.Chunk
						for j, dev := range []kernels.Device{d, host} {
							k, err := dev.Compile(context.Background(), u)
							if err != nil {
								t.Fatal(err)
							}
							scratch, err := host.Allocator().Alloc(k.Scratch(shape))
							if err != nil {
								t.Fatal(err)
							}
							results[j] = []*chunk.Chunk{hostChunk(u.DType, shape), hostChunk(u.DType, carry)}
							for _, at := range [][2]int64{{0, shape[axis] / 3}, {shape[axis] / 3, shape[axis]}} {
								r := chunk.Whole(shape)
								r.Lo[axis], r.Hi[axis] = at[0], at[1]
								switch {
								case lost && j == 0 && at[0] > 0 && i == 2:
									sim.Fault("kernel", 1, driver.IllegalAddress)
								case !lost && j == 0: // it is made again, from the carry as it was
									sim.Fault([]string{"cuMemcpyDtoHAsync_v2", "cuStreamSynchronize", "cuEventRecord"}[i%3], 1+(i+axis)%5, driver.OutOfMemory)
								}
								c := &kernels.Call{In: []*chunk.Chunk{in.Sub(r)}, Out: []*chunk.Chunk{results[j][0].Sub(r), results[j][1]}, Shape: r.Shape(), Origin: r.Lo, Scratch: scratch, Continue: at[0] > 0}
								if err := k.Run(context.Background(), c); err != nil {
									t.Fatalf("%v over %v: %v", u, shape, err)
								}
								if !lost {
									sim.ClearFaults() // those that the call did not come to
								}
							}
							scratch.Release()
						}
						for j, want := range results[1] {
							if string(results[0][j].Bytes()) != string(want.Bytes()) {
								t.Errorf("%v over %v: output %d differs from the CPU's", u, shape, j)
							}
						}
					}
				}
				if s := d.Stats(); s.Halved == 0 || (s.FellBack != 0) != lost || d.Lost() != lost {
					t.Errorf("%+v: want calls that are cut", s)
				}
				if lost {
					sim.TakeReports()
				}
			})
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// scanned runs a scan of in on a device: the result and the carry, which the call goes on from where goes is set.
func scanned(t *testing.T, dev kernels.Device, u *kernels.Scan, in *chunk.Chunk, goes bool) []*chunk.Chunk {
	t.Helper()
	k, err := dev.Compile(context.Background(), u)
	if err != nil {
		t.Fatal(err)
	}
	shape := in.Shape.Clone()
	shape[u.Axis] = 1
	carry := hostChunk(u.DType, shape)
	if u.DType.IsComplex() {
		complexValues(rand.New(rand.NewPCG(3, 3)), carry)
	} else {
		for i, v := 0, chunk.Slice[float32](carry); i < len(v); i++ {
			v[i] = float32(i) / 3
		}
	}
	out := []*chunk.Chunk{hostChunk(u.DType, in.Shape), carry}
	scratch, err := dev.Allocator().Alloc(k.Scratch(in.Shape))
	if err != nil {
		t.Fatal(err)
	}
	defer scratch.Release()
	if err := k.Run(context.Background(), &kernels.Call{In: []*chunk.Chunk{in}, Out: out, Shape: in.Shape, Scratch: scratch, Continue: goes}); err != nil {
		t.Fatalf("%v over %v: %v", u, in.Shape, err)
	}
	return out
}

func floats(shape chunk.Shape) *chunk.Chunk {
	c := hostChunk(dtype.Float32, shape)
	for i, v := 0, chunk.Slice[float32](c); i < len(v); i++ {
		v[i] = float32(i%37) - 17.7
	}
	return c
}

// TestScanCut runs scans that are larger than the device's memory along each axis: they are cut between lines, and lines in runs that go on
// from the carry, with the bits that they have in one.
func TestScanCut(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 256 << 10}) // a call's share is 64 KiB
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	for _, shape := range []chunk.Shape{{50001}, {1, 20000, 1}, {5, 4096}, {9000, 4}, {14, 200, 24}} {
		for axis := range shape {
			for _, goes := range []bool{false, true} {
				u := &kernels.Scan{Op: kernels.ScanSum, DType: dtype.Float32, Rank: len(shape), Axis: axis}
				in, before := floats(shape), d.Stats().Halved
				got, want := scanned(t, d, u, in, goes), scanned(t, host, u, in, goes)
				for i := range want {
					if string(got[i].Bytes()) != string(want[i].Bytes()) {
						t.Errorf("%v over %v, goes on %v: output %d differs from the CPU's", u, shape, goes, i)
					}
				}
				if s := d.Stats(); s.Halved == before || s.FellBack != 0 {
					t.Errorf("%v over %v: %+v: want calls that are cut", u, shape, s)
				}
			}
		}
	}
}

// TestScanFaults: a scan whose copy fails is done on the CPU, from the carry that it had.
func TestScanFaults(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	u := &kernels.Scan{Op: kernels.ScanProd, DType: dtype.Float32, Rank: 2, Axis: 0}
	in := floats(chunk.Shape{9, 50})
	for nth := range 4 { // 0: nothing fails
		t.Run(fmt.Sprint(nth), func(t *testing.T) {
			d, sim := open(t, cuda.Options{Always: true})
			if nth > 0 {
				sim.Fault("cuMemcpyDtoHAsync_v2", nth, driver.Unknown)
			}
			got, want := scanned(t, d, u, in, true), scanned(t, host, u, in, true)
			for i := range want {
				if string(got[i].Bytes()) != string(want[i].Bytes()) {
					t.Errorf("output %d differs from the CPU's", i)
				}
			}
			if n := d.Stats().FellBack; (n > 0) != (nth == 1 || nth == 2) {
				t.Errorf("%d calls on the CPU after fault %d", n, nth)
			}
		})
	}
}

// TestComplexScans: scans of complex numbers are the CPU's.
func TestComplexScans(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true})
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	for _, o := range kernels.AllScans() {
		for _, dt := range []dtype.DType{dtype.Complex64, dtype.Complex128} {
			for axis := range 3 {
				u := &kernels.Scan{Op: o.ID, DType: dt, Rank: 3, Axis: axis}
				in := hostChunk(dt, chunk.Shape{4, 33, 3})
				complexValues(rand.New(rand.NewPCG(uint64(o.ID), uint64(axis))), in)
				got, want := scanned(t, d, u, in, axis == 1), scanned(t, host, u, in, axis == 1)
				for i := range want {
					sameFloats(t, fmt.Sprint(u, " output ", i), got[i], want[i])
				}
			}
		}
	}
}

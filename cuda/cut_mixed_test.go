// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// TestCutMixed runs programs of several folds, each over axes of its own, in groups and without, in device memory that holds a small part of a call: blocks
// of one fold lie across the axes of another. All have the bits that they have in one.
func TestCutMixed(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 512 << 10}) // a call's share is 128 KiB: a block of two positions and more
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	shapes := []chunk.Shape{{300, 200}, {255, 301}, {2, 133, 177}, {3, 40, 401}, {50, 31, 33}, {257, 3, 70}, {3, 200, 5, 33}}
	programs := 12
	if testing.Short() {
		programs = 2
	}
	for _, shape := range shapes {
		for seed := range programs {
			p, in, what := mixedProgram(t, rand.New(rand.NewPCG(uint64(seed), uint64(shape.Size()))), shape)
			before := d.Stats().Halved
			results := map[kernels.Device][]*chunk.Chunk{d: outputsOf(p, shape, cutGroups), host: outputsOf(p, shape, cutGroups)}
			for dev, out := range results {
				if err := runOn(dev, p, &kernels.Call{In: in, Out: out, Shape: shape, Origin: make(chunk.Shape, len(shape))}, host); err != nil {
					t.Errorf("%v: %s: %v", shape, what, err)
					break
				}
			}
			for i, want := range results[host] {
				if string(results[d][i].Bytes()) != string(want.Bytes()) {
					t.Errorf("%v: %s: output %d differs from the CPU's", shape, what, i)
				}
			}
			if s := d.Stats(); s.Halved == before || s.FellBack != 0 {
				t.Errorf("%v: %s: %+v: want calls that are cut", shape, what, s)
			}
		}
	}
}

// runOn runs a call of a program on a device, with scratch from another.
func runOn(dev kernels.Device, p *kernels.Program, c *kernels.Call, host kernels.Device) error {
	k, err := dev.Compile(context.Background(), p)
	if err != nil {
		return err
	}
	scratch, err := host.Allocator().Alloc(k.Scratch(c.Shape))
	if err != nil {
		return err
	}
	defer scratch.Release()
	c.Scratch = scratch
	return k.Run(context.Background(), c)
}

// mixedProgram returns a program of two to four folds over random axes of one input of float32, some in groups, sometimes with an elementwise result.
func mixedProgram(t *testing.T, rng *rand.Rand, shape chunk.Shape) (p *kernels.Program, in []*chunk.Chunk, what string) {
	t.Helper()
	b := kernels.NewBuilder(len(shape))
	x := b.Input(kernels.In(dtype.Float32))
	b.Input(kernels.In(dtype.Int32))
	in = []*chunk.Chunk{hostChunk(dtype.Float32, shape), hostChunk(dtype.Int32, shape)}
	for i, v := 0, chunk.Slice[float32](in[0]); i < len(v); i++ {
		if v[i] = float32(i*7919%1013) / 31; i%997 == 5 {
			v[i] = float32(math.NaN())
		}
	}
	for i, v := 0, chunk.Slice[int32](in[1]); i < len(v); i++ {
		v[i] = int32(i*31%(cutGroups+1)) - 1
	}
	names := []string{"sum", "nansum", "var", "nanvar", "nanmax", "mean", "argmin", "count"}
	for range 2 + rng.IntN(3) {
		r, ok := kernels.ReductionByName(names[rng.IntN(len(names))])
		if !ok {
			t.Fatal("no such reduction")
		}
		f := kernels.Fold{Op: r.ID, Args: []kernels.Reg{x}, Axes: kernels.AxisSet(1 + rng.IntN(1<<len(shape)-1)), Group: int16(rng.IntN(3)/2*2 - 1)}
		if r.Indexed {
			f.Args = append(f.Args, b.Index(len(shape)-1))
		}
		b.Fold(f)
		what += fmt.Sprintf("%s along %v, group %d; ", r.Name, f.Axes, f.Group)
	}
	if rng.IntN(2) == 0 {
		b.Ret(b.Apply(kernels.OpMultiply, x, x))
	}
	return build(t, b), in, what
}

// TestFits: what Fits says of a call is what becomes of it, in device memory of all sizes.
func TestFits(t *testing.T) {
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	fitting, not := 0, 0
	for _, memory := range []int64{12 << 10, 48 << 10, 128 << 10, 3 << 20} {
		t.Run(fmt.Sprint(memory), func(t *testing.T) {
			d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: memory})
			for i, shape := range []chunk.Shape{{255, 301}, {2, 133, 57}, {3, 9, 5, 33}, {1, 1}, {0, 4}} {
				p, in, what := mixedProgram(t, rand.New(rand.NewPCG(uint64(i), uint64(memory))), shape)
				const groups = 700 // of which few are there
				err := runOn(d, p, &kernels.Call{In: in, Out: outputsOf(p, shape, groups), Shape: shape, Origin: make(chunk.Shape, len(shape))}, host)
				if err != nil && !strings.Contains(err.Error(), "cannot be cut") {
					t.Fatal(err)
				}
				if cuda.Fits(p, shape, in, groups, memory) {
					fitting++
				} else {
					not++
				}
				if want := err == nil; cuda.Fits(p, shape, in, groups, memory) != want {
					t.Errorf("%d bytes, %v: %s: Fits says %v, and the call gave %v", memory, shape, what, !want, err)
				}
			}
		})
	}
	if fitting == 0 || not == 0 {
		t.Errorf("%d calls fit, %d do not: want both", fitting, not)
	}
}

// TestCutAcross folds chunks of two or three long positions, whose middle lies in a block: all but that block is copied once.
func TestCutAcross(t *testing.T) {
	d, _ := open(t, cuda.Options{Always: true, Strict: true, Memory: 1 << 20})
	host := cpu.New(cpu.Options{Mode: "generic"})
	defer host.Close()
	for _, shape := range []chunk.Shape{{2, 90001}, {3, 70001}, {2, 300, 301}, {1, 3, 2, 20011}} {
		b := kernels.NewBuilder(len(shape))
		args := []kernels.Reg{b.Input(kernels.In(dtype.Float32)), b.Index(len(shape) - 1)}
		for _, name := range []string{"sum", "nanvar", "argmax"} {
			r, _ := kernels.ReductionByName(name)
			f := kernels.Fold{Op: r.ID, Args: args[:1], Axes: 1<<len(shape) - 1, Group: -1}
			if r.Indexed {
				f.Args = args
			}
			b.Fold(f)
		}
		p, in := build(t, b), []*chunk.Chunk{hostChunk(dtype.Float32, shape)}
		for i, v := 0, chunk.Slice[float32](in[0]); i < len(v); i++ {
			v[i] = float32(i*7919%1013) / 31
		}
		in[0].Offset, in[0].Strides = shape.Size()-1, shape.RowMajor() // backwards
		for a := range in[0].Strides {
			in[0].Strides[a] = -in[0].Strides[a]
		}
		before := d.Stats()
		results := map[kernels.Device][]*chunk.Chunk{d: outputsOf(p, shape, cutGroups), host: outputsOf(p, shape, cutGroups)}
		for dev, out := range results {
			if err := runOn(dev, p, &kernels.Call{In: in, Out: out, Shape: shape, Origin: make(chunk.Shape, len(shape))}, host); err != nil {
				t.Fatalf("%v: %v", shape, err)
			}
		}
		for i, want := range results[host] {
			if string(results[d][i].Bytes()) != string(want.Bytes()) {
				t.Errorf("%v: output %d differs from the CPU's", shape, i)
			}
		}
		s, size := d.Stats(), 4*shape.Size()
		if up := s.UploadedBytes - before.UploadedBytes; up < size || up > size*11/10 || s.Halved == before.Halved {
			t.Errorf("%v: %d bytes of %d were copied to the device: want once, in pieces", shape, up, size)
		}
	}
}

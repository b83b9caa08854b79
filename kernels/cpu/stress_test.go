// SPDX-License-Identifier: BSD-3-Clause

package cpu_test

import (
	"bytes"
	"math/rand/v2"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// deepen makes the goroutine's stack grow and move.
func deepen(n int, f func()) byte {
	var pad [512]byte
	pad[n%512] = 1
	if n == 0 {
		f()
		return pad[0]
	}
	return deepen(n-1, f) + pad[1]
}

// TestStress runs machine code while the garbage collector runs all the time, stacks move, goroutines are preempted
// and the CPU profiler samples: results must not change.
func TestStress(t *testing.T) {
	for _, mode := range modes[1:] {
		t.Run(mode, func(t *testing.T) { stress(t, mode) })
	}
}

func stress(t *testing.T, mode string) {
	dev := cpu.New(cpu.Options{Mode: mode})
	defer dev.Close()
	if dev.Name() != "jit-"+mode {
		t.Skipf("no machine code here: %s", dev.(kernels.Explained).Executor())
	}
	b := kernels.NewBuilder(2)
	x, y := b.Input(kernels.In(dtype.Float64)), b.Input(kernels.In(dtype.Float32))
	sin, _ := kernels.OpByName("sin")
	b.Ret(b.Apply(kernels.OpAdd, b.Apply(sin.ID, x), b.Cast(y, dtype.Float64)))
	b.Ret(b.Apply(kernels.OpLess, x, b.Cast(y, dtype.Float64)))
	sum, _ := kernels.ReductionByName("nansum")
	b.Fold(kernels.Fold{Op: sum.ID, Args: []kernels.Reg{b.Apply(kernels.OpMultiply, x, x)}, Axes: kernels.Axes(0), Group: -1})
	p, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	k, err := dev.Compile(ctx, p)
	if err != nil {
		t.Fatal(err)
	}
	if got := k.(kernels.Explained).Executor(); got != "machine code" {
		t.Fatalf("the kernel runs on %q", got)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(5))
	var profile bytes.Buffer
	if err := pprof.StartCPUProfile(&profile); err == nil {
		defer pprof.StopCPUProfile()
	}
	length := 2 * time.Second
	if testing.Short() {
		length = time.Second / 2
	}
	stop := time.Now().Add(length)
	var wg sync.WaitGroup
	for id := range 4 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(id), 5))
			rows, cols := int64(20), int64(250+150*id)
			n := rows * cols
			call := func(seed uint64) ([]*chunk.Chunk, error) {
				r := rand.New(rand.NewPCG(seed, 6))
				shape := chunk.Shape{rows, cols}
				c := kernels.Call{Shape: shape, Origin: chunk.Shape{0, 0}}
				var err error
				for i, d := range []dtype.DType{dtype.Float64, dtype.Float32, dtype.Float64, dtype.Bool, dtype.Float64} {
					if i == 4 {
						shape = chunk.Shape{1, cols}
					}
					b, e := chunk.New(dev.Allocator(), d, 0, shape)
					if e != nil {
						return nil, e
					}
					c.In = append(c.In, b)
				}
				for i := range n {
					chunk.Slice[float64](c.In[0])[i] = r.NormFloat64() * 10
					chunk.Slice[float32](c.In[1])[i] = r.Float32()
				}
				if seed%3 == 0 { // a lane that needs the slow program
					chunk.Slice[float64](c.In[0])[n/2] = 1e300
				}
				c.Out, c.In = c.In[2:], c.In[:2]
				deepen(r.IntN(200), func() { err = run(dev, p, c) })
				for _, in := range c.In {
					in.Release()
				}
				return c.Out, err
			}
			want := map[uint64][]*chunk.Chunk{}
			for time.Now().Before(stop) {
				seed := r.Uint64N(6)
				got, err := call(seed)
				if err != nil {
					t.Error(err)
					return
				}
				_ = make([]*int, 1000) // something for the collector
				if want[seed] == nil {
					want[seed] = got
					continue
				}
				for i, c := range got {
					if !bytes.Equal(c.Bytes(), want[seed][i].Bytes()) {
						t.Errorf("goroutine %d, seed %d: result %d changed", id, seed, i)
					}
					c.Release()
				}
				runtime.Gosched()
			}
			for _, cs := range want {
				for _, c := range cs {
					c.Release()
				}
			}
		})
	}
	wg.Wait()
}

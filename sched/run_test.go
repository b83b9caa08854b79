// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"context"
	"errors"
	"math/rand/v2"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
)

// TestMain fails when goroutines are left behind.
func TestMain(m *testing.M) {
	before := runtime.NumGoroutine()
	code := m.Run()
	for range 100 {
		if runtime.NumGoroutine() <= before {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if n := runtime.NumGoroutine(); code == 0 && n > before {
		buf := make([]byte, 1<<16)
		println(string(buf[:runtime.Stack(buf, true)]))
		println("goroutines left behind:", n-before)
		code = 1
	}
	os.Exit(code)
}

func newEngine(t *testing.T, opt Options) *Engine {
	t.Helper()
	e, err := New(opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

var errDisk = errors.New("disk on fire")

func failing(k int64) *fakeSource {
	s := newFake(rand.New(rand.NewPCG(3, 3)), dtype.Float32, chunk.Regular(chunk.Shape{200, 100, 100}, 1, 100, 100))
	s.fail = func(key chunk.Key) error {
		if key[0] == k {
			return errDisk
		}
		return nil
	}
	return s
}

func TestSourceErrorEndsTheRun(t *testing.T) {
	for _, op := range []string{"map", "fold", "groups"} {
		e := newEngine(t, Options{Memory: 16 << 20, Workers: 4})
		src := failing(57)
		a := ndarray.FromSource(src, "t2m").Mul(2)
		switch op {
		case "fold":
			a = a.Mean(1)
		case "groups":
			ids := make([]int32, 200)
			for i := range ids {
				ids[i] = int32(i % 3)
			}
			a = a.GroupReduce("mean", 0, ids, 3, ndarray.ReduceOptions{})
		}
		_, err := ndarray.Values[float64](context.Background(), e, a)
		if !errors.Is(err, errDisk) {
			t.Fatalf("%s: got %v, want %v", op, err, errDisk)
		}
		if !strings.Contains(err.Error(), "t2m chunk (57, 0, 0)") {
			t.Errorf("%s: %v does not name the chunk", op, err)
		}
	}
}

func TestSinkErrorEndsTheRun(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 4})
	src := failing(-1)
	a := ndarray.FromSource(src, "x").Mul(2)
	s := newSink(t, a.DType(), a.Grid())
	s.fail = errDisk
	err := e.Run(context.Background(), []ndarray.Output{{Array: a, Name: "out", To: s}})
	if !errors.Is(err, errDisk) || !strings.Contains(err.Error(), "write out chunk") {
		t.Fatalf("got %v, want %v", err, errDisk)
	}
	err = e.Run(context.Background(), []ndarray.Output{{Array: a, Each: func(chunk.Region, *chunk.Chunk) error { return errDisk }}})
	if !errors.Is(err, errDisk) {
		t.Fatalf("got %v, want %v", err, errDisk)
	}
}

func TestCancelReturnsPromptly(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	src := failing(-1)
	src.fail = func(chunk.Key) error { time.Sleep(2 * time.Millisecond); return nil }
	a := ndarray.FromSource(src, "x").Mul(2).Mean(1)
	p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: a, Each: func(chunk.Region, *chunk.Chunk) error { return nil }}})
	if err != nil {
		t.Fatal(err)
	}
	j := e.Start(context.Background(), p)
	for range j.Progress() {
		break
	}
	start := time.Now()
	j.Cancel()
	if err := j.Wait(); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("took %v to stop", d)
	}
	if _, err := ndarray.Values[float32](context.Background(), e, a); err != nil {
		t.Errorf("run after a cancelled one: %v", err)
	}
}

func TestCancelBeforeTheRun(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := ndarray.Values[float32](ctx, e, ndarray.FromSource(failing(-1), "x").Mul(2))
	if !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v, want %v", err, context.Canceled)
	}
}

func TestSharedInputIsReadOnce(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	src := failing(-1)
	x := ndarray.FromSource(src, "u")
	out := func(a ndarray.Array, name string) ndarray.Output {
		return ndarray.Output{Array: a, Name: name, Each: func(chunk.Region, *chunk.Chunk) error { return nil }}
	}
	outputs := []ndarray.Output{out(x.Mul(2), "double"), out(x.Sum(), "sum"), out(x.Square().Mean(1, 2), "mean")}
	p, err := e.PlanOutputs(context.Background(), outputs)
	if err != nil {
		t.Fatal(err)
	}
	if text := p.Explain(); !strings.Contains(text, "several results in one sweep share u") || !strings.Contains(text, "u ×1") {
		t.Errorf("the plan does not say that u is shared:\n%s", text)
	}
	if err := e.Start(context.Background(), p).Wait(); err != nil {
		t.Fatal(err)
	}
	if n := src.reads.Load(); n != 200 {
		t.Errorf("read %d chunks, want each of 200 once", n)
	}
}

func TestKeepOrReadAgain(t *testing.T) {
	for _, c := range []struct {
		memory int64
		reads  int64
		why    string
	}{{64 << 20, 200, "kept"}, {9 << 20, 400, "read ×2"}} {
		e := newEngine(t, Options{Memory: c.memory, Workers: 2})
		src := failing(-1)
		x := ndarray.FromSource(src, "u")
		p, err := e.PlanOutputs(context.Background(), []ndarray.Output{{Array: x.Sub(x.Mean()), Name: "anom", Each: func(chunk.Region, *chunk.Chunk) error { return nil }}})
		if err != nil {
			t.Fatal(err)
		}
		if text := p.Explain(); !strings.Contains(text, c.why) {
			t.Errorf("the plan does not say %q:\n%s", c.why, text)
		}
		if err := e.Start(context.Background(), p).Wait(); err != nil {
			t.Fatal(err)
		}
		if n := src.reads.Load(); n != c.reads {
			t.Errorf("memory %d: read %d chunks, want %d", c.memory, n, c.reads)
		}
	}
}

func TestClosedEngine(t *testing.T) {
	e, err := New(Options{Memory: 1 << 20})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := ndarray.Values[float64](context.Background(), e, ndarray.FromSlice([]float64{1})); !errors.Is(err, ErrClosed) {
		t.Errorf("got %v, want %v", err, ErrClosed)
	}
	if err := e.Close(); err != nil {
		t.Errorf("second close: %v", err)
	}
}

func TestNewRefusesWhatItCannotDo(t *testing.T) {
	for _, opt := range []Options{{Device: "gpu"}, {CPU: "mmx"}, {Memory: -1}} {
		if _, err := New(opt); err == nil {
			t.Errorf("New(%+v) gave no error", opt)
		}
	}
}

func TestMemoryOfAnotherKindIsRefused(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	x := ndarray.FromSlice([]float64{1, 2, 3, 4})
	for _, c := range []*chunk.Chunk{heapChunk(dtype.Float32, chunk.Shape{4}), heapChunk(dtype.Float64, chunk.Shape{5})} {
		err := e.Run(context.Background(), []ndarray.Output{{Array: x.Mul(2), Name: "out", Into: c}})
		if !errors.Is(err, chunk.ErrShape) || !strings.Contains(err.Error(), "want float64[4]") {
			t.Errorf("%s%v: got %v, want a refusal that names float64[4]", c.DType, c.Shape, err)
		}
	}
}

func TestMaskIsCountedFirst(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	x := ndarray.FromSlice([]float64{3, -1, 4, -1, 5, -9})
	v, err := ndarray.Values[float64](context.Background(), e, x.Index(ndarray.Mask(x.Greater(0))).Mul(10))
	if err != nil {
		t.Fatal(err)
	}
	if len(v) != 3 || v[0] != 30 || v[1] != 40 || v[2] != 50 {
		t.Errorf("got %v, want [30 40 50]", v)
	}
}

func TestAllNaNHasNoPosition(t *testing.T) {
	e := newEngine(t, Options{Memory: 16 << 20, Workers: 2})
	x := ndarray.FromSlice([]float64{1, 2, 0, 0}, 2, 2)
	_, err := ndarray.Values[int64](context.Background(), e, x.Div(x).Mul(x).Div(x).Reduce("nanargmax", ndarray.ReduceOptions{Axes: []int{1}}))
	if err == nil || !strings.Contains(err.Error(), "only NaN") {
		t.Errorf("got %v, want an error about a slice of NaN", err)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cudasim_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

const head = `extern "C" __global__ void __launch_bounds__(256) k(unsigned *p, long long n) {
	const unsigned i = threadIdx.x;
`

// reverse turns n words around through shared memory, sum adds them up by a tree of shuffles and shared memory.
const (
	reverse = head + `	__shared__ unsigned tile[256];
	tile[i] = p[i];
	__syncthreads();
	p[i] = tile[n - 1 - i];
}`
	reverseWithoutBarrier = head + `	__shared__ unsigned tile[256];
	tile[i] = p[i];
	__syncwarp();
	p[i] = tile[n - 1 - i];
}`
	sum = head + `	extern __shared__ unsigned never[];
	__shared__ unsigned part[8];
	unsigned v = p[i];
	for (int h = 16; h > 0; h /= 2) v += __shfl_down_sync(0xffffffffu, v, h);
	const unsigned few = __ballot_sync(0xffffffffu, i % 32 < 3);
	if (i % 32 == 0) part[i / 32] = v;
	__syncthreads();
	if (i < 32) {
		v = i < 8 ? part[i] : 0;
		for (int h = 4; h > 0; h /= 2) v += __shfl_xor_sync(0xffffffffu, v, h);
		const unsigned first = __shfl_sync(0xffffffffu, v, 0);
		if (i == 0) { p[0] = v; p[1] = few; p[2] = first; }
	}
	__syncthreads();
	if (i == 5) atomicAdd(p + 3, (unsigned)(p[0] - 2));
}`
)

// TestKernelsInEveryOrder runs barriers and shuffles with the threads in different orders.
func TestKernelsInEveryOrder(t *testing.T) {
	for _, order := range []string{"order=forward", "order=reverse", "order=shuffle"} {
		t.Run(order, func(t *testing.T) {
			m := start(t, order, "seed=3")
			got, err := m.run(reverse, 256, 256)
			for i, v := range got {
				if err != nil || v != uint32(255-i) {
					t.Fatalf("reverse: element %d = %d, %v, want %d", i, v, err, 255-i)
				}
			}
			got, err = m.run(sum, 256, 256)
			if want := []uint32{32640, 7, 32640, 32641}; err != nil || !slices.Equal(got[:4], want) {
				t.Fatalf("sum = %d, %v, want %d", got[:4], err, want)
			}
		})
	}
}

// TestMissingBarrierIsFound is a mutation: without the barrier some order of threads gives a wrong answer.
func TestMissingBarrierIsFound(t *testing.T) {
	cudasim.Need(t)
	wrong := 0
	for _, order := range []string{"order=forward", "order=reverse", "order=shuffle"} {
		t.Run(order, func(t *testing.T) {
			got, err := start(t, order).run(reverseWithoutBarrier, 256, 256)
			if err != nil {
				t.Fatal(err)
			}
			for i, v := range got {
				if v != uint32(255-i) {
					wrong++
					break
				}
			}
		})
	}
	if wrong == 0 {
		t.Error("every order of threads gave the right answer without the barrier")
	}
}

// TestPlantedBugs runs kernels that must not be, and wants each found by its kind.
func TestPlantedBugs(t *testing.T) {
	for _, c := range []struct {
		name, body, kind string
		code             driver.Code
	}{
		{"read behind the end", `p[0] = p[n + 64];`, "out-of-bounds", driver.IllegalAddress},
		{"write before the start", `if (i == 0) p[-4096] = 1;`, "out-of-bounds", driver.IllegalAddress},
		{"write just behind the end", `if (i == 0) p[n] = 1;`, "overrun", driver.IllegalAddress},
		{"null pointer", `*(unsigned *)(n - n) = 1;`, "out-of-bounds", driver.IllegalAddress},
		{"divergent barrier", `if (i < 5) __syncthreads(); p[i] = i;`, "barrier-divergence", driver.LaunchFailed},
		{"two barriers", "if (i < 5) {\n__syncthreads(); } else {\n__syncthreads(); }", "barrier-divergence", driver.LaunchFailed},
		{"lane not in its mask", `p[i] = __shfl_sync(1u, i, 0);`, "barrier-divergence", driver.LaunchFailed},
		{"misaligned", `*(unsigned long long *)(p + 1) = 7;`, "undefined", driver.MisalignedAddress},
		{"shared index", `__shared__ unsigned s[4]; s[i + n] = 1; p[0] = s[n - n];`, "undefined", driver.IllegalAddress},
		{"division by zero", `p[i] = i / (unsigned)(n - n);`, "undefined", driver.LaunchFailed},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := start(t)
			_, err := m.run(head+c.body+"\n}", 30, 30)
			if driver.CodeOf(err) != c.code || !driver.IsSticky(err) || m.ctx.Lost() != c.code {
				t.Errorf("error %v, context lost by %v, want %v", err, m.ctx.Lost(), c.code)
			}
			m.expect(c.kind)
			if err := m.ctx.Do(func(s *driver.Session) error { _, err := s.MemAlloc(1); return err }); driver.CodeOf(err) != c.code {
				t.Errorf("a later call fails with %v, want the sticky %v", err, c.code)
			}
		})
	}
}

// TestEndlessKernel wants a kernel that never ends to be ended.
func TestEndlessKernel(t *testing.T) {
	m := start(t, "timeout_ms=30")
	_, err := m.run(head+"while (*(volatile unsigned *)p < n + 1000) {}\n}", 1, 30)
	if code := driver.CodeOf(err); code != driver.LaunchTimeout {
		t.Errorf("got %v, want %v", err, driver.LaunchTimeout)
	}
	m.expect("timeout")
}

// TestLostContextComesBack wants a device whose context was lost to work again once the context was given back.
func TestLostContextComesBack(t *testing.T) {
	m := start(t)
	if _, err := m.run(head+"p[n + 10000] = 1;\n}", 1, 30); !driver.IsSticky(err) {
		t.Fatalf("got %v, want a lost context", err)
	}
	m.expect("out-of-bounds")
	if err := m.ctx.Close(); err != nil {
		t.Fatal(err)
	}
	if st := m.sim.Stats(); st["live_device"] != 0 || st["live_host"] != 0 {
		t.Errorf("memory outlived its context: %v", st)
	}
	m.ctx = primary(t, m.ctx.Device().Driver(), 0)
	if got, err := m.run(reverse, 256, 256); err != nil || got[0] != 255 {
		t.Errorf("after it: %d, %v", got[0], err)
	}
}

// TestUndefinedIsReported runs what C leaves undefined and processors do each in their way: the run goes on.
func TestUndefinedIsReported(t *testing.T) {
	for name, body := range map[string]string{
		"shift": `p[i] = 1u << (n + 10);`,
		"cast":  `p[i] = (unsigned)(int)(1e20 * (double)n);`,
	} {
		t.Run(name, func(t *testing.T) {
			m := start(t)
			if _, err := m.run(head+body+"\n}", 1, 30); err != nil {
				t.Error(err)
			}
			m.expect("undefined")
		})
	}
}

// TestFreshMemoryIsPoisoned wants a sum over memory that nothing wrote to be no plausible number.
func TestFreshMemoryIsPoisoned(t *testing.T) {
	m := start(t)
	got, err := m.run(head+"__shared__ unsigned s[4]; p[0] = s[n % 4]; }", 1, 4)
	if err != nil || got[0] != 0xCBCBCBCB {
		t.Errorf("shared memory holds %#x, %v, want 0xcbcbcbcb", got[0], err)
	}
}

// TestKernelParameters passes every kind of parameter and refuses a wrong number of them.
func TestKernelParameters(t *testing.T) {
	m := start(t)
	k := m.load(`// __global__ void not_a_kernel(int x) {
extern "C" __global__ void k(double *out, unsigned long long u, double f, long long i, const double *in) {
	out[0] = (double)u; out[1] = f; out[2] = (double)i; out[3] = in[1]; out[4] = sqrt(f) + fma(f, f, 1.0) + fmod(f, 2.0) + rint(f);
}
extern "C" __global__ void second() {}`)
	m.in(func(s *driver.Session) error {
		dev, err := s.MemAlloc(64)
		if err != nil {
			return err
		}
		if err := s.Memset(dev, 0, 64, k.st); err != nil {
			return err
		}
		var a driver.Args
		a.Ptr(dev).Uint(1 << 63).Float(6.25).Int(-5).Ptr(dev)
		if err := s.Launch(k.fn, driver.Dim3{}, driver.Dim3{}, 0, k.st, &a); err != nil {
			return err
		}
		h, err := s.HostAlloc(64)
		if err != nil {
			return err
		}
		if err := s.CopyToHost(h, 0, dev, 64, k.st); err != nil {
			return err
		}
		if err := s.StreamSynchronize(k.st); err != nil {
			return err
		}
		got := fmt.Sprint(floats(h.Bytes())[:5])
		if want := "[9.223372036854775808e+18 6.25 -5 6.25 48.8125]"; got != strings.ReplaceAll(want, "9.223372036854775808e+18", "9.223372036854776e+18") {
			t.Errorf("got %s, want %s", got, want)
		}
		for _, n := range []int{4, 6} {
			a.Reset()
			for range n {
				a.Uint(0)
			}
			if err := s.Launch(k.fn, driver.Dim3{}, driver.Dim3{}, 0, k.st, &a); driver.CodeOf(err) != driver.InvalidValue {
				t.Errorf("%d arguments: %v, want %v", n, err, driver.InvalidValue)
			}
		}
		if _, err := s.Function(k.mod, "second"); err != nil {
			t.Error(err)
		}
		if _, err := s.Function(k.mod, "not_a_kernel"); driver.CodeOf(err) != driver.NotFound {
			t.Errorf("unknown kernel: %v, want %v", err, driver.NotFound)
		}
		if err := s.MemFree(dev); err != nil {
			return err
		}
		return s.HostFree(h)
	})
	m.expect("launch")
	m.unload(k)
}

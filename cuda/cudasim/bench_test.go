// SPDX-License-Identifier: BSD-3-Clause

package cudasim_test

import (
	"errors"
	"testing"

	"github.com/arrayrun/arrayrun/cuda/cudasim"
	"github.com/arrayrun/arrayrun/cuda/driver"
)

// BenchmarkKernel tells how fast simulated kernels run, which bounds what tests can afford.
func BenchmarkKernel(b *testing.B) {
	for name, source := range map[string]string{
		"kind=elementwise": `extern "C" __global__ void __launch_bounds__(256) k(float *p, long long n) {
	for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) p[i] = p[i] * 0.5f + 1.0f;
}`,
		"kind=shuffles": `extern "C" __global__ void __launch_bounds__(256) k(float *p, long long n) {
	for (long long i = (long long)blockIdx.x * blockDim.x + threadIdx.x; i < n; i += (long long)gridDim.x * blockDim.x) {
		float v = p[i];
		for (int h = 16; h > 0; h /= 2) v += __shfl_down_sync(0xffffffffu, v, h);
		p[i] = v;
	}
}`,
	} {
		b.Run(name, func(b *testing.B) {
			sim := cudasim.Start(b)
			dev, err := sim.OpenDriver().Device(0)
			if err != nil {
				b.Fatal(err)
			}
			ctx, err := dev.Primary()
			if err != nil {
				b.Fatal(err)
			}
			defer ctx.Close()
			c, err := sim.OpenNVRTC().Compile("k.cu", source, options, driver.WantCubin)
			if err != nil {
				b.Fatal(err)
			}
			const n = 1 << 18
			err = ctx.Do(func(s *driver.Session) error {
				mod, err1 := s.ModuleLoad(c.Cubin)
				fn, err2 := s.Function(mod, "k")
				p, err3 := s.MemAlloc(4 * n)
				if err := errors.Join(err1, err2, err3); err != nil {
					return err
				}
				b.SetBytes(4 * n)
				a := new(driver.Args).Ptr(p).Int(n)
				err := s.Memset(p, 0, 4*n, 0)
				for b.Loop() {
					err = errors.Join(err, s.Launch(fn, driver.Dim3{X: 64}, driver.Dim3{X: 256}, 0, 0, a), s.StreamSynchronize(0))
				}
				return errors.Join(err, s.MemFree(p), s.ModuleUnload(mod))
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
}

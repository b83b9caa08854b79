// SPDX-License-Identifier: BSD-3-Clause
// What clang -x cuda needs to compile the sources without a CUDA toolkit: the qualifiers, the
// built-in variables, the shuffles, and the functions of float and double as external calls.
#pragma once
#define __global__ __attribute__((global))
#define __device__ __attribute__((device))
#define __shared__ __attribute__((shared))
#define __host__ __attribute__((host))
#define __forceinline__ __inline__ __attribute__((always_inline))
#define __launch_bounds__(...) __attribute__((launch_bounds(__VA_ARGS__)))
#include <__clang_cuda_builtin_vars.h>

#define F1(name) __device__ extern "C" double name(double) __attribute__((const)); __device__ extern "C" float name##f(float) __attribute__((const));
F1(sqrt) F1(floor) F1(ceil) F1(trunc) F1(rint)
__device__ extern "C" double fma(double, double, double);
__device__ extern "C" float fmaf(float, float, float);
__device__ extern "C" double fmod(double, double);
__device__ extern "C" float fmodf(float, float);

static __device__ __forceinline__ unsigned __shfl_down_sync(unsigned m, unsigned v, unsigned d) { return (unsigned)__nvvm_shfl_sync_down_i32(m, (int)v, (int)d, 31); }
static __device__ __forceinline__ unsigned __shfl_sync(unsigned m, unsigned v, unsigned l) { return (unsigned)__nvvm_shfl_sync_idx_i32(m, (int)v, (int)l, 31); }
static __device__ __forceinline__ unsigned long long __shfl_down_sync(unsigned m, unsigned long long v, unsigned d) {
	return (unsigned long long)__shfl_down_sync(m, (unsigned)(v >> 32), d) << 32 | __shfl_down_sync(m, (unsigned)v, d);
}
static __device__ __forceinline__ unsigned long long __shfl_sync(unsigned m, unsigned long long v, unsigned l) {
	return (unsigned long long)__shfl_sync(m, (unsigned)(v >> 32), l) << 32 | __shfl_sync(m, (unsigned)v, l);
}

// SPDX-License-Identifier: BSD-3-Clause
//
// The dialect for g++: what CUDA C has and C++ has not. It comes behind kernel.h and before every source.

#define __CUDACC__ 1
#define __CUDACC_RTC__ 1
#define __global__ __attribute__((noinline))
#define __device__
#define __host__
#define __constant__ static const
#define __forceinline__ inline __attribute__((always_inline))
#define __launch_bounds__(...)
#define __align__(n) __attribute__((aligned(n)))
#define __shared__ static __attribute__((section("cudasim_shared")))

static cudasim_env cudasim_self;
#define threadIdx (cudasim_self.tid)
#define blockIdx (cudasim_self.bid)
#define blockDim (cudasim_self.bdim)
#define gridDim (cudasim_self.gdim)
#define warpSize 32

// The line tells barriers apart.
#define __syncthreads() cudasim_self.sync(__LINE__)
#define __syncwarp(...) ((void)cudasim_self.warp(__LINE__, cudasim_warp_sync, cudasim_mask(__VA_ARGS__), 0, 0, 32))
#define __shfl_sync(mask, v, ...) cudasim_exchange(__LINE__, cudasim_shfl, mask, v, __VA_ARGS__)
#define __shfl_up_sync(mask, v, ...) cudasim_exchange(__LINE__, cudasim_shfl_up, mask, v, __VA_ARGS__)
#define __shfl_down_sync(mask, v, ...) cudasim_exchange(__LINE__, cudasim_shfl_down, mask, v, __VA_ARGS__)
#define __shfl_xor_sync(mask, v, ...) cudasim_exchange(__LINE__, cudasim_shfl_xor, mask, v, __VA_ARGS__)
#define __ballot_sync(mask, p) ((unsigned)cudasim_self.warp(__LINE__, cudasim_ballot, mask, (p) ? 1 : 0, 0, 32))
#define __any_sync(mask, p) (__ballot_sync(mask, p) != 0)
#define __all_sync(mask, p) (__ballot_sync(mask, !(p)) == 0)

static inline unsigned cudasim_mask(unsigned m = 0xffffffffu) { return m; }

template <class T> static inline T cudasim_exchange(unsigned line, int what, unsigned mask, T v, unsigned arg, unsigned width = 32) {
	static_assert(sizeof(T) == 4 || sizeof(T) == 8, "shuffles take 4 or 8 bytes");
	unsigned long long bits = 0;
	__builtin_memcpy(&bits, &v, sizeof v);
	bits = cudasim_self.warp(line, what, mask, bits, arg, width);
	__builtin_memcpy(&v, &bits, sizeof v);
	return v;
}

// Kernels run one after the other and threads change places at barriers only, so plain arithmetic is atomic.
template <class T> static inline T cudasim_add(T *p, T v) { T old = *p; *p = old + v; return old; }
static inline int atomicAdd(int *p, int v) { return (int)cudasim_add((unsigned *)p, (unsigned)v); }
static inline unsigned atomicAdd(unsigned *p, unsigned v) { return cudasim_add(p, v); }
static inline unsigned long long atomicAdd(unsigned long long *p, unsigned long long v) { return cudasim_add(p, v); }
static inline unsigned atomicOr(unsigned *p, unsigned v) { unsigned old = *p; *p = old | v; return old; }
static inline unsigned long long atomicOr(unsigned long long *p, unsigned long long v) { unsigned long long old = *p; *p = old | v; return old; }

#define CUDASIM_MATH1(f, ff) \
	static inline double f(double x) { return __builtin_##f(x); } \
	static inline float f(float x) { return __builtin_##ff(x); } \
	static inline float ff(float x) { return __builtin_##ff(x); }
CUDASIM_MATH1(sqrt, sqrtf)
CUDASIM_MATH1(floor, floorf)
CUDASIM_MATH1(ceil, ceilf)
CUDASIM_MATH1(trunc, truncf)
CUDASIM_MATH1(rint, rintf)
CUDASIM_MATH1(fabs, fabsf)
static inline double fmod(double a, double b) { return __builtin_fmod(a, b); }
static inline float fmod(float a, float b) { return __builtin_fmodf(a, b); }
static inline float fmodf(float a, float b) { return __builtin_fmodf(a, b); }
static inline double fma(double a, double b, double c) { return __builtin_fma(a, b, c); }
static inline float fma(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline float fmaf(float a, float b, float c) { return __builtin_fmaf(a, b, c); }
static inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)((unsigned long long)a * b >> 32); }
static inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)((unsigned __int128)a * b >> 64); }

// Packed parameters: each at its own alignment, in order.
template <class... A> struct cudasim_params;
template <> struct cudasim_params<> {
	static constexpr unsigned end(unsigned at) { return at; }
};
template <class T, class... A> struct cudasim_params<T, A...> {
	static constexpr unsigned at(unsigned off) { return (off + alignof(T) - 1) / alignof(T) * alignof(T); }
	static constexpr unsigned end(unsigned off) { return cudasim_params<A...>::end(at(off) + sizeof(T)); }
};

template <class... A> static constexpr unsigned cudasim_bytes(void (*)(A...)) { return cudasim_params<A...>::end(0); }

template <class... Done> struct cudasim_unpack {
	template <class F> static void call(F f, const char *, unsigned, cudasim_params<>, Done... done) { f(done...); }
	template <class F, class T, class... A> static void call(F f, const char *p, unsigned off, cudasim_params<T, A...>, Done... done) {
		T v;
		off = cudasim_params<T, A...>::at(off);
		__builtin_memcpy(&v, p + off, sizeof v);
		cudasim_unpack<Done..., T>::call(f, p, off + sizeof(T), cudasim_params<A...>(), done..., v);
	}
};

template <class... A> static void cudasim_call(void (*f)(A...), const char *p) { cudasim_unpack<>::call(f, p, 0, cudasim_params<A...>()); }

// The checks that g++ puts in (-fsanitize) end here; each datum begins with its place in the source.
struct cudasim_place { const char *file; unsigned line, column; };
#define CUDASIM_CHECK(name, what, fatal) \
	extern "C" void __ubsan_handle_##name(cudasim_place *p, ...) { cudasim_self.undefined(what, p->line, fatal); }
CUDASIM_CHECK(type_mismatch_v1, "misaligned access", 1)
CUDASIM_CHECK(out_of_bounds, "index out of bounds", 1)
CUDASIM_CHECK(divrem_overflow, "integer division by zero or overflow", 0)
CUDASIM_CHECK(shift_out_of_bounds, "shift out of bounds", 0)
CUDASIM_CHECK(float_cast_overflow, "conversion of a float that does not fit", 0)

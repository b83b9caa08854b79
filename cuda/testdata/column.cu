// fold, column
typedef signed char i8;
typedef unsigned char u8;
typedef short i16;
typedef unsigned short u16;
typedef int i32;
typedef unsigned int u32;
typedef long long i64;
typedef unsigned long long u64;
typedef float f32;
typedef double f64;
static __device__ __forceinline__ f32 as_f32(u32 b) { union { u32 b; f32 f; } u; u.b = b; return u.f; }
static __device__ __forceinline__ u32 as_u32(f32 f) { union { u32 b; f32 f; } u; u.f = f; return u.b; }
static __device__ __forceinline__ f64 as_f64(u64 b) { union { u64 b; f64 f; } u; u.b = b; return u.f; }
static __device__ __forceinline__ u64 as_u64(f64 f) { union { u64 b; f64 f; } u; u.f = f; return u.b; }
static __device__ __forceinline__ u32 quick(u32 n, u32 m, u32 s) { return ((u32)((u64)m * n >> 32) + n) >> s; }
template <class T> static __device__ __forceinline__ bool below(T a, T b) { return a < b; }
static __device__ __forceinline__ bool below(f32 a, f32 b) { return a < b || (a == b && as_u32(a) >> 31 > as_u32(b) >> 31); }
static __device__ __forceinline__ bool below(f64 a, f64 b) { return a < b || (a == b && as_u64(a) >> 63 > as_u64(b) >> 63); }
template <bool MIN, bool SKIP, class T> static __device__ __forceinline__ void join_extreme(T &a, T b) {
	const bool x = a != a, y = b != b;
	if (SKIP ? x : y) a = b;
	else if (!x && !y && (MIN ? below(b, a) : below(a, b))) a = b;
}
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f64 *__restrict__ out0_0, f32 *__restrict__ out1_0, i64 total, i64 keep, i64 reduced, i64 d1, u64 f1, const f32 *__restrict__ in0, i64 s0_0, i64 s0_1, i64 s0_2, u64 k1) {
	const f32 r1 = as_f32((u32)k1);
	const un step = (un)gridDim.x * blockDim.x;
	for (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)total; t += step) {
		const un block = t / (un)keep, cell = t - block * (un)keep;
		const un q1 = quick(cell, (u32)f1, (u32)(f1 >> 32));
		const ix c1 = (ix)(cell - q1 * (un)d1);
		const ix c0 = (ix)q1;
		const un from = block * 256, left = (un)reduced - from, to = from + (left < 256 ? left : 256);
		f64 a0_0 = as_f64(0x0ull);
		f32 a1_0 = as_f32(0x7fc00000u);
		for (un n = from; n < to; n++) {
			const ix c2 = (ix)n;
			const f32 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2 * (ix)s0_2];
			const f32 r2 = r0 * r1;
			{
			const f32 v0 = r2;
			a0_0 = a0_0 + (f64)v0;
			}
			{
			const f32 v1 = r2;
			join_extreme<true, true, f32>(a1_0, v1);
			}
		}
		{
			out0_0[t] = a0_0;
			out1_0[t] = a1_0;
		}
	}
}

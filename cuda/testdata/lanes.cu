// fold, lanes
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
template <bool MIN, class T> static __device__ __forceinline__ void join_arg(T &a, i64 &p, T b, i64 q) {
	if (q < 0) return;
	bool take = p < 0;
	if (!take) {
		const bool x = a != a, y = b != b;
		if ((x && y) || (!x && !y && a == b)) take = q < p;
		else if (x) take = false;
		else take = y || (MIN ? below(b, a) : below(a, b));
	}
	if (take) { a = b; p = q; }
}
static __device__ __forceinline__ u32 down(u32 v, u32 h) { return __shfl_down_sync(0xffffffffu, v, h); }
static __device__ __forceinline__ u64 down(u64 v, u32 h) { return __shfl_down_sync(0xffffffffu, v, h); }
static __device__ __forceinline__ i64 down(i64 v, u32 h) { return (i64)down((u64)v, h); }
static __device__ __forceinline__ i32 down(i32 v, u32 h) { return (i32)down((u32)v, h); }
static __device__ __forceinline__ i16 down(i16 v, u32 h) { return (i16)down((u32)v, h); }
static __device__ __forceinline__ u16 down(u16 v, u32 h) { return (u16)down((u32)v, h); }
static __device__ __forceinline__ i8 down(i8 v, u32 h) { return (i8)down((u32)v, h); }
static __device__ __forceinline__ u8 down(u8 v, u32 h) { return (u8)down((u32)v, h); }
static __device__ __forceinline__ f32 down(f32 v, u32 h) { return as_f32(down(as_u32(v), h)); }
static __device__ __forceinline__ f64 down(f64 v, u32 h) { return as_f64(down(as_u64(v), h)); }
static __device__ __forceinline__ i64 lane(i64 v, u32 l) { return (i64)__shfl_sync(0xffffffffu, (u64)v, l); }
static __device__ __forceinline__ f64 lane(f64 v, u32 l) { return as_f64(__shfl_sync(0xffffffffu, as_u64(v), l)); }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f64 *__restrict__ out0_0, i64 *__restrict__ out0_1, f32 *__restrict__ out1_0, i64 *__restrict__ out1_1, i64 *__restrict__ out2_0, f64 *__restrict__ out2_1, f64 *__restrict__ out2_2, i64 total, i64 keep, i64 reduced, i64 width, i64 d1, u64 f1, const f32 *__restrict__ in0, i64 s0_0, i64 s0_1, u64 k1, i64 g2) {
	const f32 r1 = as_f32((u32)k1);
	const u32 width_ = (u32)width, lid = threadIdx.x & (width_ - 1), per = 32 / width_;
	const un warps = (un)gridDim.x * (blockDim.x >> 5);
	for (un base = ((un)blockIdx.x * (blockDim.x >> 5) + (threadIdx.x >> 5)) * per; base < (un)total; base += warps * per) {
		const un t = base + (threadIdx.x & 31) / width_;
		const bool on = t < (un)total;
		const un block = t / (un)keep, cell = t - block * (un)keep;
		const un q1 = quick(cell, (u32)f1, (u32)(f1 >> 32));
		const ix c1 = (ix)(cell - q1 * (un)d1);
		const ix c0 = (ix)q1;
		const un from = block * 4096, left = on ? (un)reduced - from : 0, to = from + (left < 4096 ? left : 4096);
		f64 a0_0 = as_f64(0x0ull);
		i64 a0_1 = (i64)0x0ull;
		f32 a1_0 = as_f32(0x7fc00000u);
		i64 a1_1 = (i64)0xffffffffffffffffull;
		i64 a2_0 = (i64)0x0ull;
		f64 a2_1 = as_f64(0x0ull);
		f64 a2_2 = as_f64(0x0ull);
		f64 sum2 = 0;
		for (un n = from + lid; n < to; n += 32) {
			const ix c2 = (ix)n;
			const f32 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2];
			const f32 r2 = r0 * r1;
			const i64 r3 = (i64)c2 + g2;
			{
			const f32 v0 = r2;
			{ a0_0 = a0_0 + (f64)v0; a0_1++; }
			}
			{
			const f32 v1 = r2;
			join_arg<false, f32>(a1_0, a1_1, v1, r3);
			}
			{
			const f32 v2 = r2;
			if (v2 == v2) { sum2 = sum2 + (f64)v2; a2_0++; }
			}
		}
		for (u32 h = width_ >> 1; h > 0; h >>= 1) {
			sum2 = sum2 + down(sum2, h);
			a2_0 = a2_0 + down(a2_0, h);
		}
		sum2 = lane(sum2, threadIdx.x & 31 & ~(width_ - 1));
		a2_0 = lane(a2_0, threadIdx.x & 31 & ~(width_ - 1));
		if (a2_0 != 0) a2_1 = sum2 / (f64)a2_0;
		for (un n = from + lid; n < to; n += 32) {
			const ix c2 = (ix)n;
			const f32 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2];
			const f32 r2 = r0 * r1;
			{
			const f32 v2 = r2;
			if (v2 == v2) { const f64 d = (f64)v2 - a2_1; a2_2 = a2_2 + d * d; }
			}
		}
		for (u32 h = width_ >> 1; h > 0; h >>= 1) {
			const f64 b0 = down(a0_0, h);
			const i64 b1 = down(a0_1, h);
			a0_0 = a0_0 + b0; a0_1 = a0_1 + b1;
		}
		for (u32 h = width_ >> 1; h > 0; h >>= 1) {
			const f32 b0 = down(a1_0, h);
			const i64 b1 = down(a1_1, h);
			join_arg<false, f32>(a1_0, a1_1, b0, b1);
		}
		for (u32 h = width_ >> 1; h > 0; h >>= 1) {
			a2_2 = a2_2 + down(a2_2, h);
		}
		if (on && lid == 0) {
			out0_0[t] = a0_0;
			out0_1[t] = a0_1;
			out1_0[t] = a1_0;
			out1_1[t] = a1_1;
			out2_0[t] = a2_0;
			out2_1[t] = a2_1;
			out2_2[t] = a2_2;
		}
	}
}

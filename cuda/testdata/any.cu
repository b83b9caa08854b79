// elementwise, any
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
static __device__ __forceinline__ u32 quick(u32 n, u32 m, u32 s) { return ((u32)((u64)m * n >> 32) + n) >> s; }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out0, i64 n, i64 d2, u64 f2, i64 d1, u64 f1, const i16 *__restrict__ in0, i64 s0_0, i64 s0_1, i64 s0_2, const f32 *__restrict__ in1, i64 s1_0, i64 s1_1, i64 s1_2, u64 k2) {
	const f32 r2 = as_f32((u32)k2);
	const un step = (un)gridDim.x * blockDim.x;
	for (un i = (un)blockIdx.x * blockDim.x + threadIdx.x; i < (un)n; i += step) {
		const un q2 = quick(i, (u32)f2, (u32)(f2 >> 32));
		const ix c2 = (ix)(i - q2 * (un)d2);
		const un q1 = quick(q2, (u32)f1, (u32)(f1 >> 32));
		const ix c1 = (ix)(q2 - q1 * (un)d1);
		const ix c0 = (ix)q1;
		const i16 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2 * (ix)s0_2];
		const f32 r1 = in1[c0 * (ix)s1_0 + c1 * (ix)s1_1 + c2 * (ix)s1_2];
		const f32 r3 = (f32)r0;
		const f32 r4 = r3 * r2;
		const f32 r5 = r1 + r4;
		const f32 r6 = sqrtf(r5);
		out0[i] = r6;
	}
}

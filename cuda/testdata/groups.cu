// fold, groups
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
static __device__ __forceinline__ f64 as_f64(u64 b) { union { u64 b; f64 f; } u; u.b = b; return u.f; }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f64 *__restrict__ out0_0, i64 *__restrict__ out0_1, i64 total, i64 keep, i64 reduced, const i32 *__restrict__ in1, i64 s1_0, i64 s1_1, const f32 *__restrict__ in0, i64 s0_0, i64 s0_1, u64 k2) {
	const f32 r2 = as_f32((u32)k2);
	const un step = (un)gridDim.x * blockDim.x;
	for (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)total; t += step) {
		const un group = t / (un)keep, cell = t - group * (un)keep;
		const ix c0 = (ix)cell;
		f64 a0_0 = as_f64(0x0ull);
		i64 a0_1 = (i64)0x0ull;
		for (un n = 0; n < (un)reduced; n++) {
			const ix c1 = (ix)n;
			const i32 r1 = in1[c0 * (ix)s1_0 + c1 * (ix)s1_1];
			if (r1 < 0 || (un)r1 != group) continue;
			const f32 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1];
			const f32 r3 = r0 * r2;
			{
			const f32 v0 = r3;
			if (v0 == v0) { a0_0 = a0_0 + (f64)v0; a0_1++; }
			}
		}
		{
			out0_0[t] = a0_0;
			out0_1[t] = a0_1;
		}
	}
}

// scan
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
static __device__ __forceinline__ f32 f16_f32(u16 h) {
	const u32 sign = (u32)(h & 0x8000) << 16, exp = (h >> 10) & 31, mant = h & 0x3ff;
	if (exp == 0) { const f32 v = (f32)mant * 5.9604644775390625e-8f; return sign ? -v : v; }
	if (exp == 31) return as_f32(sign | 0x7f800000u | mant << 13);
	return as_f32(sign | (exp + 112) << 23 | mant << 13);
}
static __device__ __forceinline__ u32 quick(u32 n, u32 m, u32 s) { return ((u32)((u64)m * n >> 32) + n) >> s; }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(u16 *__restrict__ out0, u16 *__restrict__ carry, i64 lines, i64 inner, i64 long_, i64 goes, i64 d1, u64 f1, const u16 *__restrict__ in0, i64 s0_0, i64 s0_1, i64 s0_2) {
	const un step = (un)gridDim.x * blockDim.x;
	for (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)lines; t += step) {
		const un q1 = quick(t, (u32)f1, (u32)(f1 >> 32));
		const ix c1 = (ix)(t - q1 * (un)d1);
		const ix c0 = (ix)q1;
		const un outer = t / (un)inner;
		un y = outer * ((un)inner * (un)long_) + (t - outer * (un)inner);
		bool first = !goes;
		u16 acc = first ? u16() : carry[t];
		for (un n = 0; n < (un)long_; n++, y += (un)inner) {
			const ix c2 = (ix)n;
			const u16 r0 = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2 * (ix)s0_2];
			const u16 r1 = acc;
			const f32 r2 = (f32)f16_f32(r0);
			const u8 r3 = (u8)(r2 != r2);
			const u16 r4 = r3 ? r1 : r0;
			acc = first ? r0 : r4;
			first = false;
			out0[y] = acc;
		}
		carry[t] = acc;
	}
}

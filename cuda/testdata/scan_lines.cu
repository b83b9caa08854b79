// scan, lines
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
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out, f32 *__restrict__ carry, const f32 *__restrict__ in0, i64 lines, i64 long_, i64 inner, i64 s0_0, i64 s0_1) {
	const un step = (un)gridDim.x * blockDim.x;
	for (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)lines; t += step) {
		const ix c0 = (ix)t;
		un at = t / (un)inner * (un)long_ * (un)inner + t % (un)inner;
		f32 before = {};
		for (un i = 0; i < (un)long_; i++) {
			const ix c1 = (ix)(i);
			const f32 x = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1];
			if (i == 0) {
				before = x;
			} else {
				const f32 r0 = before, r1 = x;
				const f32 r2 = r0 + r1;
				before = r2;
			}
			out[at] = before;
			at += (un)inner;
		}
		carry[t] = before;
	}
}

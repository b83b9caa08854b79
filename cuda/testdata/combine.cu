// combine var
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
static __device__ __forceinline__ void join_moments(i64 &na, f64 &ma, f64 &sa, i64 nb, f64 mb, f64 sb) {
	if (nb == 0) return;
	if (na == 0) { na = nb; ma = mb; sa = sb; return; }
	const f64 d = mb - ma, f = (f64)nb / (f64)(na + nb), step = d * f, dd = d * d, weight = (f64)na * f, spread = dd * weight;
	ma = ma + step;
	sa = (sa + sb) + spread;
	na = na + nb;
}
typedef i64 ix;
typedef u64 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(i64 *__restrict__ out0_0, const i64 *__restrict__ in0, f64 *__restrict__ out0_1, const f64 *__restrict__ in1, f64 *__restrict__ out0_2, const f64 *__restrict__ in2, i64 total) {
	const un step = (un)gridDim.x * blockDim.x;
	for (un t = (un)blockIdx.x * blockDim.x + threadIdx.x; t < (un)total; t += step) {
		i64 a0_0 = out0_0[t];
		const i64 b0 = in0[t];
		f64 a0_1 = out0_1[t];
		const f64 b1 = in1[t];
		f64 a0_2 = out0_2[t];
		const f64 b2 = in2[t];
		join_moments(a0_0, a0_1, a0_2, b0, b1, b2);
			out0_0[t] = a0_0;
			out0_1[t] = a0_1;
			out0_2[t] = a0_2;
	}
}

// elementwise, flat, 4 at once
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
struct alignas(8) v8 { u32 a, b; };
struct alignas(16) v16 { u64 a, b; };
static __device__ __forceinline__ f32 as_f32(u32 b) { union { u32 b; f32 f; } u; u.b = b; return u.f; }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out0, i64 n, const i16 *__restrict__ in0, const f32 *__restrict__ in1, u64 k2) {
	const f32 r2 = as_f32((u32)k2);
	const un step = (un)gridDim.x * blockDim.x, groups = (un)((n + 3) / 4);
	for (un j = (un)blockIdx.x * blockDim.x + threadIdx.x; j < groups; j += step) {
		const un first = j * 4;
		const bool whole = (i64)first + 4 <= n;
		union { v8 q[1]; i16 e[4]; } x0;
		if (whole) {
			x0.q[0] = ((const v8 *)in0)[(u64)j * 1 + 0];
		} else {
			for (int v = 0; v < 4; v++) x0.e[v] = in0[(i64)first + v < n ? first + v : first];
		}
		union { v16 q[1]; f32 e[4]; } x1;
		if (whole) {
			x1.q[0] = ((const v16 *)in1)[(u64)j * 1 + 0];
		} else {
			for (int v = 0; v < 4; v++) x1.e[v] = in1[(i64)first + v < n ? first + v : first];
		}
		union { v16 q[1]; f32 e[4]; } y0;
		#pragma unroll
		for (int v = 0; v < 4; v++) {
		const ix c0 = (ix)(first + v);
		const i16 r0 = x0.e[v];
		const f32 r1 = x1.e[v];
		const f32 r3 = (f32)r0;
		const f32 r4 = r3 * r2;
		const f32 r5 = r1 + r4;
		const f32 r6 = sqrtf(r5);
		y0.e[v] = r6;
		}
		if (whole) {
			((v16 *)out0)[(u64)j * 1 + 0] = y0.q[0];
		} else {
			for (int v = 0; v < 4; v++) {
				if ((i64)first + v < n) {
					out0[first + v] = y0.e[v];
				}
			}
		}
	}
}

// elementwise, rows
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
static __device__ __forceinline__ f64 as_f64(u64 b) { union { u64 b; f64 f; } u; u.b = b; return u.f; }
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f64 *__restrict__ out0, i64 n, i64 d1, const i32 *__restrict__ in0, i64 s0_0, const f64 *__restrict__ in1, i64 gl1, i64 gs1) {
	for (un t = (un)blockIdx.y * blockDim.y + threadIdx.y; t < (un)n; t += (un)gridDim.y * blockDim.y) {
		const ix c0 = (ix)t;
		for (un x = (un)blockIdx.x * blockDim.x + threadIdx.x; x < (un)d1; x += (un)gridDim.x * blockDim.x) {
		const ix c1 = (ix)x;
		const i32 r0 = in0[c0 * (ix)s0_0 + c1];
		const f64 r1 = r0 >= 0 && r0 < gl1 ? in1[c1 + (ix)r0 * (ix)gs1] : as_f64(0x7ff8000000000001ull);
		const f64 r2 = -r1;
		out0[t * (un)d1 + x] = r2;
	}
	}
}

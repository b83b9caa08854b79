// elementwise, tiles
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
typedef i32 ix;
typedef u32 un;

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out0, i64 n, i64 d0, i64 d2, const i16 *__restrict__ in0, const f32 *__restrict__ in1, i64 s0_0, i64 s0_1, i64 s0_2, i64 s1_0, i64 s1_1, i64 s1_2, u64 k2, i64 d1) {
	const f32 r2 = as_f32((u32)k2);
	__shared__ i16 t0[32][33];
	__shared__ f32 t1[32][33];
	const un across = ((un)d2 + 31) / 32, down = ((un)d0 + 31) / 32;
	for (un tile = blockIdx.x; tile < (un)n; tile += gridDim.x) {
		const un row = tile / across, outer = row / down, x0 = (tile - row * across) * 32, y0 = (row - outer * down) * 32;
		const ix c1 = (ix)outer;
		for (un r = threadIdx.y; r < 32; r += blockDim.y) {
			const ix c0 = (ix)(y0 + threadIdx.x), c2 = (ix)(x0 + r);
			if (c0 < (ix)d0 && c2 < (ix)d2) {
				t0[r][threadIdx.x] = in0[c0 * (ix)s0_0 + c1 * (ix)s0_1 + c2 * (ix)s0_2];
				t1[r][threadIdx.x] = in1[c0 * (ix)s1_0 + c1 * (ix)s1_1 + c2 * (ix)s1_2];
			}
		}
		__syncthreads();
		for (un r = threadIdx.y; r < 32; r += blockDim.y) {
			const ix c0 = (ix)(y0 + r), c2 = (ix)(x0 + threadIdx.x);
			if (c0 < (ix)d0 && c2 < (ix)d2) {
				const i16 r0 = t0[threadIdx.x][r];
				const f32 r1 = t1[threadIdx.x][r];
				const f32 r3 = (f32)r0;
				const f32 r4 = r3 * r2;
				const f32 r5 = r1 + r4;
				const f32 r6 = sqrtf(r5);
				out0[(((un)c0) * (un)d1 + (un)c1) * (un)d2 + (un)c2] = r6;
			}
		}
		__syncthreads();
	}
}

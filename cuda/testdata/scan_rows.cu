// scan, rows
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

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out, f32 *__restrict__ carry, const f32 *__restrict__ in0, i64 lines, i64 long_, i64 n, i64 s0_0) {
	__shared__ f32 square[32][33];
	for (un group = blockIdx.x; group < (un)n; group += gridDim.x) {
		const un first = group * 32, line = first + threadIdx.x;
		const bool scans = threadIdx.y == 0 && line < (un)lines;
		f32 before = {};
		for (un from = 0; from < (un)long_; from += 32) {
			for (un r = threadIdx.y; r < 32; r += blockDim.y) {
				const un t = first + r, i = from + threadIdx.x;
				if (t < (un)lines && i < (un)long_) {
					const ix c0 = (ix)t;
					const ix c1 = (ix)(i);
					square[r][threadIdx.x] = in0[c0 * (ix)s0_0 + c1];
				}
			}
			__syncthreads();
			for (un i = 0; i < 32 && scans && from + i < (un)long_; i++) {
				const f32 x = square[threadIdx.x][i];
				if (from + i == 0) {
					before = x;
				} else {
					const f32 r0 = before, r1 = x;
					const f32 r2 = r0 + r1;
					before = r2;
				}
				square[threadIdx.x][i] = before;
			}
			__syncthreads();
			for (un r = threadIdx.y; r < 32; r += blockDim.y) {
				const un t = first + r, i = from + threadIdx.x;
				if (t < (un)lines && i < (un)long_) out[t * (un)long_ + i] = square[r][threadIdx.x];
			}
			__syncthreads();
		}
		if (scans) carry[line] = before;
	}
}

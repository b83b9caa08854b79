// product
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

extern "C" __global__ void __launch_bounds__(256) arrayrun_kernel(f32 *__restrict__ out, const f32 *__restrict__ in0, const f32 *__restrict__ in1, i64 n, i64 rows, i64 sums, i64 cols, i64 s0_0, i64 s0_2, i64 s1_2, i64 s1_1) {
	__shared__ f32 x[16][65], y[16][64];
	const un id = threadIdx.y * 32 + threadIdx.x, wide = (un)((cols + 63) / 64), high = (un)((rows + 63) / 64);
	for (un tile = blockIdx.x; tile < (un)n; tile += gridDim.x) {
		const un left = tile % wide * 64, rest = tile / wide, top = rest % high * 64, matrix = rest / high;
		ix px = 0;
		ix py = 0;
		f32 total[8][2] = {};
		for (un block = 0; block < (un)sums; block += 256) {
			f32 sum[8][2] = {};
			const un last = (un)sums - block < 256 ? (un)sums : block + 256;
			for (un from = block; from < last; from += 16) {
				for (un e = id; e < 1024; e += 256) {
					const un s = e % 16, r = e / 16, k = from + s, i = top + r;
					if (k < last && i < (un)rows) {
						ix at = px;
						at += (ix)(i) * (ix)s0_0;
						ix here = at;
						here += (ix)(k) * (ix)s0_2;
						x[s][r] = in0[here];
					}
				}
				for (un e = id; e < 1024; e += 256) {
					const un s = e / 64, c = e % 64, k = from + s, j = left + c;
					if (k < last && j < (un)cols) {
						ix at = py;
						at += (ix)(k) * (ix)s1_2;
						ix here = at;
						here += (ix)(j) * (ix)s1_1;
						y[s][c] = in1[here];
					}
				}
				__syncthreads();
				const un some = last - from < 16 ? last - from : 16;
				for (un s = 0; s < some; s++) {
					const f32 a = y[s][threadIdx.x], b = y[s][threadIdx.x + 32];
					for (un r = 0; r < 8; r++) {
						const f32 v = x[s][threadIdx.y * 8 + r];
						sum[r][0] = fmaf(v, a, sum[r][0]);
						sum[r][1] = fmaf(v, b, sum[r][1]);
					}
				}
				__syncthreads();
			}
			for (un r = 0; r < 8; r++) {
				total[r][0] += sum[r][0];
				total[r][1] += sum[r][1];
			}
		}
		for (un r = 0; r < 8; r++) {
			const un i = top + threadIdx.y * 8 + r;
			if (i >= (un)rows) break;
			const un at = (matrix * (un)rows + i) * (un)cols, j = left + threadIdx.x;
			if (j < (un)cols) out[at + j] = total[r][0];
			if (j + 32 < (un)cols) out[at + j + 32] = total[r][1];
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

// stream measures what the memory of this machine gives, after McCalpin's STREAM: copy a = b, triad a = b + s*c, and the
// sum of everything read. Stores are tried both ways, ordinary ones (which first read the line) and ones that bypass
// the caches; bytes are counted without that read.
//
//     gcc -O3 -march=native -fopenmp -o stream stream.c && echo triad | OMP_NUM_THREADS=2 ./stream 32
//
// The argument is the size of each of three arrays in units of 2^20 doubles. Every line of input names a pattern; the
// answer is "PATTERN ordinary bypassing" in GB/s of one pass each, by the clock, and then the same by processor time over
// threads, which counts where others use the machine as well. The sum has no stores: its numbers are the same twice.
#include <immintrin.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

static long n;
static double *a, *b, *c;

static double now(clockid_t clock) {
	struct timespec t;
	clock_gettime(clock, &t);
	return t.tv_sec + t.tv_nsec * 1e-9;
}

static double *array(void) {
	size_t bytes = n * sizeof(double);
	double *p = mmap(0, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (p == MAP_FAILED) {
		perror("stream: mmap");
		exit(1);
	}
	madvise(p, bytes, MADV_HUGEPAGE);
#pragma omp parallel for schedule(static)
	for (long i = 0; i < n; i++) p[i] = 1 + i % 7;
	return p;
}

static void copy(void) {
#pragma omp parallel for simd schedule(static)
	for (long i = 0; i < n; i++) a[i] = b[i];
}

static void triad(void) {
#pragma omp parallel for simd schedule(static)
	for (long i = 0; i < n; i++) a[i] = b[i] + 3 * c[i];
}

#ifdef __AVX__
static void copy_past(void) {
#pragma omp parallel for schedule(static)
	for (long i = 0; i < n; i += 8) {
		_mm256_stream_pd(a + i, _mm256_load_pd(b + i));
		_mm256_stream_pd(a + i + 4, _mm256_load_pd(b + i + 4));
	}
	_mm_sfence();
}

static void triad_past(void) {
	const __m256d s = _mm256_set1_pd(3);
#pragma omp parallel for schedule(static)
	for (long i = 0; i < n; i += 8) {
		_mm256_stream_pd(a + i, _mm256_add_pd(_mm256_load_pd(b + i), _mm256_mul_pd(s, _mm256_load_pd(c + i))));
		_mm256_stream_pd(a + i + 4, _mm256_add_pd(_mm256_load_pd(b + i + 4), _mm256_mul_pd(s, _mm256_load_pd(c + i + 4))));
	}
	_mm_sfence();
}
#else
#define copy_past copy
#define triad_past triad
#endif

static double total;

// Eight sums keep loads and not additions the limit.
static void sum(void) {
	double t = 0;
#pragma omp parallel for schedule(static) reduction(+ : t)
	for (long k = 0; k < n; k += 4096) {
		double s[32] = {0};
		for (long i = k; i < k + 4096; i += 32)
			for (int j = 0; j < 32; j++) s[j] += b[i + j];
		for (int j = 0; j < 32; j++) t += s[j];
	}
	total += t;
}

static const struct pattern {
	const char *name;
	int arrays;
	void (*plain)(void), (*past)(void);
} patterns[] = {{"copy", 2, copy, copy_past}, {"triad", 3, triad, triad_past}, {"sum", 1, sum, sum}};

// pass runs one pass and returns GB/s by both clocks.
static void pass(const struct pattern *p, void (*f)(void), double out[2]) {
	double t = now(CLOCK_MONOTONIC), c = now(CLOCK_PROCESS_CPUTIME_ID);
	f();
	double bytes = p->arrays * n * sizeof(double) / 1e9;
	out[0] = bytes / (now(CLOCK_MONOTONIC) - t);
	out[1] = bytes / (now(CLOCK_PROCESS_CPUTIME_ID) - c) * omp_get_max_threads();
}

int main(int argc, char **argv) {
	n = (argc > 1 ? atol(argv[1]) : 32) << 20;
	if (n <= 0) {
		fprintf(stderr, "stream: got size %s, want a number of 2^20 doubles above 0\n", argv[1]);
		return 2;
	}
	a = array(), b = array(), c = array();
	char line[64];
	while (fgets(line, sizeof line, stdin)) {
		line[strcspn(line, "\n")] = 0;
		const struct pattern *p = 0;
		for (size_t i = 0; i < sizeof patterns / sizeof *patterns; i++)
			if (!strcmp(line, patterns[i].name)) p = patterns + i;
		if (!p) {
			fprintf(stderr, "stream: got pattern \"%s\", want copy, triad or sum\n", line);
			return 2;
		}
		double plain[2], past[2];
		pass(p, p->plain, plain);
		memcpy(past, plain, sizeof past);
		if (p->past != p->plain) pass(p, p->past, past);
		printf("%s %.3f %.3f %.3f %.3f\n", p->name, plain[0], past[0], plain[1], past[1]);
		fflush(stdout);
	}
	return total == 0.5; // keeps the sums
}

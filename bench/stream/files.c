// SPDX-License-Identifier: BSD-3-Clause

// files reads files whole and writes one of a given size, and computes nothing: what the file system alone takes of a
// program that does the same and computes in between.
//
//     gcc -O3 -fopenmp -o files files.c && OMP_NUM_THREADS=2 ./files OUT BYTES IN...
//
// Threads take blocks of 1 MiB of the output and the same share of each input in turn.
#include <fcntl.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { block = 1 << 20, most = 8 };

int main(int argc, char **argv) {
	long bytes = argc > 3 ? atol(argv[2]) : 0;
	if (bytes <= 0 || argc - 3 > most) {
		fprintf(stderr, "usage: files OUT BYTES IN... with at most %d inputs\n", most);
		return 2;
	}
	int out = open(argv[1], O_WRONLY | O_CREAT | O_TRUNC, 0666), in[most];
	long size[most];
	for (int i = 3; i < argc; i++) {
		struct stat st;
		in[i - 3] = open(argv[i], O_RDONLY);
		if (in[i - 3] < 0 || fstat(in[i - 3], &st)) {
			perror(argv[i]);
			return 1;
		}
		size[i - 3] = st.st_size;
	}
	long blocks = (bytes + block - 1) / block, failed = out < 0;
#pragma omp parallel reduction(+ : failed)
	{
		char *b = aligned_alloc(4096, 4 * block);
		memset(b, 1, 4 * block);
#pragma omp for schedule(dynamic, 1)
		for (long k = 0; k < blocks; k++) {
			for (int i = 0; i < argc - 3; i++) {
				long from = size[i] / blocks * k, to = k + 1 < blocks ? size[i] / blocks * (k + 1) : size[i];
				for (; from < to; from += 4 * block) {
					long n = to - from < 4 * block ? to - from : 4 * block;
					failed += pread(in[i], b, n, from) != n;
				}
			}
			long n = k + 1 < blocks ? block : bytes - k * block;
			failed += pwrite(out, b, n, k * block) != n;
		}
	}
	if (failed) fprintf(stderr, "files: %ld reads and writes failed\n", failed);
	return failed != 0;
}

// SPDX-License-Identifier: BSD-3-Clause
//
// What a compiled kernel and the simulator know of each other. nvrtc.cc puts it before every source, so it
// includes nothing.
#ifndef CUDASIM_KERNEL_H
#define CUDASIM_KERNEL_H

struct cudasim_dim { unsigned x, y, z; };

enum cudasim_warp { cudasim_warp_sync, cudasim_shfl, cudasim_shfl_up, cudasim_shfl_down, cudasim_shfl_xor, cudasim_ballot };

// cudasim_env is a module's view of the thread that runs now.
struct cudasim_env {
	cudasim_dim tid, bid, bdim, gdim;
	void *dynamic_shared;
	void (*sync)(unsigned line);
	unsigned long long (*warp)(unsigned line, int what, unsigned mask, unsigned long long value, unsigned arg, unsigned width);
	void (*undefined)(const char *what, unsigned line, int fatal);
};

struct cudasim_kernel {
	const char *name;
	void (*run)(const char *params);
	unsigned param_bytes;
	unsigned max_threads; // of __launch_bounds__, 0 without
};

struct cudasim_module {
	cudasim_env *env;
	const cudasim_kernel *kernels;
	unsigned count;
	unsigned uses_sync; // threads wait for each other somewhere
	char *shared, *shared_end;
};

#endif

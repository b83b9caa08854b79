// SPDX-License-Identifier: BSD-3-Clause

// Package cuda is the GPU: it renders Programs, Combines and Scans as CUDA C, has NVRTC compile them, and
// runs them on a device that is found when the program starts. Results have the bits the CPU gives.
//
// The nouns: Source (the text of one kernel and what its parameters mean), geometry (the loop axes of a call
// after those that can be joined are), Device (one GPU), kernel (a unit on a device with the sources that its calls
// have needed so far), stream (one of a device's task slots: a queue, staging memory, what a task has allocated).
//
// A Program becomes one kernel for its elementwise results and one for each set of folds over the same axes and
// groups; a Scan becomes one. The text depends on the operations, dtypes, joined rank and access classes only: shapes, strides,
// positions and constants are parameters, so that one compilation serves a whole run and the next.
//
// The dialect, which NVRTC, clang -x cuda and g++ with the simulator's header all take: no #include; one extern "C" __global__ function
// of 8-byte parameters; own fixed-width types; static __device__ functions, templates among them; threadIdx, blockIdx, blockDim,
// gridDim; __shared__ arrays and __syncthreads that all threads of a block reach; __shfl_down_sync and __shfl_sync of unsigned int and unsigned long long with all lanes taking part; sqrt, fma, fmod, floor, ceil, trunc and rint of
// float and double (sqrtf, fmaf ...); no other library function, no inline assembly, no
// float atomics, no communication between blocks. It is compiled without contraction (--fmad=false).
//
// To add a unit: one file with its form (how calls become launches) and its templates, and its line in forms. render_combine.go is
// the smallest.
//
// What it must not know: arrays, graphs, files, how tasks are scheduled. The driver's calls are in cuda/driver.
//
// Everything here is proven on the simulator of cuda/cudasim and, for compiling, with NVIDIA's NVRTC and clang. No real
// GPU has run it yet; "arrayrun selftest --device cuda" is what the first person with one runs.
package cuda

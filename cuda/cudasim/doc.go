// SPDX-License-Identifier: BSD-3-Clause

// Package cudasim builds and steers a simulated CUDA machine for tests: a
// libcuda.so.1 and a libnvrtc.so, C++ in the folder src, compiled by g++ when a
// test first needs them and kept in the user's cache folder. Nothing of it is in
// the product, and the product has no branch for it: the two libraries come in
// through ARRAYRUN_CUDA_LIB and ARRAYRUN_NVRTC_LIB, as any others would.
//
//	sim := cudasim.Start(t, "memory=64MiB", "order=shuffle", "seed=7") // skips without g++
//	drv := sim.OpenDriver()
//	...
//	sim.Fault("cuMemAlloc_v2", 3, driver.OutOfMemory) // the third call from now
//	for _, r := range sim.TakeReports() { ... }       // what is left at the end fails the test
//
// What it does: NVRTC compiles the very CUDA C with g++ behind src/device.h; a
// cubin is the shared object. Kernels run on the CPU, blocks and threads in an
// order that "order" and "seed" choose, threads as fibers that change places at
// __syncthreads and warp operations. Streams are threads; nothing is done when a
// call returns, and "delay_us" (by chance) and "hold_us" delay it further. A virtual clock with two copy
// engines and one for compute (rates "up", "down", "mem" in GB/s) gives each
// operation a time that does not depend on this machine: Makespan, Trace.
//
// What it finds, each a Report with a kind: use-after-free, double-free,
// bad-free, free-in-flight, unload-in-flight, out-of-bounds and overrun (guard
// pages and the bytes before them), host-access (the host follows a device
// pointer), copy-in-flight (the host touches what a queued copy writes, or writes
// what one reads), not-pinned (a copy from memory that the driver did not allocate),
// bad-pointer, host-pointer, context (another device's pointer, no current
// context), bad-handle, race (no event between a copy and what uses it),
// barrier-divergence, undefined (shifts, divisions, casts and alignments that C
// leaves undefined), launch, overlap, timeout, leak, destroyed-in-flight. Fresh memory is poisoned with 0xCB.
//
// What it cannot show: the speed of a device, real compilers' and drivers'
// quirks, races between blocks, the order of memory. Transcendental functions of
// the library are not there; the engine has its own. A NaN's sign and payload are the CPU's.
//
// The simulated machine belongs to the process, so tests that use it do not run in parallel.
package cudasim

// SPDX-License-Identifier: BSD-3-Clause

// Package driver is the only door to a GPU: the calls of the CUDA driver API
// and of NVRTC, found at run time, with the rules that keep them safe from Go
// and nothing else. It has no policy: no pool, no kernels, no fallback.
//
// The nouns: Search (where the libraries are looked for), Driver (libcuda,
// initialised), Device (what is known of one GPU), Context (its primary
// context), Session (a batch of calls on one locked OS thread), NVRTC (the
// compiler). A batch looks like this:
//
//	drv, err := driver.Open()           // *LoadError says why there is no CUDA here
//	dev, err := drv.Device(0)
//	ctx, err := dev.Primary()           // retained; Close gives it back
//	err = ctx.Do(func(s *driver.Session) error {
//		st, err := s.StreamCreate()
//		...
//		return s.StreamSynchronize(st)
//	})
//
// The rules, each for a failure that was seen:
//
//   - A context belongs to an OS thread. Every call that needs one is a method
//     of Session, and a Session exists only inside Context.Do, which locks the
//     goroutine to its thread and makes the context current. A Session must not
//     be given to another goroutine; with -tags invariants that is found.
//     Do may be called from any number of goroutines at once, and inside
//     another context's Do.
//   - Copies are asynchronous and read or write host memory after the call has
//     returned. They take only parts of a HostBuffer, which the driver itself
//     allocated: the driver never sees a Go pointer that must outlive its call.
//   - Kernel arguments are 8 bytes each and go as one packed buffer (Args).
//   - Free or unload nothing that queued work uses: synchronize first, on error
//     paths above all.
//   - The library stays loaded until the process ends: unloading libcuda is not
//     safe.
//
// The package builds everywhere. Where CUDA or purego does not exist (darwin,
// 32-bit machines) or with -tags static (a binary without libc), Open returns a
// LoadError with ReasonPlatform. Otherwise the binary needs a glibc at run time,
// as purego links libdl dynamically, CGO_ENABLED=0 or not.
//
// It was run against the simulator of cuda/cudasim and, for compiling, against
// NVIDIA's own NVRTC. It has not been run on a real GPU yet.
package driver

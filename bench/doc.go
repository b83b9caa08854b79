// SPDX-License-Identifier: BSD-3-Clause

// Package bench holds the measurements: Go benchmarks of the engine, and the
// scripts that run the same work in NumPy, Dask, xarray and CDO.
//
// bench/setup installs the peers, bench/run NAME runs one comparison and writes
// bench/results/NAME.txt with machine, commit, versions and the command lines, so that
// every number in the README can be made again. Names of benchmarks are op=/dtype=/n=/
// pairs that benchstat can group. Benchmarks never assert and laws never time: what must
// be fast is said in results, what must be right in tests.
package bench

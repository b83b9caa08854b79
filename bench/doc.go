// SPDX-License-Identifier: BSD-3-Clause

// Package bench holds the measurements: Go benchmarks of the engine, and the
// suite that lets it and its peers (NumPy, numexpr, JAX, Dask, xarray, CDO ...) take turns on the same data.
//
// bench/setup installs the peers, bench/run NAME... runs groups of comparisons (bench/run alone: all) and writes
// bench/results/DATE-cpu.md with machine, commit, versions and the command line, so that every number in the README can be
// made again. cases.py is the table of what is compared, data.py makes the inputs, suite.py lets everyone
// run in turn, peers.py and the command in driver are the two sides, and stream is a program that measures what memory gives.
//
// bench/run formats does the same for readers and writers of files, whose newest versions want another Python: formats.py,
// formats_cases.py and formats_peers.py, results in DATE-formats.md. BENCH_FORMATS_MIB says how large its arrays are.
//
// Names of Go benchmarks are op=/dtype=/n=/ pairs that benchstat can group; they compare the engine with itself. Benchmarks
// never assert and laws never time: what must be fast is said in results, what must be right in tests.
//
// Adding a comparison is one row of CASES or PROGRAMS in cases.py.
package bench

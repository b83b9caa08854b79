// SPDX-License-Identifier: BSD-3-Clause

// Package interop compares with other people's programs, both ways: files that h5py, netCDF4-python, zarr-python,
// tensorstore, xarray, tifffile, GDAL, pyarrow and CDO write over a matrix of dtypes, chunks, codecs and fill values are read by the arrayrun
// program, and what it writes is read by them, ncdump and h5dump. Any difference is a failure.
//
//	python interop.py --arrayrun PATH --dir FOLDER   # prints each difference; exits 1 when there is one
//
// The nouns: side (they write, or we do), case (one file), peer (a program of others; one that is not installed is
// named and its cases are left out, or fails the run with --require). The test builds the program and runs the script where Python is given in
// ARRAYRUN_PYTHON. It has no code of its own: a new format is a function of its own in the script's table.
package interop

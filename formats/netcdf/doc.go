// SPDX-License-Identifier: BSD-3-Clause

// Package netcdf reads NetCDF in its three shapes and writes NetCDF-4.
//
// The nouns: Classic and NetCDF4 (the rows of formats/all); a header of the
// classic format (CDF-1, CDF-2, CDF-5), whose variables are one run of bytes, or
// one slab in each record; a tree of HDF5 objects in which netCDF-C keeps groups,
// dimensions (dimension scales), variables and attributes; a writer that lays
// such a tree out.
//
//	g, err := netcdf.NetCDF4.Open(ctx, "air.nc")   // Group.Format is "netcdf4" or "hdf5"
//	w, err := netcdf.NetCDF4.Create(ctx, "out.nc", spec)
//
// What netCDF-C does is what counts: its numbers for phony dimensions, its names
// for dimensions with several links, the fill value beyond the end of a variable
// that is shorter than its unlimited dimension, the attributes it hides. In a file
// that is plain HDF5 no attribute is hidden. Character arrays are Raw elements of one
// byte with their dimensions; strings have dtype String.
//
// What it must not know: CF (masks, packing, time), calendars, laziness: formats
// hands on what is stored.
//
// Specifications: NetCDF Classic Format Specification; NetCDF-4 Format
// Specification; HDF5 Dimension Scale Specification.
package netcdf

// SPDX-License-Identifier: BSD-3-Clause

// Package all is the table of formats: what a path is opened by (its first bytes, or
// what its folder holds) and what an output is made by (the ending of its name).
//
//	g, err := all.Open(ctx, "era5.zarr")
//	w, err := all.Create(ctx, "clim.nc", spec)
//
// A new format is one line of Formats.
package all

// SPDX-License-Identifier: BSD-3-Clause

// Package all is the table of formats: what a path is opened by (its first bytes, or
// what its folder holds) and what an output is made by (the ending of its name).
//
//	g, err := all.Open(ctx, "era5.zarr")
//	w, err := all.Create(ctx, "clim.nc", spec)
//
// What lies behind a network is named by a URI: http, https and s3, and gs and az in programs built with the tags gcs and azure. Files
// there are read by ranges, Zarr hierarchies chunk by chunk, and references of kerchunk lead to all of them. Zarr hierarchies can be
// written there.
//
//	g, err := all.Open(ctx, "s3://era5/daily/t2m.zarr")
//
// A new format is one line of Formats, a new kind of URI one of schemes.
package all

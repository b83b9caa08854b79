// SPDX-License-Identifier: BSD-3-Clause

// Package zarr reads and writes Zarr hierarchies of versions 2 and 3.
//
// The nouns: node (a metadata document: group or array), elem (an element type), array (a
// formats.Source), pipeline (the codecs between a chunk and its stored bytes; a shard holds
// a pipeline of its own), writer (a formats.Writer).
//
//	g, err := zarr.Open(ctx, "era5.zarr")
//	for _, v := range g.Vars { fmt.Println(v.Name, v.Dims, v.Source.Meta().Shape) }
//
// Consolidated metadata is used where it is there. A chunk that is not stored reads as the
// fill value, without other I/O than the failed open. A chunk that fills a contiguous
// destination is decoded straight into it. Shard indexes are read once and kept.
//
// Update writes regions of arrays that are there, and makes arrays longer.
//
//	w, err := zarr.Update(ctx, "era5.zarr", []formats.Part{{Name: "t2m", At: region}})
//
// Outputs are version 3 with dimension_names, zstd and consolidated metadata unless Spec.Format says
// "zarr2"; chunks that hold nothing but an explicit or default fill value are not stored.
//
// OME-Zarr 0.4 and 0.5 are hierarchies with attributes that say which arrays are sizes of one image, its labels, the wells of a
// plate: Multiscales, Labels and Plate read them, and arrays of images have their axes as dimensions where they name none and
// the attributes scale, translation and axis_units. The row OME (.ome.zarr) writes an image with its pyramid and labels.
//
// Specifications: zarr-specs, v2 and v3 core; zarr-extensions for data types, codecs and grids; ngff 0.4 and 0.5.
//
// What it must not know: CF conventions (the attributes are handed on as they are,
// except that v2's _ARRAY_DIMENSIONS become Var.Dims), laziness, devices.
package zarr

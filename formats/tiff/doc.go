// SPDX-License-Identifier: BSD-3-Clause

// Package tiff reads TIFF: BigTIFF, GeoTIFF and cloud-optimised files, ImageJ's and OME's stacks; it writes cloud-optimised GeoTIFF.
//
// The nouns: page (one image file directory with its layout), segment (a tile or a strip: the stored unit and the chunk of the
// array), series (pages of one layout, with leading axes), level (a series, or a reduced copy of it).
//
//	g, err := tiff.Open(ctx, "dem.tif")   // variables image, image_overview_1, ...
//
// Which pages form a series, their axes and which are reduced copies is what tifffile says: its own JSON, OME-XML or
// ImageJ's text in the description of the first page, else pages that are alike. Dimensions are the axes in lower
// case; a plain stack's is page. Samples are stored values: a palette is not applied, white that is zero not turned.
// Bits become bool, other widths the next larger integer; JPEG's YCbCr becomes RGB. GeoTIFF keys, tags of text and GDAL's metadata are
// attributes; GDAL's nodata is _FillValue.
//
// An image out has two dimensions, or three with its bands first (planes) or its 3 or 4 colours last. Tiles of 512, or of the chunks asked
// for, are compressed as they come, with a predictor, and put aside; Commit halves them into overviews (means without what is missing; the first of
// four for flags, palettes and bools) and writes directories, overviews and image in the order of GDAL's COG layout, as BigTIFF beyond 4 GiB.
// Evenly spaced coordinates become the georeference, others texts of GDAL's metadata, degrees and EPSG codes of grid mappings its keys, other attributes
// GDAL's metadata. Bools are bits. A variable that lies along no axis of the image is refused.
//
// What it must not know: projections, coordinates, colours. A compression is one row of compressions and, where it
// decodes bytes, a function of formats/codec; a way to describe a stack is one row of described.
//
// Specifications: TIFF 6.0; Adobe Photoshop TIFF Technical Notes; BigTIFF; OGC GeoTIFF 1.1; OME Model 2016-06.
package tiff

// SPDX-License-Identifier: BSD-3-Clause

// Package formats says where chunks live: what a file or store of arrays looks
// like to the rest of the house, without CF decoding and without laziness.
//
// The nouns: Group (an open container), Var (a raw variable with its attributes),
// Source (reads the chunks of one array into memory it is given), Spec and Writer
// (an output being made, complete or absent), Sink (takes the chunks of one
// variable), Format (a row of the table in formats/all). Each format is a folder
// below; the bytes under them are in store, the transformations of bytes in codec.
//
// Reading a part of an array is always this: find the chunks its region touches
// (Source.Meta().Grid.Covering), decode each one, copy what is wanted. ReadRegion
// does it, straight into the destination where a chunk lies inside the region:
//
//	g, err := all.Open(ctx, "air.zarr")
//	src := g.Vars[0].Source
//	dst, err := chunk.New(pool, src.Meta().DType, src.Meta().ItemBytes, region.Shape())
//	read, err := formats.ReadRegion(ctx, src, region, dst)
//
// What formats must not know: operations, devices, units, calendars. A new format
// is one folder with a Format value and one line in formats/all; formattest says
// whether it behaves.
package formats

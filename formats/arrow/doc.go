// SPDX-License-Identifier: BSD-3-Clause

// Package arrow reads and writes tables of columns: Apache Arrow's IPC files and streams (Feather 2), and Parquet.
//
// The nouns: column (one 1-D variable), batch (rows that lie together in an IPC file) and row group (the same in
// Parquet), both of them the chunks of the columns, so that a part of a long table costs its batches and one column its own bytes. Row groups of
// more than 2 MiB of a column are several chunks, read page by page, and so are batches that are not compressed.
//
//	g, err := arrow.Parquet.Open(ctx, "stations.parquet")   // a variable for each column
//	w, err := arrow.Parquet.Create(ctx, "europe.parquet", spec)
//
// A table out is variables of one dimension and equal length, beside scalars, which repeat in every row; bounds are left out,
// what has more dimensions is refused. Values are written as they are: NaN stays NaN. Only int64 times since 1970 in whole seconds, milli-,
// micro- or nanoseconds become timestamps, and an int8 whose attribute dtype is bool a bool. Attributes go
// into the metadata of their field, dimensions with them; Parquet carries Arrow's schema as other writers do.
//
// Columns in are numbers, bool, texts and bytes, as views too; timestamps, dates, times and durations are integers with their units as
// an attribute. The dimension is the recorded one, pandas' index, or row. A null reads as NaN in floats, as the
// lowest value of a signed integer, the highest of an unsigned one (then also _FillValue), as -1 in a bool, which
// becomes int8, and as an empty text. Lists, maps, unions and decimals stay listed with an error; a Parquet struct's members are columns a.b.
//
// What it must not know: calendars, tables of other shapes. A type is one row of intTypes or one case of its reader.
//
// Specifications: Arrow Columnar Format 1.5 (IPC), Apache Parquet 2.11, Thrift compact protocol.
package arrow

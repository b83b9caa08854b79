// SPDX-License-Identifier: BSD-3-Clause

// Package csv writes small tables as comma-separated values (RFC 4180). It does not read.
//
// Variables with named dimensions make a long table: one row for each element, a
// column for each dimension (its coordinate's values, or positions counted from 0), then one for each variable;
// a variable that lacks a dimension repeats along it, bounds are left out. One variable without
// names makes a plain matrix without a header: a number a line, or a row a line. A table whose rows are said to be
// such (Spec.Rows) has its variables as columns and nothing else.
//
// Floats are written with the fewest digits that read back as the same number, missing
// ones as NaN. Everything is kept in memory until Commit; tables beyond 16 MiB of values are refused.
//
// What it must not know: units and calendars (times are the numbers they are).
package csv

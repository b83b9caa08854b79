// SPDX-License-Identifier: BSD-3-Clause

// Package formattest is the suite every formats.Format that can be written must pass:
// values, dtypes, shapes and attributes survive, regions equal parts of the whole, what was not written
// is the fill value, outputs are complete or absent, damage is an error and never a panic.
package formattest

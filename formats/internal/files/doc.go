// SPDX-License-Identifier: BSD-3-Clause

// Package files holds what formats that are one file do alike: opening it for a parser of an io.ReaderAt, refusing a
// place that is taken, and giving a finished output its place.
package files

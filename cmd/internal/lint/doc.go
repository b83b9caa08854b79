// SPDX-License-Identifier: BSD-3-Clause

// Package lint holds the tests that read the source tree itself. They run under
// a plain go test ./... and need no other tool.
//
// The chapters: layers_test.go (which folder may import which, which package is
// the one door of a third-party module), docs_test.go (every exported name and
// every folder explains itself), text_test.go (licence line, file length, words
// and calls that have no place here). Each is a literal table near the top of its
// file; a table is a statement of policy and is not edited to make a build pass.
// Each checker is also run on planted violations, because one that finds nothing
// is worthless.
//
// A new folder gets a line in order, a new third-party module a line in doors.
package lint

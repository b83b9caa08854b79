// SPDX-License-Identifier: BSD-3-Clause

//go:build !invariants

package graph

// checked says whether every replacement is verified; -tags invariants turns it on.
const checked = false

// SPDX-License-Identifier: BSD-3-Clause

//go:build invariants

package graph

// checked says whether every replacement is verified.
const checked = true

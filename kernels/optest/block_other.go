// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package optest

import "testing"

// guarded returns n bytes; this system has no guard pages here.
func guarded(_ *testing.T, n int) []byte { return make([]byte, n) }

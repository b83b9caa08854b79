// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package store

import "errors"

// exchange swaps what two paths name, in one step; this system has no such call.
func exchange(a, b string) error { return errors.ErrUnsupported }

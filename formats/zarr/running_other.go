// SPDX-License-Identifier: BSD-3-Clause

//go:build !unix

package zarr

// isRunning cannot ask here: the process is taken to be gone.
func isRunning(any) bool { return false }

// SPDX-License-Identifier: BSD-3-Clause

package store

import "path/filepath"

// NewNamedDir is NewDir where the file system has no files without names.
func NewNamedDir(root string) *Dir {
	d := NewDir(filepath.Clean(root))
	d.named.Store(true)
	return d
}

// ThisHost is what names of temporary values say of this machine.
var ThisHost = thisHost

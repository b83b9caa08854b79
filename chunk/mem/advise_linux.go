// SPDX-License-Identifier: BSD-3-Clause

package mem

import "golang.org/x/sys/unix"

// adviseHuge asks for huge pages from 2 MiB on. Failure is no error: the pages work all the same.
func adviseHuge(b []byte) {
	if len(b) >= 2<<20 {
		_ = unix.Madvise(b, unix.MADV_HUGEPAGE)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build unix && !race

package mem

import "golang.org/x/sys/unix"

// mapPages returns n zeroed bytes outside the Go heap, advised to huge pages
// where that helps (cpu-kernels measurements: 6x cheaper than 4 KiB faults).
func mapPages(n int64) ([]byte, error) {
	b, err := unix.Mmap(-1, 0, int(n), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_ANON|unix.MAP_PRIVATE)
	if err != nil {
		return nil, err
	}
	adviseHuge(b)
	return b, nil
}

func unmapPages(b []byte) {
	if err := unix.Munmap(b); err != nil {
		panic("mem: munmap of a pool block: " + err.Error())
	}
}

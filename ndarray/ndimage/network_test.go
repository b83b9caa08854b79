// SPDX-License-Identifier: BSD-3-Clause

package ndimage

import "testing"

// TestSortingNetwork: a network that sorts every list of noughts and ones sorts everything.
func TestSortingNetwork(t *testing.T) {
	for n := 1; n <= 17; n++ {
		net := sortingNetwork(n)
		for bits := range 1 << n {
			v := bits
			for _, e := range net {
				if v>>e.lo&1 == 1 && v>>e.hi&1 == 0 {
					v ^= 1<<e.lo | 1<<e.hi
				}
			}
			for i := 1; i < n; i++ {
				if v>>(i-1)&1 > v>>i&1 {
					t.Fatalf("%d values: %b becomes %b", n, bits, v)
				}
			}
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"testing"
	"time"
)

// TestIdle: what was given back is used again, with its buffers, until nobody has wanted it for a while.
func TestIdle(t *testing.T) {
	s := new(Scratch)
	s.Enc = make([]byte, 1<<20)
	s.Return()
	var taken []*Scratch
	found := false
	for range 64 {
		b := Borrow()
		found = found || b == s
		taken = append(taken, b)
	}
	if !found {
		t.Error("a Scratch that was given back is not used again")
	}
	for _, b := range taken {
		b.Return()
	}
	for start := time.Now(); ; time.Sleep(idleFor / 4) {
		idle.Lock()
		n := len(idle.list)
		idle.Unlock()
		if n == 0 {
			break
		}
		if time.Since(start) > 20*idleFor {
			t.Fatalf("%d stay without use", n)
		}
	}
}

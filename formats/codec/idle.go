// SPDX-License-Identifier: BSD-3-Clause

package codec

import (
	"runtime"
	"sync"
	"time"
)

// idleFor is how long a Scratch stays without use.
const idleFor = time.Second

// idle holds the Scratches that nobody uses. A sync.Pool would lose them with every garbage collection, and their buffers, which
// may be as large as chunks, would be made, and their pages cleared, again and again.
var idle struct {
	sync.Mutex
	list  []*Scratch // what was used last is last
	since []time.Time
	timer *time.Timer
}

// Borrow returns a Scratch: one that was used before, if there is one.
func Borrow() *Scratch {
	idle.Lock()
	defer idle.Unlock()
	n := len(idle.list) - 1
	if n < 0 {
		return new(Scratch)
	}
	s := idle.list[n]
	idle.list[n] = nil
	idle.list, idle.since = idle.list[:n], idle.since[:n]
	return s
}

// Return gives s back; s and its buffers must not be used afterwards. It is kept for a while, if not too many are.
func (s *Scratch) Return() {
	idle.Lock()
	defer idle.Unlock()
	if len(idle.list) >= 4*runtime.GOMAXPROCS(0) {
		return
	}
	idle.list, idle.since = append(idle.list, s), append(idle.since, time.Now())
	if idle.timer == nil {
		idle.timer = time.AfterFunc(idleFor, forget)
	}
}

// forget gives up the Scratches that nobody has used for idleFor, and comes again while there are others.
func forget() {
	idle.Lock()
	defer idle.Unlock()
	n := 0
	for n < len(idle.list) && time.Since(idle.since[n]) >= idleFor {
		n++
	}
	left := copy(idle.list, idle.list[n:])
	copy(idle.since, idle.since[n:])
	clear(idle.list[left:])
	idle.list, idle.since = idle.list[:left], idle.since[:left]
	if idle.timer = nil; left > 0 {
		idle.timer = time.AfterFunc(idleFor, forget)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package mem

import (
	"fmt"
	"runtime"
	"sort"
	"strings"
)

// TB is the part of testing.TB that Checked needs.
type TB interface {
	Helper()
	Errorf(format string, args ...any)
	Cleanup(func())
}

// Checked returns a pool for one test. When the test ends, each block it still
// holds fails the test with the stack that allocated it, and the pool is closed.
func Checked(t TB) *Pool {
	t.Helper()
	p := NewPool()
	p.held = map[*Block]stack{}
	t.Cleanup(func() {
		t.Helper()
		if s := p.Leaks(); s != "" {
			t.Errorf("%s", s)
		}
		p.Close()
	})
	return p
}

// Leaks describes the blocks that are handed out, grouped by the stack that
// allocated them, largest first; it is empty when there are none. A pool that does not
// track stacks (no Checked, no -tags invariants) gives only their number.
func (p *Pool) Leaks() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.blocks == 0 {
		return ""
	}
	var out strings.Builder
	fmt.Fprintf(&out, "mem: %d blocks of %d bytes were not released", p.blocks, p.live)
	type group struct{ blocks, bytes int64 }
	groups := map[stack]*group{}
	for b, s := range p.held {
		g := groups[s]
		if g == nil {
			g = &group{}
			groups[s] = g
		}
		g.blocks++
		g.bytes += int64(len(b.data))
	}
	order := make([]stack, 0, len(groups))
	for s := range groups {
		order = append(order, s)
	}
	sort.Slice(order, func(i, j int) bool { return groups[order[i]].bytes > groups[order[j]].bytes })
	for _, s := range order {
		fmt.Fprintf(&out, "\n%d blocks, %d bytes, allocated by", groups[s].blocks, groups[s].bytes)
		frames := runtime.CallersFrames(s.pcs())
		for {
			f, more := frames.Next()
			if f.Function != "" {
				fmt.Fprintf(&out, "\n\t%s %s:%d", f.Function, f.File, f.Line)
			}
			if !more {
				break
			}
		}
	}
	return out.String()
}

// stack is where an allocation came from: comparable, so that equal ones group.
type stack [12]uintptr

func (s *stack) pcs() []uintptr {
	n := 0
	for n < len(s) && s[n] != 0 {
		n++
	}
	return s[:n]
}

// callers returns the stack above Alloc.
func callers() (s stack) {
	runtime.Callers(3, s[:])
	return s
}

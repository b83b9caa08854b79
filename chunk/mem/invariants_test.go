// SPDX-License-Identifier: BSD-3-Clause

//go:build invariants

package mem

import (
	"strings"
	"testing"
)

func TestFreedBytesArePoisoned(t *testing.T) {
	p := Checked(t)
	for _, n := range []int64{100, 1 << 20} {
		b, _ := p.Alloc(n)
		view := b.Bytes()
		if view[0] != freshByte || view[n-1] != freshByte {
			t.Errorf("a new block holds %#x, want %#x", view[0], byte(freshByte))
		}
		b.Release()
		if view[0] != freedByte || view[n-1] != freedByte {
			t.Errorf("a freed block holds %#x, want %#x", view[0], byte(freedByte))
		}
		view[n/2] = 1
		if !panics(func() { _, _ = p.Alloc(n) }) {
			t.Error("a write after the last Release was not found")
		}
		view[n/2] = freedByte
		p.Trim(0)
	}
}

func TestStaleBlocksAreCaught(t *testing.T) {
	p := Checked(t)
	old, _ := p.Alloc(1 << 20)
	old.Release()
	b, _ := p.Alloc(1 << 20) // the same bytes
	defer b.Release()
	for name, f := range map[string]func(){"Release": old.Release, "Retain": old.Retain, "Bytes": func() { old.Bytes() }} {
		if !panics(f) {
			t.Errorf("%s of a stale block does not panic", name)
		}
		old.refs.Store(0)
	}
}

func TestEveryPoolTracks(t *testing.T) {
	p := NewPool()
	b, _ := p.Alloc(1)
	if s := p.Leaks(); !strings.Contains(s, "TestEveryPoolTracks") {
		t.Errorf("Leaks() = %q, want the allocating stack", s)
	}
	b.Release()
}

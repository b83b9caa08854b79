// SPDX-License-Identifier: BSD-3-Clause

package mem

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"unsafe"
)

func TestClassBytes(t *testing.T) {
	for _, c := range []struct{ n, want int64 }{
		{0, 4096}, {4032, 4096}, {4033, 8192}, {65472, 65536}, {65473, 73728}, {1 << 20, 1<<20 + 1<<17},
	} {
		if got := ClassBytes(c.n); got != c.want {
			t.Errorf("ClassBytes(%d) = %d, want %d", c.n, got, c.want)
		}
	}
	// Law: a class holds the request and the padding, wastes at most an eighth
	// and a page, and grows with the request.
	r, last := rand.New(rand.NewPCG(1, 2)), int64(0)
	for n := int64(1); n < 1<<40; n += 1 + r.Int64N(n) {
		c := ClassBytes(n)
		if c < n+Align || c-n-Align > n/8+4096 || c%4096 != 0 || c < last {
			t.Fatalf("ClassBytes(%d) = %d after %d", n, c, last)
		}
		last = c
	}
}

func TestAllocGivesAlignedPaddedBytes(t *testing.T) {
	p := Checked(t)
	var held []*Block
	for _, n := range []int64{0, 1, 63, 64, 4000, 4096, 5000, 1 << 16, 1<<16 + 1, 1 << 20, 3 << 20} {
		b, err := p.Alloc(n)
		if err != nil {
			t.Fatal(err)
		}
		if b.Len() != n || int64(len(b.Bytes())) != n || cap(b.Bytes()) != int(n) {
			t.Errorf("Alloc(%d): len %d, bytes %d, cap %d", n, b.Len(), len(b.Bytes()), cap(b.Bytes()))
		}
		if a := uintptr(unsafe.Pointer(unsafe.SliceData(b.data))); a%Align != 0 {
			t.Errorf("Alloc(%d): address %#x is not aligned to %d", n, a, Align)
		}
		if int64(len(b.data)) < n+Align {
			t.Errorf("Alloc(%d): %d bytes in all, want the padding of %d too", n, len(b.data), Align)
		}
		held = append(held, b)
	}
	for i, b := range held {
		for j := range b.Bytes() {
			b.Bytes()[j] = byte(i)
		}
	}
	for i, b := range held {
		for j, x := range b.Bytes() {
			if x != byte(i) {
				t.Fatalf("block %d shares byte %d with another", i, j)
			}
		}
		b.Release()
	}
}

func TestAllocRefuses(t *testing.T) {
	p := NewPool()
	for _, n := range []int64{-1, 1 << 62, 1<<63 - 1} {
		if b, err := p.Alloc(n); err == nil {
			t.Errorf("Alloc(%d) = %v, want an error", n, b)
		}
	}
	p.Close()
	if _, err := p.Alloc(8); !errors.Is(err, ErrClosed) {
		t.Errorf("Alloc of a closed pool = %v, want ErrClosed", err)
	}
	if blocks, bytes := p.Live(); blocks != 0 || bytes != 0 {
		t.Errorf("after refusals %d blocks, %d bytes are live", blocks, bytes)
	}
}

func TestReuse(t *testing.T) {
	p := Checked(t)
	for _, n := range []int64{100, 1 << 20} {
		b, _ := p.Alloc(n)
		at := unsafe.SliceData(b.data)
		b.Release()
		c, _ := p.Alloc(n - 10) // same class
		if unsafe.SliceData(c.data) != at {
			t.Errorf("Alloc(%d) after a release of the same class mapped new pages", n)
		}
		if c.Len() != n-10 {
			t.Errorf("reused block has length %d, want %d", c.Len(), n-10)
		}
		c.Release()
	}
}

func TestTrimAndLimit(t *testing.T) {
	p := Checked(t)
	const n = 1 << 20
	c := ClassBytes(n)
	var held []*Block
	for range 8 {
		b, _ := p.Alloc(n)
		held = append(held, b)
	}
	for _, b := range held {
		b.Release()
	}
	if p.Idle() != 8*c {
		t.Fatalf("idle = %d, want %d", p.Idle(), 8*c)
	}
	p.Trim(3 * c)
	if p.Idle() != 3*c {
		t.Errorf("idle after Trim = %d, want %d", p.Idle(), 3*c)
	}
	p.SetLimit(4 * c)
	b, _ := p.Alloc(2 * n) // another class: idle blocks must make room
	if _, live := p.Live(); live+p.Idle() > 4*c {
		t.Errorf("live %d + idle %d exceed the limit %d", live, p.Idle(), 4*c)
	}
	b.Release()
	p.SetLimit(1)
	if b, err := p.Alloc(n); err != nil {
		t.Errorf("a limit must not refuse: %v", err)
	} else {
		b.Release()
	}
	p.Trim(0)
	if p.Idle() != 0 {
		t.Errorf("idle after Trim(0) = %d", p.Idle())
	}
}

// TestSpans allocates more small blocks than Linux allows mappings.
func TestSpans(t *testing.T) {
	p := Checked(t)
	held := make([]*Block, 70_000)
	for i := range held {
		b, err := p.Alloc(8)
		if err != nil {
			t.Fatalf("block %d: %v", i, err)
		}
		b.Bytes()[0] = byte(i)
		held[i] = b
	}
	for i, b := range held {
		if b.Bytes()[0] != byte(i) {
			t.Fatalf("block %d shares its bytes", i)
		}
	}
	keep := held[35_000]
	for _, b := range held {
		if b != keep {
			b.Release()
		}
	}
	p.Trim(0)
	if p.Idle() > spanBytes {
		t.Errorf("idle after Trim(0) = %d, want at most the span of the one held block", p.Idle())
	}
	keep.Release()
	p.Trim(0)
	if p.Idle() != 0 {
		t.Errorf("idle = %d, want 0", p.Idle())
	}
}

func TestCloseWithBlocksHeld(t *testing.T) {
	for _, n := range []int64{100, 1 << 20} {
		p := NewPool()
		b, _ := p.Alloc(n)
		p.Close()
		b.Bytes()[0] = 1 // still ours
		b.Release()
		if blocks, _ := p.Live(); blocks != 0 || p.Idle() != 0 {
			t.Errorf("%d blocks live, %d bytes idle after the last release", blocks, p.Idle())
		}
	}
}

func TestReferences(t *testing.T) {
	p := Checked(t)
	b, _ := p.Alloc(10)
	b.Retain()
	b.Release()
	if blocks, _ := p.Live(); blocks != 1 || b.Refs() != 1 {
		t.Errorf("after Retain and Release: %d blocks, %d references", blocks, b.Refs())
	}
	b.Release()
	for name, f := range map[string]func(*Block){"Release": (*Block).Release, "Retain": (*Block).Retain} {
		w := Wrap(make([]byte, 3))
		w.Retain()
		w.Release()
		w.Release()
		if !panics(func() { f(w) }) {
			t.Errorf("%s of a released block does not panic", name)
		}
	}
}

func panics(f func()) (yes bool) {
	defer func() { yes = recover() != nil }()
	f()
	return false
}

type fakeTB struct {
	errs []string
	done []func()
}

func (f *fakeTB) Helper()                        {}
func (f *fakeTB) Errorf(format string, a ...any) { f.errs = append(f.errs, fmt.Sprintf(format, a...)) }
func (f *fakeTB) Cleanup(g func())               { f.done = append(f.done, g) }

func TestCheckedNamesTheLeak(t *testing.T) {
	var f fakeTB
	p := Checked(&f)
	b, _ := p.Alloc(1 << 20)
	leak := func() *Block { c, _ := p.Alloc(5); return c }
	c := leak()
	b.Release()
	for _, g := range f.done {
		g()
	}
	if len(f.errs) != 1 || !strings.Contains(f.errs[0], "1 blocks") || !strings.Contains(f.errs[0], "TestCheckedNamesTheLeak") {
		t.Errorf("got %q, want one report that names this test", f.errs)
	}
	c.Release()
}

// TestConcurrent has many goroutines allocate, share and release at once.
func TestConcurrent(t *testing.T) {
	p := Checked(t)
	p.SetLimit(8 << 20)
	pass := make(chan *Block, 16)
	var wg, readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for b := range pass {
				for _, x := range b.Bytes()[1:] {
					if x != b.Bytes()[0] {
						t.Error("a block changed while it was held")
						break
					}
				}
				b.Release()
			}
		})
	}
	for g := range 8 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(7, uint64(g)))
			for range 300 {
				b, err := p.Alloc(1 + r.Int64N(1<<(4+r.IntN(15))))
				if err != nil {
					t.Error(err)
					return
				}
				x := byte(r.Uint32())
				for i := range b.Bytes() {
					b.Bytes()[i] = x
				}
				if r.IntN(2) == 0 {
					b.Retain()
					pass <- b
				}
				if r.IntN(50) == 0 {
					p.Trim(1 << 20)
				}
				b.Release()
			}
		})
	}
	wg.Wait()
	close(pass)
	readers.Wait()
}

func BenchmarkAlloc(b *testing.B) {
	for _, n := range []int64{64, 64 << 10, 8 << 20} {
		b.Run(fmt.Sprintf("n=%d", n), func(b *testing.B) {
			p := NewPool()
			defer p.Close()
			b.ReportAllocs()
			for b.Loop() {
				k, err := p.Alloc(n)
				if err != nil {
					b.Fatal(err)
				}
				k.Release()
			}
		})
	}
}

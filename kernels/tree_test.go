// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
)

// treeText spells the joins of n blocks out: ((0 1)(2 3)).
func treeText(n int) string {
	var level []string
	for i := range n {
		level = append(level, fmt.Sprint(i))
	}
	for len(level) > 1 {
		var next []string
		for i := 0; i < len(level); i += 2 {
			if i+1 < len(level) {
				next = append(next, "("+level[i]+" "+level[i+1]+")")
			} else {
				next = append(next, level[i])
			}
		}
		level = next
	}
	return level[0]
}

// TestTreeOrder joins texts: states hold an index into a table of texts, so that the shape of the tree is seen.
func TestTreeOrder(t *testing.T) {
	pool := mem.NewPool()
	for n := 1; n <= 40; n++ {
		for _, kept := range []int64{1, 3, 100} {
			for seed := range uint64(3) {
				rng := rand.New(rand.NewPCG(seed, uint64(n)))
				var texts []string
				join := func(dst, src []*chunk.Chunk) error {
					d, s := chunk.Slice[int64](dst[0]), chunk.Slice[int64](src[0])
					for i := range d {
						texts = append(texts, "("+texts[d[i]]+" "+texts[s[i]]+")")
						d[i] = int64(len(texts) - 1)
					}
					return nil
				}
				tree := NewTree(int64(n), join)
				var cuts [][2]int
				for lo := 0; lo < n; {
					m := 1 + rng.IntN(min(7, n-lo))
					cuts = append(cuts, [2]int{lo, lo + m})
					lo += m
				}
				rng.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
				for _, c := range cuts {
					s, err := chunk.New(pool, dtype.Int64, 0, chunk.Shape{int64(c[1] - c[0]), kept})
					if err != nil {
						t.Fatal(err)
					}
					v := chunk.Slice[int64](s)
					for i := range v {
						texts = append(texts, fmt.Sprint(c[0]+i/int(kept)))
						v[i] = int64(len(texts) - 1)
					}
					if tree.Result() != nil {
						t.Fatal("Result before all blocks are in")
					}
					if err := tree.Insert(int64(c[0]), []*chunk.Chunk{s}); err != nil {
						t.Fatal(err)
					}
				}
				r := tree.Result()
				if r == nil {
					t.Fatalf("n %d kept %d seed %d: no result", n, kept, seed)
				}
				if !r[0].Shape.Equal(chunk.Shape{kept}) {
					t.Fatalf("shape %v, want [%d]", r[0].Shape, kept)
				}
				for i, x := range chunk.Slice[int64](r[0]) {
					if texts[x] != treeText(n) {
						t.Fatalf("n %d kept %d seed %d element %d: %s, want %s", n, kept, seed, i, texts[x], treeText(n))
					}
				}
				ReleaseState(r)
				tree.Release()
			}
		}
	}
	if n, b := pool.Live(); n != 0 {
		t.Errorf("%d blocks, %d bytes are still held", n, b)
	}
	pool.Close()
}

func TestSequenceOrder(t *testing.T) {
	pool := mem.NewPool()
	defer pool.Close()
	rng := rand.New(rand.NewPCG(1, 2))
	var log []string
	join := func(dst, src []*chunk.Chunk) error {
		log = append(log, fmt.Sprint(dst[0].Offset, "+", chunk.Slice[int64](src[0])[0]))
		d, s := chunk.Slice[int64](dst[0]), chunk.Slice[int64](src[0])
		for i := range d {
			d[i] += s[i]
		}
		return nil
	}
	r, _ := ReductionByName("count")
	total, err := r.NewState(pool, dtype.Float32, chunk.Shape{3})
	if err != nil {
		t.Fatal(err)
	}
	q := NewSequence(total, join)
	for _, seq := range rng.Perm(6) {
		var s []*chunk.Chunk
		g := []int32{int32(seq % 3), int32((seq + 1) % 3)}
		if seq != 4 {
			c, err := chunk.New(pool, dtype.Int64, 0, chunk.Shape{2})
			if err != nil {
				t.Fatal(err)
			}
			v := chunk.Slice[int64](c)
			v[0], v[1] = int64(seq), int64(seq)
			s = []*chunk.Chunk{c}
		}
		if err := q.Insert(int64(seq), g, s); err != nil {
			t.Fatal(err)
		}
	}
	if got, want := strings.Join(log, " "), "0+0 1+0 1+1 2+1 2+2 0+2 0+3 1+3 2+5 0+5"; got != want {
		t.Errorf("joins %s, want %s", got, want)
	}
	if q.Done() != 6 {
		t.Errorf("Done() = %d, want 6", q.Done())
	}
	ReleaseState(total)
	if n, _ := pool.Live(); n != 0 {
		t.Errorf("%d blocks are still held", n)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
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

// joinTexts spells a join out, so that the shape of the tree is seen.
func joinTexts(_ context.Context, dst, src *string) error {
	*dst = "(" + *dst + " " + *src + ")"
	*src = "given up"
	return nil
}

// TestTreeOrder gives blocks in runs, joined in rows first, and the runs in any order.
func TestTreeOrder(t *testing.T) {
	ctx := context.Background()
	var row TreeRow[*string]
	for n := 1; n <= 70; n++ {
		for seed := range uint64(5) {
			rng := rand.New(rand.NewPCG(seed, uint64(n)))
			tree := NewTree(int64(n), joinTexts)
			var cuts [][2]int
			for lo := 0; lo < n; {
				m := 1 + rng.IntN(min(9, n-lo))
				cuts = append(cuts, [2]int{lo, lo + m})
				lo += m
			}
			rng.Shuffle(len(cuts), func(i, j int) { cuts[i], cuts[j] = cuts[j], cuts[i] })
			got := ""
			for _, c := range cuts {
				row.Begin(int64(n), joinTexts)
				for i := c[0]; i < c[1]; {
					n := TreeNode{0, int64(i)}
					if seed%2 == 0 { // several blocks that are joined already
						n = Covering(int64(i), int64(c[1]-i))
					}
					s := nodeText(n)
					if err := row.Add(ctx, n, &s); err != nil {
						t.Fatal(err)
					}
					i += 1 << n.Level
				}
				for _, x := range row.Nodes {
					s, done, err := tree.Insert(ctx, x.TreeNode, x.State)
					if err != nil {
						t.Fatal(err)
					}
					if done {
						got = *s
					}
				}
			}
			if want := treeText(n); got != want {
				t.Fatalf("n %d seed %d: %s, want %s", n, seed, got, want)
			}
			tree.Drain(func(s *string) { t.Errorf("n %d seed %d: %s waits after the end", n, seed, *s) })
		}
	}
}

// nodeText is the state of a node that has all its blocks.
func nodeText(n TreeNode) string {
	if n.Level == 0 {
		return fmt.Sprint(n.Index)
	}
	s, right := nodeText(TreeNode{n.Level - 1, 2 * n.Index}), nodeText(TreeNode{n.Level - 1, 2*n.Index + 1})
	if err := joinTexts(context.Background(), &s, &right); err != nil {
		panic(err)
	}
	return s
}

// TestTreeError joins until the third join fails, and counts the states.
func TestTreeError(t *testing.T) {
	ctx := context.Background()
	boom := errors.New("boom")
	joins := 0
	given := 0
	tree := NewTree(8, func(_ context.Context, _, _ int) error {
		given++
		if joins++; joins == 3 {
			return boom
		}
		return nil
	})
	for i := range int64(4) {
		_, _, err := tree.Insert(ctx, TreeNode{0, i}, int(i))
		if want := i == 3; want != errors.Is(err, boom) {
			t.Fatalf("block %d: error %v", i, err)
		}
		if err != nil {
			given++ // the state Insert returns
		}
	}
	tree.Drain(func(int) { given++ })
	if given != 4 {
		t.Errorf("%d states given up, want 4", given)
	}
}

// TestSequenceOrder hands partials in in any order: they are added in theirs.
func TestSequenceOrder(t *testing.T) {
	ctx := context.Background()
	rng := rand.New(rand.NewPCG(1, 2))
	for range 50 {
		var log []string
		q := NewSequence(func(_ context.Context, s string) error {
			log = append(log, s)
			return nil
		})
		for _, k := range rng.Perm(6) {
			n, err := q.Insert(ctx, int64(k), fmt.Sprint(k), func(s string) (string, error) { return "kept " + s, nil })
			if err != nil || n != int64(len(log)) {
				t.Fatalf("Insert(%d) = %d, %v after %v", k, n, err, log)
			}
		}
		got := strings.ReplaceAll(strings.Join(log, ", "), "kept ", "")
		if want := "0, 1, 2, 3, 4, 5"; got != want {
			t.Fatalf("added %s, want %s", got, want)
		}
	}
}

// TestSequenceTurns takes turns, some by waiting for them.
func TestSequenceTurns(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	q := NewSequence(func(context.Context, int64) error { return nil })
	var mu sync.Mutex
	var log []int64
	var wg sync.WaitGroup
	for k := range int64(20) {
		wg.Go(func() {
			if err := q.Await(ctx, k); err != nil || !q.Turn(k) {
				t.Errorf("Await(%d) = %v", k, err)
			}
			mu.Lock()
			log = append(log, k)
			mu.Unlock()
			if n := q.End(); n != k+1 {
				t.Errorf("End() = %d, want %d", n, k+1)
			}
		})
	}
	wg.Wait()
	for i, k := range log {
		if int64(i) != k {
			t.Fatalf("turns %v", log)
		}
	}
	wg.Go(func() {
		if err := q.Await(ctx, 30); !errors.Is(err, context.Canceled) {
			t.Errorf("Await after cancel = %v", err)
		}
	})
	cancel()
	wg.Wait()
}

// TestSequenceDrain gives up what never had its turn.
func TestSequenceDrain(t *testing.T) {
	q := NewSequence(func(context.Context, int) error { return nil })
	for k := 1; k < 4; k++ {
		if _, err := q.Insert(context.Background(), int64(k), k, func(s int) (int, error) { return s, nil }); err != nil {
			t.Fatal(err)
		}
	}
	n := 0
	q.Drain(func(s int) { n += s })
	if n != 6 {
		t.Errorf("drained %d, want 6", n)
	}
}

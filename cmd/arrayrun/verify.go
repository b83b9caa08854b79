// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/sched"
)

func verifyCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "verify [flags] URI",
		Short: "decode every chunk of a file and list the bad ones",
		Long: `Decodes every chunk of every variable, checksums included, inside the memory budget. A chunk that cannot be
decoded is a line on stdout: variable, chunk, file, offset, reason. The exit code is 1 when there is one.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			asJSON, _ := c.Flags().GetBool("json")
			return a.verify(c.Context(), args[0], asJSON)
		},
	}
	c.Flags().Bool("json", false, "print one JSON document")
	addSettings(c, "run")
	return c
}

// badChunk is a chunk that cannot be decoded, or a variable that cannot be read at all.
type badChunk struct {
	variable string
	number   int64   // of the variable, for the order
	chunk    []int64 // nil for the variable as a whole
	at       int64   // number of the chunk on its grid
	key      string
	offset   int64 // -1: not known
	err      error
}

// verifier decodes chunks, several at once.
type verifier struct {
	budget  int64
	workers int
	uri     string
	start   time.Time
	report  reporter
	total   int64 // bytes to decode

	bill account

	mu     sync.Mutex
	chunks int64
	read   int64 // stored bytes
	done   int64 // decoded bytes
	told   time.Time
	bad    []badChunk
	failed error // a failure of ours, not of the file
}

// verify decodes every chunk of the file at uri.
func (a *app) verify(ctx context.Context, uri string, asJSON bool) error {
	start := time.Now()
	g, err := a.open(ctx, uri)
	if err != nil {
		return err
	}
	defer closeGroup(g)
	v := &verifier{budget: a.infoMemory(), workers: a.settings.count("workers"), uri: uri, start: start,
		report: reporterFor(a.settings.text("progress"), a.err), total: decodedBytes(g)}
	if v.workers == 0 {
		v.workers = runtime.GOMAXPROCS(0)
	}
	a.warnLinks(g, uri, "")
	v.group(ctx, g, "")
	v.report.end(v.failed)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if v.failed != nil {
		return v.failed
	}
	a.warnAbsent(g, uri, "")
	slices.SortFunc(v.bad, func(x, y badChunk) int { return cmp.Or(cmp.Compare(x.number, y.number), cmp.Compare(x.at, y.at)) })
	if err := a.printVerified(v, asJSON); err != nil {
		return err
	}
	st := since(start, v.budget)
	st.PeakBudgetBytes = v.bill.most()
	st.BytesRead, st.BytesDecoded, st.Chunks = v.read, v.done, v.chunks
	if err := a.writeStats(st); err != nil {
		return err
	}
	if len(v.bad) > 0 {
		return &quietError{exitFailed}
	}
	return nil
}

func (a *app) printVerified(v *verifier, asJSON bool) error {
	if asJSON {
		list := []object{}
		for _, b := range v.bad {
			var offset any
			if b.offset >= 0 {
				offset = b.offset
			}
			list = append(list, object{{"variable", b.variable}, {"chunk", intsJSON(b.chunk)}, {"key", b.key}, {"offset", offset}, {"error", b.err.Error()}})
		}
		return a.printJSON(object{{"chunks", v.chunks}, {"bad", list}})
	}
	for _, b := range v.bad {
		offset, at := "-", "-"
		if b.offset >= 0 {
			offset = fmt.Sprint(b.offset)
		}
		if b.chunk != nil {
			at = strings.ReplaceAll(fmt.Sprint(b.chunk), " ", ",")
		}
		if _, err := fmt.Fprintf(a.out, "%s, %s, %s, %s, %v\n", b.variable, at, b.key, offset, b.err); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(a.out, "%d chunks, %d bad\n", v.chunks, len(v.bad))
	return err
}

// decodedBytes returns how many bytes the variables of a group and of those below have.
func decodedBytes(g *formats.Group) int64 {
	n := int64(0)
	for _, v := range g.Vars {
		if v.Source == nil || v.Err != nil {
			continue
		}
		if b, err := v.Source.Meta().Shape.Bytes(int64(max(v.Source.Meta().ItemBytes, 1))); err == nil && n < math.MaxInt64-b {
			n += b
		}
	}
	for _, s := range g.Groups {
		n += decodedBytes(s.Group)
	}
	return n
}

// group verifies the variables of a group and of those below it.
func (v *verifier) group(ctx context.Context, g *formats.Group, at string) {
	for i := range g.Vars {
		if ctx.Err() != nil || v.failed != nil {
			return
		}
		x := &g.Vars[i]
		name := at + x.Name
		number := int64(len(v.bad)) + v.chunks // rises from variable to variable
		err := x.Err
		switch {
		case err != nil:
		case x.Source == nil:
			err = fmt.Errorf("it has no values: %w", formats.ErrFormat)
		default:
			err = claimed(x.Source.Meta(), storedBytes(ctx, x.Source))
		}
		if err != nil {
			v.bad = append(v.bad, badChunk{variable: name, number: number, key: v.uri, offset: -1, err: err})
			continue
		}
		v.variable(ctx, name, number, x.Source)
	}
	for _, s := range g.Groups {
		v.group(ctx, s.Group, at+s.Name+"/")
	}
}

// variable decodes the chunks of one array, as many at once as the budget holds.
func (v *verifier) variable(ctx context.Context, name string, number int64, src formats.Source) {
	m := src.Meta()
	if m.Shape.Size() == 0 {
		return
	}
	size, err := m.Grid.MaxChunk().Bytes(int64(max(m.ItemBytes, 1)))
	one := mem.ClassBytes(max(size, 0)) + src.ScratchBytes()
	if err != nil || one > v.budget || one < 0 {
		v.failed = fmt.Errorf("verify: variable %q: one chunk of %v needs %s, the budget is %s; raise --memory: %w",
			name, m.Grid.MaxChunk(), formatBytes(max(one, size)), formatBytes(v.budget), sched.ErrBudget)
		return
	}
	pool := mem.NewPool()
	defer pool.Close()
	pool.SetLimit(v.budget)
	var next atomic.Int64
	var wg sync.WaitGroup
	for range int(min(int64(v.workers), v.budget/max(one, 1), m.Grid.Len())) {
		wg.Go(func() {
			var key chunk.Key
			for n := next.Add(1) - 1; n < m.Grid.Len() && ctx.Err() == nil; n = next.Add(1) - 1 {
				key = m.Grid.At(n, key)
				v.bill.hold(one)
				v.decode(ctx, pool, name, number, n, key, src)
				v.bill.hold(-one)
			}
		})
	}
	wg.Wait()
}

// decode decodes one chunk and notes when that fails.
func (v *verifier) decode(ctx context.Context, pool *mem.Pool, name string, number, n int64, k chunk.Key, src formats.Source) {
	m := src.Meta()
	shape := m.Grid.Region(k).Shape()
	c, err := chunk.New(pool, m.DType, m.ItemBytes, shape)
	read := int64(0)
	if err == nil {
		read, err = src.ReadChunk(ctx, k, c)
		c.Release()
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	v.chunks++
	v.read += max(read, 0)
	v.done += shape.Size() * int64(m.ItemBytes)
	if now := time.Now(); now.Sub(v.told) > 50*time.Millisecond {
		v.told = now
		v.report.event(sched.Event{Stages: 1, Name: name, Tasks: n + 1, Of: m.Grid.Len(), Done: v.done, Total: v.total, Since: now.Sub(v.start)})
	}
	if err == nil || ctx.Err() != nil {
		return
	}
	b := badChunk{variable: name, number: number, chunk: slices.Clone(k), at: n, key: v.uri, offset: -1, err: err}
	b.place(ctx, m, src)
	v.bad = append(v.bad, b)
}

// place finds out where the bytes of a bad chunk are, as far as the file tells.
func (b *badChunk) place(ctx context.Context, m *formats.ArrayMeta, src formats.Source) {
	r, ok := src.(formats.RefSource)
	if !ok {
		return
	}
	grid := r.RefGrid()
	k := make(chunk.Key, len(b.chunk))
	lo := m.Grid.Region(b.chunk).Lo
	for i := range k {
		k[i] = grid.Axes[i].Find(lo[i])
	}
	ref, err := r.Ref(ctx, k)
	if ref.Key != "" {
		b.key = ref.Key
	}
	if err == nil && !ref.Missing && ref.Inline == nil && ref.Off < math.MaxInt64 {
		b.offset = ref.Off
	}
}

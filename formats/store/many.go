// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
)

// Latency is how long a store takes before the first byte of an answer, whatever its length.
type Latency uint8

// The latencies, with what follows from them in latencies.
const (
	Instant Latency = iota // memory
	Local                  // a file system
	Remote                 // a network
)

// LatencyOf returns what a store, or a reader of one, says of itself: those that say nothing are Local.
func LatencyOf(s any) Latency {
	if l, ok := s.(interface{ Latency() Latency }); ok {
		return l.Latency()
	}
	return Local
}

// latencies has a row for each Latency.
var latencies = [...]struct {
	flight int   // requests under way at once
	gap    int64 // bytes between two ranges that are read along rather than asked for apart
	most   int64 // bytes of a request that serves several ranges
}{
	Instant: {flight: 1, gap: 0, most: 1 << 20},
	Local:   {flight: 4, gap: 64 << 10, most: 4 << 20},
	Remote:  {flight: maxFlight, gap: 1 << 20, most: 4 << 20},
}

// Req asks for a range of the value at a key.
type Req struct {
	Key   string
	Range Range
	Limit int64 // as Get's
}

// GetMany reads many ranges, those that lie close together in one value with one request, and as many requests at once as the
// latency of the store wants. sink gets the bytes or the error of each request of reqs once, in any order, never two at once; b is its
// own only until it returns. An error that sink returns ends the reading and is GetMany's.
//
// Memory: one request's bytes for each of the requests under way, which are at most 4 MiB where several ranges share one.
func GetMany(ctx context.Context, st Store, reqs []Req, sink func(i int, b []byte, err error) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	class := latencies[LatencyOf(st)]
	joint := coalesce(reqs, class.gap, class.most)
	m := &many{st: st, reqs: reqs, sink: sink}
	var wg sync.WaitGroup
	next := make(chan []int)
	for range min(class.flight, len(joint)) {
		wg.Go(func() {
			var buf []byte
			for is := range next {
				if ctx.Err() != nil {
					continue
				}
				var err error
				if buf, err = m.get(ctx, is, buf); err != nil {
					cancel(err)
				}
			}
		})
	}
	for _, is := range joint {
		next <- is
	}
	close(next)
	wg.Wait()
	return context.Cause(ctx)
}

// many is one GetMany.
type many struct {
	st   Store
	reqs []Req
	mu   sync.Mutex // held while sink runs
	sink func(i int, b []byte, err error) error
}

func (m *many) give(i int, b []byte, err error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.sink(i, b, err)
}

// get reads the ranges of one value that share a request. The error is the sink's or the context's.
func (m *many) get(ctx context.Context, is []int, buf []byte) ([]byte, error) {
	if len(is) > 1 {
		lo := m.reqs[is[0]].Range.Off
		hi := lo
		for _, i := range is {
			hi = max(hi, m.reqs[i].Range.Off+m.reqs[i].Range.Len)
		}
		b, err := m.st.Get(ctx, m.reqs[is[0]].Key, Range{lo, hi - lo}, hi-lo, buf)
		if err == nil {
			for _, i := range is {
				r := m.reqs[i].Range
				if err := m.give(i, b[r.Off-lo:r.Off-lo+r.Len:r.Off-lo+r.Len], nil); err != nil {
					return b, err
				}
			}
			return b, nil
		}
		// the error may be of one range only: each is asked for by itself, unless there is nothing or nobody waits
	}
	for _, i := range is {
		if ctx.Err() != nil {
			return buf, context.Cause(ctx)
		}
		r := m.reqs[i]
		b, err := m.st.Get(ctx, r.Key, r.Range, r.Limit, buf)
		if err != nil {
			if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
				return buf, context.Cause(ctx)
			}
			b = nil
		}
		if err := m.give(i, b, err); err != nil {
			return buf, err
		}
		if b != nil {
			buf = b
		}
	}
	return buf, nil
}

// coalesce groups the requests that share one: of one value, with known ends, no more than gap bytes apart and
// together no longer than most. Groups keep the order of their first bytes.
func coalesce(reqs []Req, gap, most int64) [][]int {
	order := make([]int, len(reqs))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(i, j int) int {
		if c := strings.Compare(reqs[i].Key, reqs[j].Key); c != 0 {
			return c
		}
		a, b := reqs[i].Range.Off, reqs[j].Range.Off
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
	var out [][]int
	var end int64 // of the group being made; -1: nothing joins it
	for at, i := range order {
		r := reqs[i]
		fits := r.Range.Off >= 0 && r.Range.Len >= 0 && r.Range.Len <= most && r.Range.Off <= 1<<62 && (r.Limit < 0 || r.Range.Len <= r.Limit)
		if fits && at > 0 && end >= 0 {
			g := out[len(out)-1]
			lo := reqs[g[0]].Range.Off
			if reqs[g[0]].Key == r.Key && r.Range.Off-end <= gap && max(end, r.Range.Off+r.Range.Len)-lo <= most {
				out[len(out)-1] = append(g, i)
				end = max(end, r.Range.Off+r.Range.Len)
				continue
			}
		}
		out = append(out, []int{i})
		end = -1
		if fits {
			end = r.Range.Off + r.Range.Len
		}
	}
	return out
}

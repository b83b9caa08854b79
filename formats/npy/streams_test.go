// SPDX-License-Identifier: BSD-3-Clause

package npy

import (
	"archive/zip"
	"bytes"
	"compress/flate"
	"encoding/binary"
	"io"
	"sync"
	"sync/atomic"
	"testing"
)

// deflated returns a compressed member of n numbers that count.
func deflated(t *testing.T, n int) *zip.File {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	z.RegisterCompressor(zip.Deflate, func(w io.Writer) (io.WriteCloser, error) { return flate.NewWriter(w, flate.BestSpeed) })
	w, err := z.Create("a.npy")
	if err != nil {
		t.Fatal(err)
	}
	data := make([]byte, 4*n)
	for i := range n {
		binary.LittleEndian.PutUint32(data[4*i:], uint32(i))
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := zip.NewReader(bytes.NewReader(b.Bytes()), int64(b.Len()))
	if err != nil {
		t.Fatal(err)
	}
	return r.File[0]
}

// TestStreams: who reads on where another is at work takes that one's decompressor; who reads far behind it, or before it, does not wait.
func TestStreams(t *testing.T) {
	s := newStreams(deflated(t, 100))
	first, err := s.take(0, 40)
	if err != nil {
		t.Fatal(err)
	}
	// neither of these may wait: nobody puts the first one back
	far, err := s.take(41+nearby, 42+nearby)
	if err != nil || far == first {
		t.Fatal(far, err)
	}
	before, err := s.take(20, 30)
	if err != nil || before == first {
		t.Fatal(before, err)
	}
	s.put(far, false)
	s.put(before, false)
	var wg sync.WaitGroup
	wg.Go(func() {
		if next, err := s.take(40, 80); err != nil || next != first {
			t.Errorf("got %p and %v, want the stream that stands there, %p", next, err, first)
		}
	})
	first.pos = 40
	s.put(first, true)
	wg.Wait()
}

// TestStreamsTogether: several readers who go forward get the right bytes.
func TestStreamsTogether(t *testing.T) {
	const n, step = 1 << 20, 5000
	s := newStreams(deflated(t, n))
	var next atomic.Int64
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			b := make([]byte, 4*step)
			for {
				at := next.Add(step) - step
				if at >= n {
					return
				}
				p := b[:4*min(step, n-at)]
				if _, err := s.ReadAt(p, 4*at); err != nil {
					t.Errorf("read at %d: %v", at, err)
					return
				}
				for i := 0; i < len(p); i += 4 {
					if got := int64(binary.LittleEndian.Uint32(p[i:])); got != at+int64(i/4) {
						t.Errorf("number %d is %d", at+int64(i/4), got)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	if len(s.busy) != 0 || len(s.idle) == 0 {
		t.Errorf("%d streams are busy, %d idle", len(s.busy), len(s.idle))
	}
}

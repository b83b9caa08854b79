// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"bytes"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"sync"
)

// heapBytes is what the Go runtime may take, beside what the program itself keeps on
// its heap, before the collector works harder. The budget owns the blocks of arrays, which are not there.
const heapBytes = 40 << 20

// heap is the memory limit that engines of the process have set.
var heap struct {
	sync.Mutex
	limit  int64
	alive  int64 // when a run began
	billed int64 // of running tasks, for what codecs need: it is on the heap
}

// restrainHeap sets the Go runtime's memory limit to what is alive and heapBytes.
func restrainHeap() {
	heap.Lock()
	defer heap.Unlock()
	used := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}, {Name: "/gc/heap/live:bytes"}}
	metrics.Read(used)
	if used[0].Value.Uint64() > heapBytes*3/4 {
		// Arrays on the heap may be younger than the last collection.
		runtime.GC()
		metrics.Read(used)
	}
	heap.alive = int64(used[1].Value.Uint64())
	limitHeap()
}

// billHeap lets the heap hold so many bytes more, which are part of bills.
func billHeap(n int64) {
	heap.Lock()
	defer heap.Unlock()
	heap.billed += n
	limitHeap()
}

// limitHeap sets the limit. One that somebody else has set stays.
func limitHeap() {
	if old := debug.SetMemoryLimit(-1); old != math.MaxInt64 && old != heap.limit {
		return
	}
	limit := heap.alive + heapBytes + heap.billed
	limit = (limit + 16<<20 - 1) &^ (16<<20 - 1)
	if limit != heap.limit {
		heap.limit = limit
		debug.SetMemoryLimit(limit)
	}
}

// defaultMemory returns 60% of what the cgroup or the host has free, 1 GiB where neither says.
func defaultMemory() int64 {
	free := hostFree()
	if c := cgroupFree(); c > 0 && (free == 0 || c < free) {
		free = c
	}
	if free == 0 {
		return 1 << 30
	}
	return free / 10 * 6
}

// hostFree returns the bytes the host can give out, 0 when unknown.
func hostFree() int64 {
	b, err := os.ReadFile("/proc/meminfo")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("MemAvailable:"))
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
		if err == nil {
			return kib << 10
		}
	}
	return 0
}

// cgroupFree returns the bytes left below the limit of the process's cgroup
// (version 2, then 1), 0 when there is none.
func cgroupFree() int64 {
	dirs := []string{"/sys/fs/cgroup"}
	if b, err := os.ReadFile("/proc/self/cgroup"); err == nil {
		for line := range strings.Lines(string(b)) {
			if path, ok := strings.CutPrefix(strings.TrimSpace(line), "0::"); ok {
				dirs = append([]string{filepath.Join("/sys/fs/cgroup", path)}, dirs...)
			}
		}
	}
	for _, d := range dirs {
		if free := limitLess(filepath.Join(d, "memory.max"), filepath.Join(d, "memory.current")); free > 0 {
			return free
		}
	}
	d := "/sys/fs/cgroup/memory"
	return limitLess(filepath.Join(d, "memory.limit_in_bytes"), filepath.Join(d, "memory.usage_in_bytes"))
}

// limitLess returns the number in one file less that in another, 0 where there is no limit.
func limitLess(limit, used string) int64 {
	a, err := readNumber(limit)
	if err != nil || a > 1<<60 {
		return 0
	}
	b, err := readNumber(used)
	if err != nil {
		return 0
	}
	return max(a-b, 0)
}

func readNumber(path string) (int64, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(b)), 10, 64)
}

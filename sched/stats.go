// SPDX-License-Identifier: BSD-3-Clause

package sched

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"sync/atomic"
	"time"
)

// Stats says what a run did; its JSON is what --stats writes.
type Stats struct {
	WallSeconds     float64      `json:"wall_seconds"`
	PeakRSSBytes    int64        `json:"peak_rss_bytes"`
	BudgetBytes     int64        `json:"budget_bytes"`
	PeakBudgetBytes int64        `json:"peak_budget_bytes"`
	BytesRead       int64        `json:"bytes_read"`
	BytesDecoded    int64        `json:"bytes_decoded"`
	BytesWritten    int64        `json:"bytes_written"`
	Tasks           int64        `json:"tasks"`
	Chunks          int64        `json:"chunks"`
	Device          string       `json:"device"`
	CPU             string       `json:"cpu"`
	Stages          []StageStats `json:"stages"`
	GPU             GPUStats     `json:"gpu,omitzero"`
}

// GPUStats says what the GPU did; it is zero, and absent from the JSON, where none was used.
type GPUStats struct {
	Launches      int64   `json:"launches"`
	H2DBytes      int64   `json:"h2d_bytes"`
	D2HBytes      int64   `json:"d2h_bytes"`
	KernelSeconds float64 `json:"kernel_seconds"`
	PeakBytes     int64   `json:"peak_bytes"`
	Released      int64   `json:"released"`  // times that idle memory went back to the driver
	Reaped        int64   `json:"reaped"`    // calls that waited for memory of others
	Evicted       int64   `json:"evicted"`   // arrays that stayed on a GPU until its memory ran short
	Halved        int64   `json:"halved"`    // calls that ran in two halves for want of memory
	FellBack      int64   `json:"fell_back"` // calls that the CPU ran although they were placed on the GPU
	Lost          int64   `json:"lost"`      // GPUs that failed and are not used any more
}

// StageStats says what one stage did. Seconds are summed over tasks.
type StageStats struct {
	ID           int     `json:"id"`
	Hash         string  `json:"hash"`
	Tasks        int64   `json:"tasks"`
	Seconds      Seconds `json:"seconds"`
	WallSeconds  float64 `json:"wall_seconds"`
	Bytes        int64   `json:"bytes"` // decoded and written
	BytesRead    int64   `json:"bytes_read"`
	BytesDecoded int64   `json:"bytes_decoded"`
	BytesWritten int64   `json:"bytes_written"`
}

// Seconds is time by activity. Reading a chunk that a codec decodes counts as decode.
type Seconds struct {
	Read    float64 `json:"read"`
	Decode  float64 `json:"decode"`
	Compute float64 `json:"compute"`
	Write   float64 `json:"write"`
	Wait    float64 `json:"wait"`
}

// counters are the running numbers of one stage.
type counters struct {
	bytesRead, bytesDecoded, bytesWritten atomic.Int64
	tasks, chunks                         atomic.Int64
	read, decode, compute, write, wait    atomic.Int64 // nanoseconds
	wall                                  time.Duration
}

func seconds(ns int64) float64 { return time.Duration(ns).Seconds() }

// stage returns the numbers of a stage.
func (c *counters) stage(id int, hash string) StageStats {
	return StageStats{
		ID: id, Hash: hash, Tasks: c.tasks.Load(), WallSeconds: c.wall.Seconds(),
		Seconds: Seconds{
			Read: seconds(c.read.Load()), Decode: seconds(c.decode.Load()), Compute: seconds(c.compute.Load()),
			Write: seconds(c.write.Load()), Wait: seconds(c.wait.Load()),
		},
		Bytes:     c.bytesDecoded.Load() + c.bytesWritten.Load(),
		BytesRead: c.bytesRead.Load(), BytesDecoded: c.bytesDecoded.Load(), BytesWritten: c.bytesWritten.Load(),
	}
}

// Add adds the numbers of another run: tasks, bytes and stages are appended, peaks are the higher ones.
func (s *Stats) Add(o *Stats) {
	s.WallSeconds += o.WallSeconds
	s.PeakRSSBytes = max(s.PeakRSSBytes, o.PeakRSSBytes)
	s.BudgetBytes = max(s.BudgetBytes, o.BudgetBytes)
	s.PeakBudgetBytes = max(s.PeakBudgetBytes, o.PeakBudgetBytes)
	s.BytesRead += o.BytesRead
	s.BytesDecoded += o.BytesDecoded
	s.BytesWritten += o.BytesWritten
	s.Tasks += o.Tasks
	s.Chunks += o.Chunks
	s.Device, s.CPU = o.Device, o.CPU
	s.Stages = append(s.Stages, o.Stages...)
	s.GPU.Launches += o.GPU.Launches
	s.GPU.H2DBytes += o.GPU.H2DBytes
	s.GPU.D2HBytes += o.GPU.D2HBytes
	s.GPU.KernelSeconds += o.GPU.KernelSeconds
	s.GPU.PeakBytes = max(s.GPU.PeakBytes, o.GPU.PeakBytes)
	s.GPU.Released += o.GPU.Released
	s.GPU.Reaped += o.GPU.Reaped
	s.GPU.Evicted += o.GPU.Evicted
	s.GPU.Halved += o.GPU.Halved
	s.GPU.FellBack += o.GPU.FellBack
	s.GPU.Lost = max(s.GPU.Lost, o.GPU.Lost)
}

// PeakRSS returns the highest resident set of this process so far, 0 where the system does not say.
func PeakRSS() int64 {
	b, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	for line := range bytes.Lines(b) {
		rest, ok := bytes.CutPrefix(line, []byte("VmHWM:"))
		if !ok {
			continue
		}
		kib, err := strconv.ParseInt(string(bytes.TrimSuffix(bytes.TrimSpace(rest), []byte(" kB"))), 10, 64)
		if err != nil {
			return 0
		}
		return kib << 10
	}
	return 0
}

func hashText(h uint64) string { return fmt.Sprintf("%016x", h) }

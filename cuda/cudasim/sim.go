// SPDX-License-Identifier: BSD-3-Clause

package cudasim

import (
	"fmt"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/arrayrun/arrayrun/cuda/driver"
)

// Sim is the process's simulated machine.
type Sim struct {
	Libraries
	tb          testing.TB
	cuda, nvrtc func(string) string
}

// Start builds the simulator, puts it into its first state with the given
// settings, such as "devices=2", "memory=64MiB", "host=1GiB", "arch=80",
// "driver=12040", "init=100", "order=reverse", "seed=3", "delay_us=500", "hold_us=500",
// "strict=0", "up=25", "down=25", "mem=1500", "launch_us=5", "timeout_ms=60000",
// "fault=cuLaunchKernel:2:719", and points the environment at it.
//
// When the test ends, reports that TakeReports has not returned fail it.
func Start(tb testing.TB, settings ...string) *Sim {
	tb.Helper()
	s := &Sim{Libraries: Need(tb), tb: tb}
	s.cuda, s.nvrtc = commander(tb, s.CUDA), commander(tb, s.NVRTC)
	tb.Setenv(driver.EnvCUDA, s.CUDA)
	tb.Setenv(driver.EnvNVRTC, s.NVRTC)
	s.reset()
	s.Set(settings...)
	tb.Cleanup(func() {
		for _, r := range s.TakeReports() {
			tb.Errorf("cudasim: %s: %s", r.Kind, r.Text)
		}
		s.reset()
	})
	return s
}

func (s *Sim) reset() {
	s.command(s.cuda, "reset")
	s.command(s.nvrtc, "reset")
}

// commander returns the library's command function.
func commander(tb testing.TB, path string) func(string) string {
	lib, err := driver.OpenLibrary(path)
	if err != nil {
		tb.Fatal(err)
	}
	call, err := lib.Func("cudasim_command")
	if err != nil {
		tb.Fatal(err)
	}
	return func(text string) string {
		// The answer belongs to the thread.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		b := append([]byte(text), 0)
		var pin runtime.Pinner
		pin.Pin(&b[0])
		defer pin.Unpin()
		return text0(call(uintptr(unsafe.Pointer(&b[0]))))
	}
}

// text0 copies the C string at address p.
func text0(p uintptr) string {
	at := *(*unsafe.Pointer)(unsafe.Pointer(&p)) // outside the Go heap
	n := 0
	for *(*byte)(unsafe.Add(at, n)) != 0 {
		n++
	}
	return strings.Clone(unsafe.String((*byte)(at), n))
}

func (s *Sim) command(to func(string) string, text string) string {
	s.tb.Helper()
	answer := to(text)
	if answer == "?" {
		s.tb.Fatalf("cudasim: command %q is not known", text)
	}
	return answer
}

// Set changes settings; those of devices must be set before cuInit.
func (s *Sim) Set(settings ...string) {
	s.tb.Helper()
	if len(settings) > 0 {
		s.command(s.cuda, "set "+strings.Join(settings, " "))
	}
}

// Fault makes the nth call of a function from now on, counted from 1, fail
// once with code. "*" is any function; "kernel" and "copy" are the execution of
// work, which loses the context whatever the code; its error shows at the next call.
func (s *Sim) Fault(name string, nth int, code driver.Code) {
	s.tb.Helper()
	s.command(s.cuda, fmt.Sprintf("fault %s:%d:%d", name, nth, int32(code)))
}

// CompileFault is Fault for the functions of NVRTC; "*" is any of them.
func (s *Sim) CompileFault(name string, nth int, code driver.CompileCode) {
	s.tb.Helper()
	s.command(s.nvrtc, fmt.Sprintf("fault %s:%d:%d", name, nth, code))
}

// ClearFaults removes all faults.
func (s *Sim) ClearFaults() {
	s.command(s.cuda, "clearfaults")
	s.command(s.nvrtc, "clearfaults")
}

// HoldCompiler makes the compiler wait until the function it returns is called.
func (s *Sim) HoldCompiler() (release func()) {
	s.tb.Helper()
	s.command(s.nvrtc, "hold")
	return func() { s.command(s.nvrtc, "release") }
}

// Calls returns how often each function has been called since Start or Forget.
func (s *Sim) Calls() map[string]int {
	m := map[string]int{}
	for _, row := range rows(s.command(s.cuda, "calls") + s.command(s.nvrtc, "calls")) {
		m[row[0]] += int(s.number(row[1]))
	}
	return m
}

// Report is something that a program must not do.
type Report struct{ Kind, Text string }

// TakeReports returns the reports so far and forgets them.
func (s *Sim) TakeReports() []Report {
	var list []Report
	for _, row := range rows(s.command(s.cuda, "reports")) {
		list = append(list, Report{row[0], strings.Join(row[1:], "\t")})
	}
	s.command(s.cuda, "clearreports")
	return list
}

// Op is a queued operation on the virtual clock.
type Op struct {
	Device     int
	Stream     uint64
	Kind       string // "up", "down", "on", "set", "kernel"
	Name       string // the kernel's
	Bytes      int64  // copied; of a kernel, the sizes of the allocations its parameters point into
	Start, End time.Duration
}

// Trace returns the operations since Start or Forget, in the order in which they were queued.
func (s *Sim) Trace() []Op {
	var list []Op
	for _, r := range rows(s.command(s.cuda, "trace")) {
		list = append(list, Op{int(s.number(r[0])), uint64(s.number(r[1])), r[2], r[3], s.number(r[4]), time.Duration(s.number(r[5])), time.Duration(s.number(r[6]))})
	}
	return list
}

// Stats returns numbers by name: "makespan_ns", "peak_bytes.0", "used_bytes.0", "busy_up_ns.0", "busy_down_ns.0",
// "busy_compute_ns.0", "count.up", "bytes.up" and so on for each kind of Op, "live_device" and "live_host"
// allocations, "streams.0", "events.0", "modules.0" that exist.
func (s *Sim) Stats() map[string]int64 {
	m := map[string]int64{}
	for _, row := range rows(s.command(s.cuda, "stats")) {
		m[row[0]] = s.number(row[1])
	}
	return m
}

// Makespan returns the virtual time at which the last operation ends.
func (s *Sim) Makespan() time.Duration { return time.Duration(s.Stats()["makespan_ns"]) }

// Programs returns how many programs of NVRTC have not been destroyed.
func (s *Sim) Programs() int { return int(s.number(s.command(s.nvrtc, "programs"))) }

// Forget sets the clock, the counts, the peaks and the trace to zero; reports stay.
func (s *Sim) Forget() { s.command(s.cuda, "forget") }

// OpenDriver opens the simulated driver.
func (s *Sim) OpenDriver() *driver.Driver {
	s.tb.Helper()
	d, err := driver.Open()
	if err != nil {
		s.tb.Fatal(err)
	}
	return d
}

// OpenNVRTC opens the simulated compiler.
func (s *Sim) OpenNVRTC() *driver.NVRTC {
	s.tb.Helper()
	n, err := driver.OpenNVRTC()
	if err != nil {
		s.tb.Fatal(err)
	}
	return n
}

// SetNVRTCVersion sets the version that NVRTC says it has.
func (s *Sim) SetNVRTCVersion(v driver.Version) {
	s.command(s.nvrtc, fmt.Sprintf("set version=%d", v))
}

func (s *Sim) number(t string) int64 {
	n, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		s.tb.Fatalf("cudasim: number: %v", err)
	}
	return n
}

func rows(text string) [][]string {
	var list [][]string
	for _, line := range strings.Split(text, "\n") {
		if line != "" {
			list = append(list, strings.Split(line, "\t"))
		}
	}
	return list
}

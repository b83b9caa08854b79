// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

// TestMain lets this test binary be the command: tests of signals, exit codes
// and resident memory need a process of their own.
func TestMain(m *testing.M) {
	if os.Getenv("ARRAYRUN_TEST_AS_COMMAND") == "1" {
		main()
	}
	os.Exit(m.Run())
}

// command returns the program as a process to be started.
func command(t *testing.T, args ...string) (*exec.Cmd, *bytes.Buffer, *bytes.Buffer) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, os.Args[0], args...)
	c.Env = append(os.Environ(), "ARRAYRUN_TEST_AS_COMMAND=1", "XDG_CONFIG_HOME="+t.TempDir())
	var out, errs bytes.Buffer
	c.Stdout, c.Stderr = &out, &errs
	return c, &out, &errs
}

func exitStatus(t *testing.T, err error) int {
	t.Helper()
	var e *exec.ExitError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &e):
		return e.ExitCode()
	}
	t.Fatal(err)
	return -1
}

// TestDemo runs the demo as a process: it checks itself, and its resident memory
// stays within the budget and 64 MiB.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("short")
	}
	for _, memory := range []int64{128, 64} {
		dir := filepath.Join(t.TempDir(), "demo")
		stats := filepath.Join(t.TempDir(), "stats.json")
		c, out, errs := command(t, "demo", "--dir", dir, "--memory", formatSize(memory<<20), "--stats", stats)
		code := exitStatus(t, c.Run())
		if code != 0 || strings.Contains(out.String(), "FAIL") || strings.Count(out.String(), "] ok ") != 4 {
			t.Fatalf("exit %d\n%s%s", code, out, errs)
		}
		b, err := os.ReadFile(stats)
		if err != nil {
			t.Fatal(err)
		}
		var st struct {
			Peak       int64 `json:"peak_rss_bytes"`
			Budget     int64 `json:"budget_bytes"`
			PeakBudget int64 `json:"peak_budget_bytes"`
		}
		if err := json.Unmarshal(b, &st); err != nil {
			t.Fatal(err)
		}
		if st.Budget != memory<<20 || st.PeakBudget > st.Budget {
			t.Errorf("budget %d MiB: %+v", memory, st)
		}
		if runtime.GOOS == "linux" && !raceEnabled && st.Peak > st.Budget+64<<20 {
			t.Errorf("budget %d MiB: peak resident memory is %s", memory, formatBytes(st.Peak))
		}
		f, err := os.Open(filepath.Join(dir, "map.png"))
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		if img, err := png.Decode(f); err != nil || img.Bounds().Dx() != 6*sampleLon {
			t.Errorf("map.png: %v", err)
		}
	}
}

// signalLimit is how long leaving may take where other tests keep the processors busy; alone it is below a second.
const signalLimit = 5 * time.Second

// TestSignal interrupts a long run: exit 130 soon, nothing half written.
func TestSignal(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("no SIGINT to send")
	}
	dir := t.TempDir()
	for _, name := range []string{"o.zarr", "o.nc", "o.npy"} {
		out := filepath.Join(dir, name)
		c, stdout, errs := command(t, "eval", "sin(ones((20000, 10000), chunks=(1000, 1000))).cos().sin().cos().sin().cos()", "-o", out, "--memory", "256MiB")
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		for end := time.Now().Add(time.Minute); !store.Exists(store.Partial(out)) && !store.Exists(out) && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond) // until it writes
		}
		sent := time.Now()
		if err := c.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		code, took := exitStatus(t, c.Wait()), time.Since(sent)
		if code == 0 {
			continue // done before the signal came: a fast machine
		}
		if code != exitInterrupted || took > signalLimit || stdout.Len() > 0 {
			t.Errorf("%s: exit %d after %v, stdout %q, stderr %q", name, code, took, stdout, errs)
		}
		noOutputs(t, dir, out)
	}
}

// TestStreams: data on stdout and nothing else, messages on stderr, codes as documented.
func TestStreams(t *testing.T) {
	c, out, errs := command(t, "eval", "arange(3)")
	if code := exitStatus(t, c.Run()); code != 0 || out.String() != "[0 1 2]\n" || errs.Len() > 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
	c, out, errs = command(t, "eval", "nope")
	if code := exitStatus(t, c.Run()); code != exitUsage || out.Len() > 0 || errs.Len() == 0 {
		t.Errorf("exit %d, stdout %q, stderr %q", code, out, errs)
	}
}

// TestNoSpace writes to a full device: exit 5 and nothing left.
func TestNoSpace(t *testing.T) {
	if _, err := os.Stat("/dev/full"); err != nil {
		t.Skip("no /dev/full")
	}
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	c, _, errs := command(t, "eval", "arange(1000)")
	c.Stdout = full
	if code := exitStatus(t, c.Run()); code != exitRunning || !strings.Contains(errs.String(), "space") {
		t.Errorf("exit %d, stderr %q, want exit 5 and the reason", code, errs)
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/sched"
)

// reporter prints how far a job is, on stderr.
type reporter interface {
	event(sched.Event)
	end(err error)
}

// reporterFor returns the reporter a --progress value asks for. auto is a line
// that redraws itself on a terminal and nothing elsewhere: logs stay readable.
func reporterFor(mode string, w io.Writer) reporter {
	if mode == "auto" {
		mode = "none"
		if isTerminal(w) {
			mode = "line"
		}
	}
	switch mode {
	case "line":
		return &lineReporter{w: w}
	case "plain":
		return &plainReporter{w: w, next: time.Now().Add(plainEvery)}
	case "json":
		return &jsonReporter{w: w}
	}
	return silent{}
}

// isTerminal reports whether w is a character device.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0 && os.Getenv("TERM") != "dumb"
}

type silent struct{}

func (silent) event(sched.Event) {}
func (silent) end(error)         {}

// lineReporter redraws one line.
type lineReporter struct {
	w     io.Writer
	drawn int
}

func (r *lineReporter) event(e sched.Event) {
	const width = 30
	f := fraction(e)
	full := int(f * width)
	s := fmt.Sprintf("[%s%s] %3.0f%%  stage %d/%d %s  %s in use", strings.Repeat("#", full), strings.Repeat(".", width-full),
		f*100, e.Stage+1, e.Stages, e.Name, formatBytes(e.Used))
	if eta := remaining(e); eta > 0 {
		s += fmt.Sprintf("  %s left", eta)
	}
	if len(s) > 110 {
		s = s[:110]
	}
	fmt.Fprintf(r.w, "\r%-*s", r.drawn, s)
	r.drawn = len(s)
}

func (r *lineReporter) end(error) {
	if r.drawn > 0 {
		fmt.Fprintf(r.w, "\r%s\r", strings.Repeat(" ", r.drawn))
	}
}

// plainEvery is the time between lines of plain progress.
const plainEvery = 2 * time.Second

// plainReporter prints a line now and then.
type plainReporter struct {
	w    io.Writer
	next time.Time
}

func (r *plainReporter) event(e sched.Event) {
	if now := time.Now(); now.After(r.next) {
		r.next = now.Add(plainEvery)
		fmt.Fprintf(r.w, "%.0f%% stage %d/%d %s, %s in use, %.1f s\n", fraction(e)*100, e.Stage+1, e.Stages, e.Name, formatBytes(e.Used), e.Since.Seconds())
	}
}

func (r *plainReporter) end(err error) {
	if err == nil {
		fmt.Fprintln(r.w, "100%")
	}
}

// jsonReporter prints an object a line.
type jsonReporter struct{ w io.Writer }

func (r *jsonReporter) event(e sched.Event) {
	o := object{{"stage", e.Stage}, {"stages", e.Stages}, {"name", e.Name}, {"tasks", e.Tasks}, {"of", e.Of},
		{"done_bytes", e.Done}, {"total_bytes", e.Total}, {"used_bytes", e.Used}, {"seconds", number(e.Since.Seconds())}, {"ended", e.Ended}}
	if b, err := plainJSON(o); err == nil {
		fmt.Fprintf(r.w, "%s\n", b)
	}
}

func (r *jsonReporter) end(error) {}

func fraction(e sched.Event) float64 {
	if e.Total <= 0 {
		return 0
	}
	return min(float64(e.Done)/float64(e.Total), 1)
}

// remaining guesses the time left, once there is something to guess from.
func remaining(e sched.Event) time.Duration {
	f := fraction(e)
	if f < 0.02 || e.Since < time.Second {
		return 0
	}
	return time.Duration(float64(e.Since) * (1 - f) / f).Round(time.Second)
}

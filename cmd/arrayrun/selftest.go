// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/kernels/cpu"
)

// shownFailures is how many failed cases are told one by one.
const shownFailures = 10

func selftestCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "selftest",
		Short: "compare a device with the definition of every operation, bit for bit, and measure it",
		Long: `Runs every operation and reduction on every dtype, conversions, joins of partial results and random programs on the
device, and compares each element with the reference: all bits must be the same, NaN equal to NaN. Then it measures how fast
the device copies and computes. A person with a GPU runs "arrayrun selftest --device cuda" first: ` + unproven + `.

A GPU's kernels are compiled one by one, which takes minutes for all of the cases: on a GPU the test ends after --limit, having
taken one case of every operation and reduction before the second of any. --limit 0 runs them all.`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return a.selftest(c) },
	}
	c.Flags().Bool("json", false, "print one JSON document")
	c.Flags().Int("random", 300, "random programs to compare")
	c.Flags().Duration("limit", -1, "begin no case after this time; 0: no limit (default: 60s on a GPU, none on the CPU)")
	c.Flags().String("device", "auto", "what to test: cpu (also auto), cuda or cuda:N")
	c.Flags().String("cpu", "auto", "processor code: auto, avx2 or generic")
	return c
}

// checkDevice reports a name of a device that selftest and eval do not know.
func checkDevice(x string) error {
	if _, isCUDA, err := cudaOrdinal(x); err != nil || isCUDA || x == "cpu" || x == "auto" {
		return err
	}
	return fmt.Errorf("got %q, want auto, cpu, cuda or cuda:N", x)
}

// cudaOrdinal reads cuda and cuda:N.
func cudaOrdinal(x string) (n int, isCUDA bool, err error) {
	rest, ok := strings.CutPrefix(x, "cuda")
	if !ok || rest == "" {
		return 0, ok, nil
	}
	num, ok := strings.CutPrefix(rest, ":")
	if n, err = strconv.Atoi(num); !ok || err != nil || n < 0 || n > 63 {
		return 0, false, fmt.Errorf("got %q, want cuda or cuda:N with N from 0", x)
	}
	return n, true, nil
}

func (a *app) selftest(c *cobra.Command) error {
	name, mode := a.settings.text("device"), a.settings.text("cpu")
	random, _ := c.Flags().GetInt("random")
	asJSON, _ := c.Flags().GetBool("json")
	limit, _ := c.Flags().GetDuration("limit")
	host := cpu.New(cpu.Options{Mode: mode})
	defer host.Close()
	dev := host
	ordinal, isCUDA, _ := cudaOrdinal(name)
	if isCUDA {
		d, err := cuda.Open(cuda.Options{Ordinal: ordinal, CPU: host, Strict: true, Always: true, CUDALib: a.settings.text("cuda-lib"),
			NVRTCLib: a.settings.text("nvrtc-lib"), Cache: a.settings.text("cache")})
		if err != nil {
			return at(exitFailed, fmt.Errorf("selftest --device %s: %w", name, err))
		}
		dev = d
		if limit < 0 {
			limit = gpuLimit
		}
	}
	cases, err := inTurn(selftestCases(random))
	if err != nil {
		return errors.Join(err, closeOther(dev, host))
	}
	r, err := runSelftest(c.Context(), dev, slices.Values(cases), limit)
	if err != nil {
		return errors.Join(at(exitRunning, err), closeOther(dev, host))
	}
	if r.bandwidth, err = bandwidths(c.Context(), dev); err != nil {
		return errors.Join(at(exitRunning, err), closeOther(dev, host))
	}
	simulated := isSimulated(dev)
	if err := closeOther(dev, host); err != nil {
		r.fail("closing the device: " + err.Error())
	}
	if asJSON {
		failures := r.failures
		if failures == nil {
			failures = []string{}
		}
		err = a.printJSON(object{{"device", r.device}, {"simulated", simulated}, {"cases", r.cases}, {"of", len(cases)}, {"failed", r.failed},
			{"unsupported", r.refused}, {"failures", failures}, {"seconds", r.seconds}, {"bandwidth", r.bandwidth}})
	} else {
		err = a.printSelftest(r, len(cases), simulated)
	}
	if err == nil && r.failed > 0 {
		err = &quietError{exitFailed}
	}
	return err
}

// closeOther closes a device that is not the host's.
func closeOther(dev, host kernels.Device) error {
	if dev == host {
		return nil
	}
	return dev.Close()
}

// isSimulated reports whether the device calls itself simulated.
func isSimulated(dev kernels.Device) bool {
	d, ok := dev.(*cuda.Device)
	return ok && strings.Contains(strings.ToLower(d.Info().Name), "sim")
}

func (a *app) printSelftest(r *selftestReport, of int, simulated bool) error {
	var b strings.Builder
	what := r.device
	if simulated {
		what += " (simulated: no GPU took part)"
	}
	if r.cases < of {
		what += fmt.Sprintf("\n%d of %d cases: the time was up; --limit 0 runs them all", r.cases, of)
	}
	fmt.Fprintf(&b, "%s\n%d cases in %.1f s: %d failed, %d not supported\n", what, r.cases, r.seconds, r.failed, r.refused)
	for _, f := range r.failures {
		fmt.Fprintf(&b, "FAIL %s\n", f)
	}
	for _, m := range r.bandwidth {
		fmt.Fprintf(&b, "%-28s %7.2f GB/s\n", strings.ReplaceAll(m.name, "_", " "), m.value)
	}
	_, err := fmt.Fprint(a.out, b.String())
	return err
}

// selftestReport is what a self test found.
type selftestReport struct {
	device    string
	cases     int
	failed    int
	refused   int
	failures  []string
	seconds   float64
	bandwidth object
}

func (r *selftestReport) fail(what string) {
	r.failed++
	if len(r.failures) < shownFailures {
		r.failures = append(r.failures, what)
	}
}

// deviceText names a device and what it runs on.
func deviceText(dev kernels.Device) string {
	if e, ok := dev.(kernels.Explained); ok {
		return e.Executor()
	}
	return dev.Name()
}

// gpuLimit is how long a GPU is tested for where nobody says.
const gpuLimit = time.Minute

// inTurn returns the cases in turn: one of each operation, reduction and kind, then the second of each.
func inTurn(cases iter.Seq2[*deviceCase, error]) ([]*deviceCase, error) {
	type ranked struct {
		c    *deviceCase
		turn int
	}
	var list []ranked
	turns := map[string]int{}
	for c, err := range cases {
		if err != nil {
			return nil, err
		}
		kind, _, ok := strings.Cut(c.what, "(")
		if !ok {
			kind, _, _ = strings.Cut(c.what, " ")
		}
		list = append(list, ranked{c, turns[kind]})
		turns[kind]++
	}
	slices.SortStableFunc(list, func(a, b ranked) int { return cmp.Compare(a.turn, b.turn) })
	out := make([]*deviceCase, len(list))
	for i, r := range list {
		out[i] = r.c
	}
	return out, nil
}

// runSelftest compares a device with the reference, several cases at a time: compiling for a GPU takes longest. After
// the limit, where there is one, no case is begun.
func runSelftest(ctx context.Context, dev kernels.Device, cases iter.Seq[*deviceCase], limit time.Duration) (*selftestReport, error) {
	r := &selftestReport{device: deviceText(dev)}
	start := time.Now()
	var mu sync.Mutex
	var all sync.WaitGroup
	slots := make(chan struct{}, runtime.GOMAXPROCS(0))
	var broken error
	for c := range cases {
		slots <- struct{}{}
		if ctx.Err() != nil || limit > 0 && time.Since(start) > limit {
			broken = context.Cause(ctx)
			break
		}
		r.cases++
		all.Go(func() {
			defer func() { <-slots }()
			what, err := c.compare(ctx, dev)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, kernels.ErrUnsupported):
				r.refused++
			case err != nil:
				r.fail(c.what + ": " + err.Error())
			case what != "":
				r.fail(c.what + ": " + what)
			}
		})
	}
	all.Wait()
	r.seconds = time.Since(start).Seconds()
	return r, broken
}

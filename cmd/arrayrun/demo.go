// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// demoMemory is the demo's budget unless the user sets one: less than half of
// what the sample takes as float32.
const demoMemory = "128MiB"

// demoExpr is what the demo computes, in one sweep over the sample.
const demoExpr = `t = tas.astype('float32')
clim = t.groupby('time.month').mean()
anom = t - clim
series = anom.weighted(cos(deg2rad(lat))).mean(('lat', 'lon'))`

func demoCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "demo [flags]",
		Short: "make a sample, compute a climatology and anomalies from it out of core, check the results, draw a map",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, _ := c.Flags().GetString("dir")
			return a.demo(c.Context(), dir)
		},
	}
	c.Flags().String("dir", "arrayrun-demo", "folder for the sample and the results")
	addSettings(c, "run")
	return c
}

// demo makes the sample, computes, checks and shows.
func (a *app) demo(ctx context.Context, dir string) error {
	if a.settings.text("memory") == "" {
		a.settings.values["memory"] = demoMemory
	}
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return at(exitRunning, err)
	}
	begin := time.Now()
	step := func(format string, args ...any) {
		fmt.Fprintf(a.out, "[%5.2f s] %s\n", time.Since(begin).Seconds(), fmt.Sprintf(format, args...))
	}
	workers := a.settings.count("workers")
	if workers == 0 {
		workers = runtime.GOMAXPROCS(0)
	}
	files := demoFiles(dir)

	s := newSample()
	stored, err := s.write(ctx, files.sample, workers)
	if err != nil {
		return at(exitRunning, fmt.Errorf("demo: write the sample: %w", err))
	}
	step("wrote %s: tas(time %d, lat %d, lon %d) int16, %s as float32, %s stored", files.sample, sampleDays, sampleLat, sampleLon,
		formatBytes(int64(sampleDays)*sampleLat*sampleLon*4), formatBytes(stored))

	eng, err := a.engine()
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	e := evaluation{
		expr:    demoExpr,
		inputs:  []input{{uris: []string{files.sample}}},
		outputs: []output{{name: "clim", uri: files.clim}, {name: "anom", uri: files.anom}, {name: "series", uri: files.series}},
		options: []ndarray.WriteOption{ndarray.Overwrite()},
	}
	fmt.Fprintf(a.out, "\narrayrun eval --memory %s --overwrite \"\n%s\" %s \\\n  -o clim=%s -o anom=%s -o series=%s\n\n", formatSize(eng.Memory()), demoExpr, files.sample, files.clim, files.anom, files.series)
	e.explain = "text"
	planned, err := a.evaluate(ctx, eng, e)
	if err != nil {
		return err
	}
	fmt.Fprintf(a.out, "%s\n", strings.TrimRight(planned.text, "\n"))
	e.explain = ""
	start := time.Now()
	if _, err := a.evaluate(ctx, eng, e); err != nil {
		return err
	}
	took := time.Since(start)
	st := eng.Stats()
	fmt.Fprintln(a.out)
	step("computed and wrote %s, %s, %s in %.2f s", files.clim, files.anom, files.series, took.Seconds())
	fmt.Fprintf(a.out, "          budget %s: %s used at the peak; %s read, %s decoded, %s written, %d tasks on %s\n", formatBytes(st.BudgetBytes),
		formatBytes(st.PeakBudgetBytes), formatBytes(st.BytesRead), formatBytes(st.BytesDecoded), formatBytes(st.BytesWritten), st.Tasks, st.CPU)

	checks, err := s.check(ctx, files, workers)
	if err != nil {
		return err
	}
	bad := 0
	for _, c := range checks.list {
		verdict := "ok  "
		if !c.ok {
			verdict, bad = "FAIL", bad+1
		}
		step("%s %s", verdict, c.text)
	}
	july := field{lat: sampleLat, lon: sampleLon, value: func(j, i int) float64 {
		return checks.clim[6*sampleLat*sampleLon+j*sampleLon+i] - checks.clim[j*sampleLon+i]
	}}
	fmt.Fprintf(a.out, "\n  July minus January of the climatology\n")
	if err := july.text(a.out, 96, "K"); err != nil {
		return err
	}
	if err := july.png(files.png, 6); err != nil {
		return at(exitRunning, err)
	}
	fmt.Fprintf(a.out, "  the same in colour: %s\n\n", files.png)
	step("done; peak resident memory of the process %s: arrays in a budget of %s, and the program itself", formatBytes(sched.PeakRSS()), formatBytes(st.BudgetBytes))
	if err := a.writeStats(st); err != nil {
		return err
	}
	if bad > 0 {
		return at(exitFailed, fmt.Errorf("demo: %d of %d checks failed", bad, len(checks.list)))
	}
	return nil
}

// demoPaths are the files of a demo.
type demoPaths struct{ sample, clim, anom, series, png string }

func demoFiles(dir string) demoPaths {
	in := func(name string) string { return filepath.Join(dir, name) }
	return demoPaths{in("sample.zarr"), in("clim.nc"), in("anom.zarr"), in("series.npy"), in("map.png")}
}

// formatSize prints a budget as a flag takes it.
func formatSize(n int64) string {
	if n%(1<<20) == 0 {
		return fmt.Sprintf("%dMiB", n>>20)
	}
	return fmt.Sprint(n)
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

// benchGroups are what bench can measure, in its order.
var benchGroups = []string{"memory", "elementwise", "reductions", "codecs"}

func benchCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "bench [GROUP ...]",
		Short: "measure memory, operations, reductions and codecs on this machine",
		Long: `Measures what this machine's memory gives to plain loops, and what the engine makes of it: elementwise expressions and
reductions over arrays in memory, planning included, and codecs on one processor. Groups: ` + strings.Join(benchGroups, ", ") + `; all without an
argument. Bytes are those that must be read and written once; the share is of the memory's copy or read. A machine that
is busy with other things gives lower numbers: the median and the best are shown.`,
		Example: `  arrayrun bench
  arrayrun bench --json elementwise reductions`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.bench(c, args) },
	}
	f := c.Flags()
	f.Bool("json", false, "print one JSON document")
	f.Int64("size", 32<<20, "elements of an array in memory")
	f.Int("runs", 7, "runs of each measurement")
	f.String("workers", "0", "tasks at once (default the number of processors)")
	f.String("cpu", "auto", "processor code: auto, avx2 or generic")
	return c
}

// speed is one measurement.
type speed struct {
	Group   string  `json:"group"`
	Name    string  `json:"name"`
	Bytes   int64   `json:"bytes"` // read and written by one run
	Seconds float64 `json:"seconds"`
	Best    float64 `json:"best_seconds"`
	Ratio   float64 `json:"ratio,omitempty"` // of a codec: decoded over encoded bytes
	against string  // the memory measurement it is a share of
}

// gbs returns GB/s of the median run.
func (s *speed) gbs() float64 { return float64(s.Bytes) / s.Seconds / 1e9 }

// bencher measures one machine.
type bencher struct {
	runs    int
	size    int64
	workers int
	list    []speed
}

func (a *app) bench(c *cobra.Command, groups []string) error {
	b := &bencher{}
	b.size, _ = c.Flags().GetInt64("size")
	b.runs, _ = c.Flags().GetInt("runs")
	if b.size < 1 || b.size > 1<<32 || b.runs < 1 {
		return usagef("bench: --size %d --runs %d: want 1 to 2^32 elements and at least one run", b.size, b.runs)
	}
	for _, g := range groups {
		if !slices.Contains(benchGroups, g) {
			return usagef("bench: unknown group %q; want %s", g, strings.Join(benchGroups, ", "))
		}
	}
	eng, err := a.engine()
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	b.workers = eng.Workers()
	if err := b.measure(c.Context(), eng, groups); err != nil {
		return at(exitRunning, err)
	}
	if asJSON, _ := c.Flags().GetBool("json"); asJSON {
		return a.printJSON(object{{"executor", eng.DeviceName()}, {"workers", b.workers}, {"elements", b.size}, {"runs", b.runs}, {"results", b.list}})
	}
	_, err = fmt.Fprintf(a.out, "%s, %d workers, arrays of %d elements, median of %d runs\n%s", eng.DeviceName(), b.workers, b.size, b.runs, b.text())
	return err
}

func (b *bencher) measure(ctx context.Context, eng *sched.Engine, groups []string) error {
	wanted := func(g string) bool { return len(groups) == 0 || slices.Contains(groups, g) }
	if wanted("memory") || wanted("elementwise") || wanted("reductions") {
		if err := b.memory(ctx); err != nil { // what the others are shares of
			return err
		}
	}
	if wanted("elementwise") || wanted("reductions") {
		if err := b.engine(ctx, eng, wanted); err != nil {
			return err
		}
	}
	if wanted("codecs") {
		return b.codecs(ctx)
	}
	return nil
}

// repeat adds the times of f, after one run that nobody counts.
func (b *bencher) repeat(ctx context.Context, s speed, f func() error) error {
	times := make([]float64, 0, b.runs)
	for i := range b.runs + 1 {
		if err := ctx.Err(); err != nil {
			return err
		}
		start := time.Now()
		if err := f(); err != nil {
			return fmt.Errorf("bench: %s: %w", s.Name, err)
		}
		if i > 0 {
			times = append(times, max(time.Since(start).Seconds(), 1e-9))
		}
	}
	slices.Sort(times)
	s.Seconds, s.Best = times[len(times)/2], times[0]
	b.list = append(b.list, s)
	return nil
}

// engineCases are computed by the engine, over x and y in (-4, 4) and the packed numbers p.
var engineCases = []struct {
	group, name, expr string
	d                 dtype.DType
	reads             int // arrays
}{
	{"elementwise", "x*y+x float32", "x*y+x", dtype.Float32, 2},
	{"elementwise", "sqrt(x*x+y*y) float32", "sqrt(x*x+y*y)", dtype.Float32, 2},
	{"elementwise", "maximum((x*y+x-1.5)/3, y) float32", "maximum((x*y+x-1.5)/3.0, y)", dtype.Float32, 2},
	{"elementwise", "exp(-x*x/2) float32", "exp(-x*x/2.0)", dtype.Float32, 1},
	{"elementwise", "sin(x) float32", "sin(x)", dtype.Float32, 1},
	{"elementwise", "x*y+x float64", "x*y+x", dtype.Float64, 2},
	{"elementwise", "exp(x) float64", "exp(x)", dtype.Float64, 1},
	{"elementwise", "sin(x)**2+cos(y)**2 float64", "sin(x)**2+cos(y)**2", dtype.Float64, 2},
	{"elementwise", "decode int16 to float32", "where(x == -4, nan, x.astype('float32') * 0.01 + 273.15)", dtype.Int16, 1},
	{"reductions", "sum(x) float32", "sum(x)", dtype.Float32, 1},
	{"reductions", "nansum(x) float32", "nansum(x)", dtype.Float32, 1},
	{"reductions", "mean(x), var(x) float32", "m = mean(x); v = var(x)", dtype.Float32, 1},
	{"reductions", "max(x) float64", "max(x)", dtype.Float64, 1},
	{"reductions", "sum(sin(x)) float64", "sum(sin(x))", dtype.Float64, 1},
}

// engine measures expressions; results go to memory that is there.
func (b *bencher) engine(ctx context.Context, eng *sched.Engine, wanted func(string) bool) error {
	pool := mem.NewPool()
	defer pool.Close()
	for _, c := range engineCases {
		if !wanted(c.group) {
			continue
		}
		if err := b.one(ctx, eng, pool, c.group, c.name, c.expr, c.d, c.reads); err != nil {
			return err
		}
		pool.Trim(0)
	}
	return nil
}

func (b *bencher) one(ctx context.Context, eng *sched.Engine, pool *mem.Pool, group, name, text string, d dtype.DType, reads int) error {
	s := speed{Group: group, Name: name, against: "read", Bytes: int64(reads) * b.size * int64(d.Size())}
	env := expr.Env{}
	for i := range reads {
		c, err := chunk.New(pool, d, 0, chunk.Shape{b.size})
		if err != nil {
			return err
		}
		defer c.Release()
		fillWaves(c, float64(i))
		env[[]string{"x", "y"}[i]] = ndarray.FromChunk(c, nil)
	}
	values, err := expr.Eval(text, env)
	if err != nil {
		return err
	}
	list := values.Named
	if len(list) == 0 {
		list = []expr.Named{values.Last}
	}
	var outputs []ndarray.Output
	for _, v := range list {
		x := v.Value.(ndarray.Array)
		c, err := chunk.New(pool, x.DType(), 0, x.Shape())
		if err != nil {
			return err
		}
		defer c.Release()
		outputs = append(outputs, ndarray.Output{Array: x, Name: name, Into: c})
		if group == "elementwise" {
			s.Bytes += c.Shape.Size() * int64(c.ItemBytes)
			s.against = "copy"
		}
	}
	return b.repeat(ctx, s, func() error { return eng.Run(ctx, outputs) })
}

// fillWaves sets c to smooth numbers in (-4, 4) that are not the same everywhere.
func fillWaves(c *chunk.Chunk, phase float64) {
	var wave [1021]float64
	for i := range wave {
		wave[i] = 3.9 * math.Sin(phase+float64(i)*2*math.Pi/float64(len(wave)))
	}
	switch c.DType {
	case dtype.Float32:
		for i, s := 0, chunk.Slice[float32](c); i < len(s); i++ {
			s[i] = float32(wave[i%len(wave)])
		}
	case dtype.Float64:
		for i, s := 0, chunk.Slice[float64](c); i < len(s); i++ {
			s[i] = wave[i%len(wave)]
		}
	case dtype.Int16:
		for i, s := 0, chunk.Slice[int16](c); i < len(s); i++ {
			s[i] = int16(wave[i%len(wave)])
		}
	}
}

// text returns the measurements as a table for each group.
func (b *bencher) text() string {
	base := map[string]float64{}
	for i := range b.list {
		if s := &b.list[i]; s.Group == "memory" {
			base[s.Name] = s.gbs()
		}
	}
	var out strings.Builder
	group := ""
	for i := range b.list {
		s := &b.list[i]
		if s.Group != group {
			group = s.Group
			fmt.Fprintf(&out, "\n%-36s %10s %10s %8s\n", group, "median ms", "best ms", "GB/s")
		}
		fmt.Fprintf(&out, "  %-34s %10.2f %10.2f %8.2f", s.Name, s.Seconds*1e3, s.Best*1e3, s.gbs())
		if g := base[s.against]; g > 0 {
			fmt.Fprintf(&out, "  %3.0f%% of %s", 100*s.gbs()/g, s.against)
		}
		if s.Ratio > 0 {
			fmt.Fprintf(&out, "  ratio %.2f", s.Ratio)
		}
		out.WriteByte('\n')
	}
	return out.String()
}

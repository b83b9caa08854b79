// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

func evalCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "eval [flags] EXPR [INPUT ...]",
		Short: "compute an expression over arrays in files",
		Long: `Computes an expression in NumPy's and xarray's notation.

INPUT is NAME=URI or URI: a .npy, .npz, Zarr, NetCDF, HDF5, TIFF, Arrow or Parquet file; URI#VAR picks one variable,
URI?raw turns CF decoding off. A URI with no NAME binds every variable by its own name.`,
		Example: `  arrayrun eval 'mean(a, axis=0)' a=a.npy
  arrayrun eval 'tas - tas.groupby("time.month").mean()' tas.nc -o anomaly.zarr --memory 512MiB
  arrayrun eval 'tas - 273.15' tas_2002.nc -o celsius.zarr --append time
  arrayrun eval 'lo = min(a); hi = max(a)' a=a.npy -o lo=lo.npy -o hi=hi.npy`,
		Args: cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error { return a.eval(c, args) },
	}
	f := c.Flags()
	f.StringArrayP("output", "o", nil, "where a result goes: URI, NAME=URI, or - for text on stdout (may be repeated)")
	f.String("chunks", "", "chunks of the outputs: 'time=100,lat=-1' by name or '100,-1' by axis")
	f.String("explain", "", "print the plan and do not run it; --explain=json for one JSON document")
	f.Lookup("explain").NoOptDefVal = "text"
	updateFlags(f)
	f.String("batch", "", "run the jobs in this file (- for stdin), one JSON object a line")
	addSettings(c, "run")
	addSettings(c, "values")
	return c
}

// evaluation is one expression with what it reads and writes.
type evaluation struct {
	expr    string
	inputs  []input
	outputs []output
	options []ndarray.WriteOption
	explain string // "", "text" or "json"
	update  bool   // outputs that are there are appended to, or written in part
	raw     bool
	dump    *kernelDump // instead of the plan's text
}

// input is a file that an expression reads. Without a name every variable is bound by its own.
type input struct {
	name   string
	uris   []string
	chunks []int64
	raw    bool
}

// output is where a named value goes; an empty name is the expression's result. lone
// takes the result when no value has the name.
type output struct {
	name, uri string
	lone      bool
}

func (a *app) eval(c *cobra.Command, args []string) error {
	f := c.Flags()
	e := evaluation{raw: a.settings.on("raw")}
	e.explain, _ = f.GetString("explain")
	if e.explain != "" && e.explain != "text" && e.explain != "json" {
		return usagef("--explain: got %q, want --explain or --explain=json", e.explain)
	}
	chunks, _ := f.GetString("chunks")
	options, err := parseChunks(chunks)
	if err != nil {
		return err
	}
	e.options = options
	if a.settings.on("overwrite") {
		e.options = append(e.options, ndarray.Overwrite())
	}
	grow, region, err := updateOptions(f)
	switch {
	case err != nil:
		return err
	case (grow != "" || region != nil) && a.settings.on("overwrite"):
		return usagef("--overwrite replaces an output, --append and --region change one")
	case grow != "":
		e.update, e.options = true, append(e.options, ndarray.AppendTo(grow))
	case region != nil:
		e.update, e.options = true, append(e.options, region)
	}
	outputs, _ := f.GetStringArray("output")
	if batch, _ := f.GetString("batch"); batch != "" {
		if len(args) > 0 || len(outputs) > 0 {
			return usagef("--batch takes expressions, inputs and outputs from its file: got %q beside it", append(args, outputs...))
		}
		return a.batch(c.Context(), batch, e)
	}
	if len(args) == 0 {
		return usagef("eval needs an expression; usage: %s", c.UseLine())
	}
	e.expr = args[0]
	for _, arg := range args[1:] {
		e.inputs = addInput(e.inputs, parseInput(arg))
	}
	for _, o := range outputs {
		e.outputs = append(e.outputs, parseOutput(o))
		for _, in := range e.inputs {
			if region != nil && slices.ContainsFunc(in.uris, func(uri string) bool { return sameFile(uri, parseOutput(o).uri) }) {
				return usagef("--region: %s is an input too; its values would change while they are read", parseOutput(o).uri)
			}
		}
	}
	eng, err := a.engine(outputs...)
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	r, err := a.evaluate(c.Context(), eng, e)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(a.out, r.text); err != nil {
		return err
	}
	if e.explain != "" {
		return nil
	}
	return a.writeStats(eng.Stats())
}

// engine makes the engine that the settings ask for. What it spills goes beside the first output
// that is a path here, unless --tmpdir says where.
func (a *app) engine(outputs ...string) (*sched.Engine, error) {
	s := &a.settings
	tmp := s.text("tmpdir")
	for _, o := range outputs {
		if uri := parseOutput(o).uri; tmp == "" && uri != "-" && !strings.Contains(uri, "://") {
			tmp = filepath.Dir(filepath.Clean(uri))
		}
	}
	return sched.New(sched.Options{Memory: s.bytes("memory"), Workers: s.count("workers"), Device: s.text("device"), CPU: s.text("cpu"),
		NoFuse: s.on("no-fuse"), NoRewrite: s.on("no-rewrite"), TmpDir: tmp, GPU: a.gpu()})
}

// gpu returns how a GPU is used, as the settings say.
func (a *app) gpu() sched.GPU {
	s := &a.settings
	return sched.GPU{Strict: s.on("strict-gpu"), CUDALib: s.text("cuda-lib"), NVRTCLib: s.text("nvrtc-lib"), Cache: s.text("cache")}
}

// writeStats writes the file that --stats asks for.
func (a *app) writeStats(s sched.Stats) error {
	path := a.settings.text("stats")
	if path == "" {
		return nil
	}
	b, err := plainJSON(s)
	if err != nil {
		return err
	}
	return atWriting(writeFile(path, func(w io.Writer) error { _, err := fmt.Fprintf(w, "%s\n", b); return err }))
}

// named matches NAME=URI.
var named = regexp.MustCompile(`^([A-Za-z_][A-Za-z0-9_]*)=(.+)$`)

// parseInput reads NAME=URI or URI. A file that exists is taken by its name even when that has an equals sign.
func parseInput(arg string) input {
	if m := named.FindStringSubmatch(arg); m != nil {
		if _, err := os.Stat(arg); err != nil {
			return input{name: m[1], uris: []string{m[2]}}
		}
	}
	return input{uris: []string{arg}}
}

// addInput appends x, or joins it to the input of its name.
func addInput(list []input, x input) []input {
	for i := range list {
		if x.name != "" && list[i].name == x.name {
			list[i].uris = append(list[i].uris, x.uris...)
			return list
		}
	}
	return append(list, x)
}

func parseOutput(arg string) output {
	if m := named.FindStringSubmatch(arg); m != nil {
		return output{name: m[1], uri: m[2]}
	}
	return output{uri: arg}
}

// parseChunks reads 'time=100,lat=-1' or '100,-1'.
func parseChunks(text string) ([]ndarray.WriteOption, error) {
	byName, steps, err := parseLengths("chunks", text)
	switch {
	case err != nil:
		return nil, err
	case steps != nil:
		return []ndarray.WriteOption{ndarray.ChunkSteps(steps...)}, nil
	case byName != nil:
		return []ndarray.WriteOption{byName}, nil
	}
	return nil, nil
}

// parseLengths reads lengths by name or by axis, both nil for none; -1 is the whole axis.
func parseLengths(flag, text string) (byName ndarray.Chunks, steps []int64, err error) {
	if text == "" {
		return nil, nil, nil
	}
	byName = ndarray.Chunks{}
	for _, part := range strings.Split(text, ",") {
		name, value, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			value = name
		}
		n, err := strconv.ParseInt(strings.TrimSpace(value), 10, 64)
		if err != nil || n == 0 || n < -1 {
			return nil, nil, usagef("--%s: got %q, want lengths such as 'time=100,lat=-1' or '100,-1'; -1 is the whole axis", flag, text)
		}
		name = strings.TrimSpace(name)
		if _, twice := byName[name]; twice && ok {
			return nil, nil, usagef("--%s: got %q, want one length for %q", flag, text, name)
		}
		if ok {
			byName[name] = n
		} else {
			steps = append(steps, n)
		}
	}
	switch {
	case len(byName) > 0 && steps != nil:
		return nil, nil, usagef("--%s: got %q, want names for all lengths or for none", flag, text)
	case steps != nil:
		return nil, steps, nil
	}
	return byName, nil, nil
}

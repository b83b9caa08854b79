// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/netcdf"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

func convertCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "convert [flags] IN OUT",
		Short: "write everything a file holds in another format, as stored",
		Long: `Copies every variable, group, attribute and dimension of IN to OUT, values as they are stored, inside
the memory budget. The ending of OUT says the format, or --format does. What the format cannot hold is an error that
names it; --lossy leaves it out with a warning. IN may be URI#VAR.

--append DIM adds the values behind the end of a Zarr output that is there, --region writes a part of it. Readers see the old
extent until an append is complete; what it does not reach must be equal, and packing must be the same (eval packs anew).`,
		Example: `  arrayrun convert era5.nc era5.zarr --memory 256MiB
  arrayrun convert era5.zarr era5.nc --codec zlib:4 --var t2m
  arrayrun convert a.nc old.nc --format netcdf3-64bit
  arrayrun convert 2002.nc tas.zarr --append time
  arrayrun convert a.zarr b.zarr --chunks time=24,lat=180 --shards time=240,lat=-1 --codec blosc-lz4`,
		Args: cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := copyOptions(c.Flags())
			if err != nil {
				return err
			}
			return a.copy(c, args[0], args[1], o)
		},
	}
	copyFlags(c.Flags())
	updateFlags(c.Flags())
	addSettings(c, "run")
	addSettings(c, "values")
	return c
}

func rechunkCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "rechunk [flags] IN OUT --chunks LENGTHS",
		Short: "copy a file with other chunks, in one pass where the budget allows it",
		Long: `Copies IN to OUT with the chunks that --chunks gives. Each task covers whole chunks of the output, as
many as the budget holds, and a chunk of the input that several tasks need is read by each of them: --explain prints how
many bytes are read, and --stats how many were. A larger --memory reads less often.`,
		Example: `  arrayrun rechunk era5.nc series.zarr --chunks 'time=-1,lat=36,lon=36' --memory 2GiB`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := copyOptions(c.Flags())
			if err != nil {
				return err
			}
			if o.Chunks == nil && o.Steps == nil {
				return usagef("rechunk needs --chunks, such as --chunks 'time=-1,lat=36,lon=36'")
			}
			return a.copy(c, args[0], args[1], o)
		},
	}
	copyFlags(c.Flags())
	addSettings(c, "run")
	addSettings(c, "values")
	return c
}

func selectCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "select [flags] IN OUT DIM=WHAT ...",
		Short: "copy a part of a file, by labels or positions",
		Long: `Copies the part of IN that the selections leave, values as they are stored. WHAT is a label (the
dimension goes, its label stays as a scalar), FROM:TO with both ends, a list A,B,C, or behind an @ positions
that count from 0, from the end where they are negative, and whose ranges end before their end.`,
		Example: `  arrayrun select tas.nc europe.nc time=2001-03:2001-05 lat=35:70 lon=-10:40
  arrayrun select tas.nc first.zarr time=@0 lev=850,500`,
		Args: cobra.MinimumNArgs(3),
		RunE: func(c *cobra.Command, args []string) error {
			o, err := copyOptions(c.Flags())
			if err != nil {
				return err
			}
			for _, text := range args[2:] {
				s, err := ndarray.ParseSelection(text)
				if err != nil {
					return usagef("%v", err)
				}
				o.Select = append(o.Select, s)
			}
			o.History = "arrayrun select " + strings.Join(args, " ")
			return a.copy(c, args[0], args[1], o)
		},
	}
	copyFlags(c.Flags())
	updateFlags(c.Flags())
	addSettings(c, "run")
	addSettings(c, "values")
	return c
}

// updateFlags declares what writes into an output that is there.
func updateFlags(f *pflag.FlagSet) {
	f.String("append", "", "append to a Zarr output along this dimension; it is made where nothing is there. What is there keeps its packing, chunks and units")
	f.StringArray("region", nil, "write a part of a Zarr output that is there: DIM=FROM:TO or DIM=@FROM:TO, as for select (may be repeated)")
}

// updateOptions reads the flags of updateFlags.
func updateOptions(f *pflag.FlagSet) (grow string, region ndarray.Region, err error) {
	if f.Lookup("append") == nil {
		return "", nil, nil
	}
	grow, _ = f.GetString("append")
	list, _ := f.GetStringArray("region")
	for _, text := range list {
		if _, err := ndarray.ParseSelection(text); err != nil {
			return "", nil, usagef("--region: %v", err)
		}
		if region == nil {
			region = ndarray.Region{}
		}
		dim, what, _ := strings.Cut(text, "=")
		if dim = strings.TrimSpace(dim); region[dim] != "" {
			return "", nil, usagef("--region: dimension %q is given twice", dim)
		}
		region[dim] = what
	}
	if grow != "" && region != nil {
		return "", nil, usagef("--append and --region: an output is either appended to or a region of it is written")
	}
	return grow, region, nil
}

// copyFlags declares what convert, rechunk and select share.
func copyFlags(f *pflag.FlagSet) {
	f.String("format", "", "format of the output: zarr2, zarr3, netcdf4, netcdf3, netcdf3-64bit, netcdf3-64bit-data, npy, npz, tiff, arrow, parquet, ome-zarr, ome-zarr-0.4, csv (default by the ending)")
	f.Int("zarr-version", 0, "version of a Zarr output: 2 or 3 (default 3)")
	f.String("chunks", "", "chunks of the output: 'time=100,lat=-1' by name or '100,-1' by axis")
	f.String("shards", "", "shards of a Zarr 3 output, as --chunks")
	f.String("codec", "", "compression: zstd:5, blosc-lz4, zlib:4 or none (default the format's)")
	f.StringArray("var", nil, "a variable or group to take, with its coordinates (may be repeated; default everything)")
	f.Bool("lossy", false, "leave out what the format cannot hold, with a warning")
	f.String("explain", "", "print the plan and do not run it; --explain=json for one JSON document")
	f.Lookup("explain").NoOptDefVal = "text"
}

// copyOptions reads the flags of copyFlags.
func copyOptions(f *pflag.FlagSet) (ndarray.CopyOptions, error) {
	var o ndarray.CopyOptions
	o.Format, _ = f.GetString("format")
	o.Codec, _ = f.GetString("codec")
	o.Lossy, _ = f.GetBool("lossy")
	vars, _ := f.GetStringArray("var")
	for _, v := range vars {
		o.Vars = append(o.Vars, strings.FieldsFunc(v, func(r rune) bool { return r == ',' })...)
	}
	switch n, _ := f.GetInt("zarr-version"); {
	case n == 0:
	case n != 2 && n != 3:
		return o, usagef("--zarr-version: got %d, want 2 or 3", n)
	case o.Format != "" && o.Format != "zarr" && o.Format != fmt.Sprintf("zarr%d", n):
		return o, usagef("--zarr-version %d contradicts --format %s", n, o.Format)
	default:
		o.Format = fmt.Sprintf("zarr%d", n)
	}
	text, _ := f.GetString("chunks")
	var err error
	if o.Chunks, o.Steps, err = parseLengths("chunks", text); err != nil {
		return o, err
	}
	text, _ = f.GetString("shards")
	if o.Shards, o.ShardSteps, err = parseLengths("shards", text); err != nil {
		return o, err
	}
	o.AppendTo, o.Region, err = updateOptions(f)
	return o, err
}

// copy copies a file, or the part of it that the options take.
func (a *app) copy(c *cobra.Command, in, out string, o ndarray.CopyOptions) (err error) {
	ctx := c.Context()
	explain, _ := c.Flags().GetString("explain")
	if explain != "" && explain != "text" && explain != "json" {
		return usagef("--explain: got %q, want --explain or --explain=json", explain)
	}
	target, err := all.Target(out, o.Format)
	if err != nil {
		return at(exitUsage, err)
	}
	if (o.Shards != nil || o.ShardSteps != nil) && !strings.Contains(target.Name, "zarr") {
		return usagef("--shards: %s has no shards, only Zarr 3 has them", target.Name)
	}
	g, err := a.open(ctx, in)
	if err != nil {
		return err
	}
	defer closeGroup(g)
	lost := a.missing()
	if lost != nil {
		lost.Apply(g)
	}
	o.Overwrite = a.settings.on("overwrite")
	if o.Overwrite && (o.AppendTo != "" || o.Region != nil) {
		return usagef("--overwrite replaces an output, --append and --region change one")
	}
	o.Memory = a.settings.bytes("memory")
	o.Warn = func(text string) { fmt.Fprintf(a.err, "arrayrun: warning: %s\n", text) }
	if o.Vars == nil {
		a.warnLinks(g, in, "")
	}
	if sameFile(in, out) {
		return usagef("%s: the output is the input; give it another name", out)
	}
	eng, err := a.engine()
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	plan, err := ndarray.PlanCopy(ctx, g, out, o)
	if errors.Is(err, ndarray.ErrCannotHold) {
		return &codedError{exitUsage, err, true}
	}
	if err != nil {
		return atExpression(err)
	}
	if target.Name == netcdf.NetCDF4.Name {
		for _, v := range plan.Spec.Vars {
			if names := netcdf.WideTexts(v.Stored); names != nil {
				o.Warn(fmt.Sprintf("variable %q: texts of UTF-32 in its records (%s) become UTF-8 in as many bytes", v.Name, strings.Join(names, ", ")))
			}
		}
	}
	if explain != "" && (o.AppendTo != "" || o.Region != nil) {
		there, err := all.Updatable(ctx, out)
		if err != nil {
			return atOutput(err)
		}
		if there {
			return a.explainUpdate(ctx, eng, plan, explain)
		}
	}
	if explain != "" {
		return a.explainCopy(ctx, eng, plan, explain)
	}
	w, err := plan.Create(ctx)
	if err != nil {
		return atOutput(err)
	}
	defer func() {
		if err != nil {
			_ = w.Abort() // the first error is the one that counts
		}
	}()
	p, err := eng.PlanOutputs(ctx, w.Outputs)
	if err != nil {
		return at(exitUsage, err)
	}
	if err := a.run(ctx, eng, p); err != nil {
		return err
	}
	if err := w.Commit(ctx); err != nil {
		return atWriting(err)
	}
	a.warnMissing(lost)
	a.warnAbsent(g, in, "")
	return a.writeStats(eng.Stats())
}

// explainCopy prints the plan of a copy; no output is touched.
func (a *app) explainCopy(ctx context.Context, eng *sched.Engine, c *ndarray.Copying, mode string) error {
	outputs, drop, err := a.plannedOutputs(ctx, c.URI, c.Spec, c.Arrays, func(ctx context.Context, name string) ([]ndarray.Output, func() error, error) {
		trial := *c
		trial.URI = name
		w, err := trial.Create(ctx)
		if err != nil {
			return nil, nil, err
		}
		return w.Outputs, w.Abort, nil
	})
	if err != nil {
		return atOutput(err)
	}
	return errors.Join(a.explainOutputs(ctx, eng, outputs, mode), drop())
}

// explainUpdate prints the plan of a copy to an output that is there, or why it is refused; no value is written.
func (a *app) explainUpdate(ctx context.Context, eng *sched.Engine, c *ndarray.Copying, mode string) error {
	w, err := c.Create(ctx)
	if err != nil {
		return atOutput(err)
	}
	return errors.Join(a.explainOutputs(ctx, eng, w.Outputs, mode), w.Abort())
}

// explainOutputs prints the plan of outputs.
func (a *app) explainOutputs(ctx context.Context, eng *sched.Engine, outputs []ndarray.Output, mode string) error {
	p, err := eng.PlanOutputs(ctx, outputs)
	if err != nil {
		return at(exitUsage, err)
	}
	defer p.Close()
	if mode == "json" {
		b, err := p.ExplainJSON()
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(a.out, "%s\n", b)
		return err
	}
	_, err = fmt.Fprint(a.out, p.Explain())
	return err
}

// open opens a URI for the verbs that look at values as they are stored: URI#VAR leaves one variable or group.
func (a *app) open(ctx context.Context, uri string) (*formats.Group, error) {
	path, variable := splitURI(uri)
	g, err := all.Open(ctx, path)
	if err != nil {
		return nil, at(exitInput, err)
	}
	if variable == "" {
		return g, nil
	}
	one, err := onlyVariable(g, variable)
	if err != nil {
		closeGroup(g)
		return nil, at(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	return one, nil
}

// missing is how inputs with damaged chunks are read, nil where damage is an error.
func (a *app) missing() *formats.Missing {
	switch a.settings.text("missing") {
	case "nan":
		return &formats.Missing{}
	case "fill":
		return &formats.Missing{Zeros: true}
	}
	return nil
}

// warnLinks names the links of a group, and of those below it, behind which there is nothing.
func (a *app) warnLinks(g *formats.Group, uri, at string) {
	for _, l := range g.Links {
		fmt.Fprintf(a.err, "arrayrun: warning: %s: link %q leads to %q, where nothing is: there is nothing to read\n", uri, at+l.Name, l.Target)
	}
	for _, s := range g.Groups {
		a.warnLinks(s.Group, uri, at+s.Name+"/")
	}
}

// warnAbsent names the parts that variables of a group, and of those below it, are made of and that are not there.
func (a *app) warnAbsent(g *formats.Group, uri, at string) {
	for _, v := range g.Vars {
		src, ok := v.Source.(formats.PartedSource)
		if !ok {
			continue
		}
		if names := src.Absent(); len(names) > 0 {
			more := ""
			if len(names) > 3 {
				more, names = fmt.Sprintf(" and %d more", len(names)-3), names[:3]
			}
			fmt.Fprintf(a.err, "arrayrun: warning: %s: variable %q has the fill value where its parts %s%s would be: they are not there\n", uri, at+v.Name, strings.Join(names, ", "), more)
		}
	}
	for _, s := range g.Groups {
		a.warnAbsent(s.Group, uri, at+s.Name+"/")
	}
}

// warnMissing says which chunks were missing.
func (a *app) warnMissing(m *formats.Missing) {
	if m == nil {
		return
	}
	for _, text := range m.Report() {
		fmt.Fprintf(a.err, "arrayrun: warning: %s\n", text)
	}
}

// sameFile reports whether two paths are one file or folder, or one lies inside the other: an output must not replace what it is made from.
func sameFile(in, out string) bool {
	from, _ := splitURI(in)
	a, errA := all.Path(from)
	b, errB := all.Path(out)
	if errA != nil || errB != nil {
		return false
	}
	x, errA := os.Stat(a)
	y, errB := os.Stat(b)
	if errA == nil && errB == nil && os.SameFile(x, y) {
		return true
	}
	absA, errA := filepath.Abs(a)
	absB, errB := filepath.Abs(b)
	inside := func(x, y string) bool { return strings.HasPrefix(x, strings.TrimRight(y, "/")+"/") }
	return errA == nil && errB == nil && (inside(absA, absB) || inside(absB, absA))
}

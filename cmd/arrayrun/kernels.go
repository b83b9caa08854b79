// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/cuda"
	"github.com/arrayrun/arrayrun/cuda/driver"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/sched/plan"
)

func kernelsCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "kernels",
		Short: "look at the GPU kernels of an expression",
		Args:  cobra.ArbitraryArgs,
		RunE: func(c *cobra.Command, args []string) error {
			return usagef("kernels has one verb: arrayrun kernels dump EXPR [INPUT ...]")
		},
	}
	dump := &cobra.Command{
		Use:   "dump [flags] EXPR [INPUT ...]",
		Short: "print the CUDA C of an expression's stages, and what compiling them gives",
		Long: `Plans the expression as eval does and prints, for each stage, its program and the CUDA C that a GPU would run.
Nothing is computed and no GPU is needed. Where NVIDIA's run-time compiler is found the registers and spills of each kernel are told, and with --ptx its PTX.`,
		Example: "  arrayrun kernels dump 'mean(a*a, axis=0)' a=a.npy --arch 90",
		Args:    usageArgs(cobra.MinimumNArgs(1)),
		RunE:    func(c *cobra.Command, args []string) error { return a.dump(c, args) },
	}
	dump.Flags().Int("arch", 80, "architecture to compile for: 80 is sm_80")
	dump.Flags().Bool("ptx", false, "print the PTX too")
	addSettings(dump, "run")
	c.AddCommand(dump)
	return c
}

func (a *app) dump(c *cobra.Command, args []string) error {
	e := evaluation{expr: args[0], raw: a.settings.on("raw"), explain: "text"}
	for _, arg := range args[1:] {
		e.inputs = addInput(e.inputs, parseInput(arg))
	}
	eng, err := a.engine()
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	d := kernelDump{}
	d.arch, _ = c.Flags().GetInt("arch")
	d.ptx, _ = c.Flags().GetBool("ptx")
	if d.nvrtc, d.why = a.search().OpenNVRTC(); d.why == nil && !slices.Contains(d.nvrtc.Archs(), d.arch) {
		return usagef("kernels dump: --arch: NVRTC %v compiles for %v, got %d", d.nvrtc.Version(), d.nvrtc.Archs(), d.arch)
	}
	e.dump = &d
	r, err := a.evaluate(c.Context(), eng, e)
	if err != nil {
		return err
	}
	_, err = io.WriteString(a.out, r.text)
	return err
}

// kernelDump is how kernels are printed.
type kernelDump struct {
	arch  int
	ptx   bool
	nvrtc *driver.NVRTC
	why   error // why there is no NVRTC
}

// text returns the kernels of a plan's stages.
func (d *kernelDump) text(p *plan.Plan) (string, error) {
	var b strings.Builder
	if d.why != nil {
		fmt.Fprintf(&b, "// not compiled: %v\n", d.why)
	}
	for _, s := range p.Stages {
		fmt.Fprintf(&b, "// stage %d: %s\n", s.ID, p.StageName(s))
		if !s.Computes() {
			b.WriteString("// no kernel: nothing is computed\n\n")
		}
		for _, u := range s.Units() {
			if err := d.unit(&b, s, u); err != nil {
				return "", err
			}
		}
	}
	return b.String(), nil
}

// unit adds the kernels of a unit of a stage.
func (d *kernelDump) unit(b *strings.Builder, s *plan.Stage, u kernels.Unit) error {
	for line := range strings.Lines(strings.TrimSuffix(u.String(), "\n") + "\n") {
		b.WriteString("//   " + line)
	}
	groups := int64(1)
	for _, f := range s.Folds {
		groups = max(groups, f.Groups)
	}
	sources, err := cuda.Sources(u, s.Tiles.MaxChunk(), groups)
	if errors.Is(err, kernels.ErrUnsupported) {
		fmt.Fprintf(b, "// runs on the CPU: %v\n\n", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, src := range sources {
		if err := d.source(b, src); err != nil {
			return err
		}
	}
	return nil
}

func (d *kernelDump) source(b *strings.Builder, src *cuda.Source) error {
	fmt.Fprintf(b, "\n// %s\n%s", src.What, src.Text)
	if d.nvrtc == nil {
		return nil
	}
	out, resources, err := src.Compile(d.nvrtc, d.arch)
	if err != nil {
		return err
	}
	if resources == "" {
		resources = "the compiler does not tell what it uses"
	}
	fmt.Fprintf(b, "// sm_%d by NVRTC %v: %d bytes; %s\n", d.arch, d.nvrtc.Version(), len(out.Cubin), resources)
	if d.ptx {
		fmt.Fprintf(b, "\n%s\n", out.PTX)
	}
	return nil
}

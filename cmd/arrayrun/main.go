// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/formats/store"
)

// verbs is the table of what arrayrun can do, in the order of its help.
var verbs = []func(*app) *cobra.Command{
	evalCommand,
	infoCommand,
	verifyCommand,
	diffCommand,
	convertCommand,
	rechunkCommand,
	selectCommand,
	indexCommand,
	demoCommand,
	doctorCommand,
	selftestCommand,
	benchCommand,
	kernelsCommand,
	configCommand,
	versionCommand,
}

// app is one run of the program: its streams and its settings.
type app struct {
	in       io.Reader
	out, err io.Writer
	settings settings
}

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	sig := make(chan os.Signal, 1)
	signal.Notify(sig, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-sig
		cancel(errInterrupted)
		// What runs gets a moment to stop and to sweep its partial outputs. Outputs are
		// renamed into place only when complete, so leaving hard loses nothing.
		select {
		case <-sig:
		case <-time.After(graceTime):
		}
		store.Sweep()
		os.Exit(exitInterrupted)
	}()
	os.Exit(run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}

// graceTime is how long an interrupted run may take to stop by itself.
const graceTime = 800 * time.Millisecond

// run executes one command line and returns the exit code.
func run(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	a := &app{in: in, out: out, err: errw}
	root := &cobra.Command{
		Use:           "arrayrun",
		Short:         "compute with chunked N-dimensional arrays inside a memory budget",
		Version:       version,
		Args:          cobra.ArbitraryArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) == 0 {
				return c.Help()
			}
			return usagef("unknown verb %q; arrayrun --help lists them", args[0])
		},
		PersistentPreRunE: func(c *cobra.Command, _ []string) error {
			err := a.settings.resolve(c.Flags())
			codec.RefuseLibraries(a.settings.text("codecs") == "go")
			return err
		},
	}
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return usagef("%v; %s --help lists the flags", err, c.CommandPath())
	})
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	root.SetArgs(args)
	for _, v := range verbs {
		c := v(a)
		if c.Args != nil {
			c.Args = usageArgs(c.Args)
		}
		root.AddCommand(c)
	}
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitDone
	}
	code := exitCode(ctx, err)
	var quiet *quietError
	if !errors.As(err, &quiet) {
		fmt.Fprintf(errw, "arrayrun: %s\n", strings.TrimPrefix(err.Error(), "arrayrun: "))
	}
	return code
}

// usageArgs makes a wrong number of arguments a usage error.
func usageArgs(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return usagef("%s: %v; usage: %s", c.Name(), err, c.UseLine())
		}
		return nil
	}
}

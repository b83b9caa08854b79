// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

// version is the release; a build may set it with -ldflags "-X main.version=...".
var version = "0.1.0-dev"

func versionCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "version",
		Short: "print version, processor features and executor",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			commit := "unknown"
			if info, ok := debug.ReadBuildInfo(); ok {
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" {
						commit = s.Value
					}
				}
			}
			features := cpuFeatures()
			if asJSON, _ := c.Flags().GetBool("json"); asJSON {
				return a.printJSON(object{{"version", version}, {"commit", commit}, {"go", runtime.Version()},
					{"os", runtime.GOOS}, {"arch", runtime.GOARCH}, {"cpu", features}, {"executor", executor("auto")}})
			}
			_, err := fmt.Fprintf(a.out, "arrayrun %s (%s, %s %s/%s)\ncpu: %s\nexecutor: %s\n", version, commit,
				runtime.Version(), runtime.GOOS, runtime.GOARCH, strings.Join(features, " "), executor("auto"))
			return err
		},
	}
	c.Flags().Bool("json", false, "print one JSON document")
	return c
}

// printJSON writes v as one JSON document on stdout.
func (a *app) printJSON(v any) error {
	b, err := plainJSON(v)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(a.out, "%s\n", b)
	return err
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// setting is one flag: it can also be given as ARRAYRUN_<NAME> in the
// environment and as a key of the configuration file, in this order of strength.
type setting struct {
	name   string
	value  string // default; "true" or "false" makes it a switch
	help   string
	check  func(string) error // nil: anything
	groups string             // the groups of verbs that take it
}

// settingTable lists every setting that verbs share. Flags that belong to one call only
// (outputs, the expression's inputs) are declared by their verb.
var settingTable = []setting{
	{"memory", "", "host memory budget, such as 512MiB (default 60% of what is free)", checkBytes, "run read"},
	{"workers", "0", "tasks at once (default the number of processors)", checkCount, "run read"},
	{"device", "auto", "where to compute: auto, cpu, cuda or cuda:N", checkDevice, "run"},
	{"strict-gpu", "false", "fail where the GPU cannot do what was placed on it, instead of using the CPU", nil, "run"},
	{"cpu", "auto", "processor code: auto, avx512, avx2 or generic", oneOf("auto", "avx512", "avx2", "generic"), "run"},
	{"codecs", "auto", "code of codecs: auto (libdeflate and libzstd where the system has them) or go", oneOf("auto", "go"), "run read"},
	{"no-fuse", "false", "do not fuse operations into one sweep (slower, same results)", nil, "run"},
	{"no-rewrite", "false", "do not simplify the graph (slower, same results)", nil, "run"},
	{"missing", "error", "what damaged chunks of inputs become: error, nan (missing values) or fill (the fill value, where there is no missing value)", oneOf("error", "nan", "fill"), "values"},
	{"progress", "auto", "progress on stderr: auto, plain, json or none", oneOf("auto", "plain", "json", "none"), "run"},
	{"stats", "", "write one JSON object with times and bytes to this file", nil, "run"},
	{"overwrite", "false", "replace outputs that exist", nil, "run"},
	{"raw", "false", "values as stored: no mask, no scale, no time decoding", nil, "run read"},
	{"tmpdir", "", "folder for results that do not fit in memory (default beside the output)", nil, "run"},
	{"cache", "", "folder for what may be reused (default the user's cache folder)", nil, "run"},
	{"cuda-lib", "", "path of the CUDA driver library", nil, ""},
	{"nvrtc-lib", "", "path of the NVRTC library", nil, ""},
}

// settings holds the value of each setting of one run and where it came from.
type settings struct {
	values map[string]string
	from   map[string]string
	file   string // the configuration file that was read, or ""
}

func (s *settings) text(name string) string { return s.values[name] }
func (s *settings) on(name string) bool     { return s.values[name] == "true" }

// count returns a whole number that resolve has checked.
func (s *settings) count(name string) int {
	n, _ := strconv.Atoi(s.values[name])
	return n
}

// bytes returns a size that resolve has checked, and 0 for an empty one.
func (s *settings) bytes(name string) int64 {
	n, _ := parseBytes(s.values[name])
	return n
}

// addSettings declares the flags of a group of verbs.
func addSettings(c *cobra.Command, group string) {
	for _, s := range settingTable {
		if !strings.Contains(" "+s.groups+" ", " "+group+" ") {
			continue
		}
		if s.value == "false" {
			c.Flags().Bool(s.name, false, s.help)
		} else {
			c.Flags().String(s.name, s.value, s.help)
		}
	}
}

// envName is the environment variable of a setting.
func envName(name string) string {
	return "ARRAYRUN_" + strings.ToUpper(strings.ReplaceAll(name, "-", "_"))
}

// configPath returns the configuration file and whether the user named it.
func configPath() (path string, named bool) {
	if p := os.Getenv("ARRAYRUN_CONFIG"); p != "" {
		return p, true
	}
	dir, err := os.UserConfigDir()
	if err != nil {
		return "", false
	}
	return filepath.Join(dir, "arrayrun", "config.yaml"), false
}

// resolve finds the value of every setting: a flag beats the environment, which
// beats the configuration file, which beats the default.
func (s *settings) resolve(flags *pflag.FlagSet) error {
	v := viper.New()
	if path, named := configPath(); path != "" {
		if _, err := os.Stat(path); err == nil || named {
			v.SetConfigFile(path)
			if err := v.ReadInConfig(); err != nil {
				return usagef("configuration file %s: %v", path, err)
			}
			s.file = path
		}
	}
	s.values, s.from = map[string]string{}, map[string]string{}
	known := map[string]bool{}
	for _, row := range settingTable {
		known[row.name] = true
		value, from := row.value, "default"
		if v.InConfig(row.name) {
			value, from = v.GetString(row.name), s.file
		}
		if e, ok := os.LookupEnv(envName(row.name)); ok && e != "" {
			value, from = e, "environment "+envName(row.name)
		}
		if f := flags.Lookup(row.name); f != nil && f.Changed {
			value, from = f.Value.String(), "flag --"+row.name
		}
		if row.value == "false" {
			b, err := strconv.ParseBool(value)
			if err != nil {
				return usagef("%s (%s): got %q, want true or false", row.name, from, value)
			}
			value = strconv.FormatBool(b)
		}
		if row.check != nil {
			if err := row.check(value); err != nil {
				return usagef("--%s (%s): %v", row.name, from, err)
			}
		}
		s.values[row.name], s.from[row.name] = value, from
	}
	for _, k := range v.AllKeys() {
		if !known[k] {
			return usagef("configuration file %s: unknown key %q; arrayrun config lists them", s.file, k)
		}
	}
	return nil
}

func oneOf(allowed ...string) func(string) error {
	return func(x string) error {
		for _, a := range allowed {
			if x == a {
				return nil
			}
		}
		return fmt.Errorf("got %q, want one of %s", x, strings.Join(allowed, ", "))
	}
}

func checkCount(x string) error {
	if n, err := strconv.Atoi(x); err != nil || n < 0 || n > 1<<16 {
		return fmt.Errorf("got %q, want a whole number from 0 (automatic) to 65536", x)
	}
	return nil
}

func checkBytes(x string) error {
	_, err := parseBytes(x)
	return err
}

// byteUnits are the units of sizes, longest first. Decimal and binary ones differ by 7% at
// a gigabyte, so both are taken at their word; a single letter is binary, as in Go and in Slurm.
var byteUnits = []struct {
	name  string
	bytes float64
}{
	{"KIB", 1 << 10}, {"MIB", 1 << 20}, {"GIB", 1 << 30}, {"TIB", 1 << 40},
	{"KB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12},
	{"K", 1 << 10}, {"M", 1 << 20}, {"G", 1 << 30}, {"T", 1 << 40},
	{"B", 1}, {"", 1},
}

// parseBytes reads a size such as 512MiB, 1.5G, 2GB or 1048576; "" is 0, which means automatic.
func parseBytes(x string) (int64, error) {
	t := strings.ToUpper(strings.TrimSpace(x))
	if t == "" {
		return 0, nil
	}
	for _, u := range byteUnits {
		num, ok := strings.CutSuffix(t, u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(num), 64)
		if err != nil || !(n > 0) || n*u.bytes < 1 || n*u.bytes >= 1<<62 {
			break
		}
		return int64(n * u.bytes), nil
	}
	return 0, fmt.Errorf("got %q, want a size such as 512MiB, 1.5GB or 1048576", x)
}

// formatBytes prints a size as 1.5 GiB.
func formatBytes(n int64) string {
	const units = "KMGTPE"
	if n < 1<<10 {
		return fmt.Sprintf("%d B", n)
	}
	x, i := float64(n)/1024, 0
	for x >= 1023.95 && i < len(units)-1 {
		x, i = x/1024, i+1
	}
	return fmt.Sprintf("%.1f %ciB", x, units[i])
}

func configCommand(a *app) *cobra.Command {
	c := &cobra.Command{
		Use:   "config",
		Short: "print each setting with its value and where it came from",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			asJSON, _ := c.Flags().GetBool("json")
			return a.settings.print(a.out, asJSON)
		},
	}
	c.Flags().Bool("json", false, "print one JSON document")
	for _, group := range []string{"run", "values"} {
		addSettings(c, group)
	}
	return c
}

// print writes every setting, in the order of the table.
func (s *settings) print(w io.Writer, asJSON bool) error {
	if asJSON {
		doc := object{}
		for _, row := range settingTable {
			doc.set(row.name, object{{"value", s.values[row.name]}, {"from", s.from[row.name]}, {"env", envName(row.name)}})
		}
		path, _ := configPath()
		b, err := json.Marshal(object{{"file", path}, {"read", s.file != ""}, {"settings", doc}})
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(w, "%s\n", b)
		return err
	}
	path, _ := configPath()
	state := "not there"
	if s.file != "" {
		state = "read"
	}
	fmt.Fprintf(w, "# configuration file: %s (%s)\n", path, state)
	for _, row := range settingTable {
		value := s.values[row.name]
		if value == "" {
			value = `""`
		}
		if _, err := fmt.Fprintf(w, "%-12s %-10s # %s\n", row.name+":", value, s.from[row.name]); err != nil {
			return err
		}
	}
	_, err := fmt.Fprintf(w, "# processors: %d\n", runtime.NumCPU())
	return err
}

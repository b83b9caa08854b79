// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// arrayrun runs one command line in this process.
func arrayrun(t *testing.T, args ...string) (code int, out, errs string) {
	t.Helper()
	if os.Getenv("ARRAYRUN_CONFIG") == "" {
		t.Setenv("XDG_CONFIG_HOME", t.TempDir()) // not the user's own settings
	}
	var o, e bytes.Buffer
	code = run(context.Background(), args, strings.NewReader(""), &o, &e)
	return code, o.String(), e.String()
}

func TestParseBytes(t *testing.T) {
	for _, c := range []struct {
		in   string
		want int64
	}{
		{"", 0}, {"1048576", 1 << 20}, {"512MiB", 512 << 20}, {"512 mib", 512 << 20}, {"1.5G", 3 << 29}, {"2GB", 2e9},
		{"64k", 64 << 10}, {"1TiB", 1 << 40}, {"7B", 7},
	} {
		if got, err := parseBytes(c.in); got != c.want || err != nil {
			t.Errorf("parseBytes(%q) = %d, %v, want %d", c.in, got, err, c.want)
		}
	}
	for _, bad := range []string{"x", "MiB", "-1", "0", "1XB", "1e30GB", "NaN", "inf", "12 12"} {
		if got, err := parseBytes(bad); err == nil {
			t.Errorf("parseBytes(%q) = %d, want an error", bad, got)
		}
	}
}

func TestFormatBytes(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3 << 29: "1.5 GiB", 1<<20 - 1: "1.0 MiB", 1 << 62: "4.0 EiB"} {
		if got := formatBytes(n); got != want {
			t.Errorf("formatBytes(%d) = %q, want %q", n, got, want)
		}
	}
}

// TestSettings: a flag beats the environment, which beats the file, which beats the default.
func TestSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	if err := os.WriteFile(file, []byte("memory: 1GiB\nworkers: 3\nno-fuse: true\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	t.Setenv("ARRAYRUN_CONFIG", file)
	t.Setenv("ARRAYRUN_WORKERS", "5")
	t.Setenv("ARRAYRUN_NO_REWRITE", "1")
	code, out, errs := arrayrun(t, "config", "--json", "--cpu", "generic", "--workers", "7")
	if code != 0 {
		t.Fatalf("exit %d: %s", code, errs)
	}
	var doc struct {
		Settings map[string]struct{ Value, From, Env string }
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"memory": {"1GiB", file}, "workers": {"7", "flag --workers"}, "no-fuse": {"true", file},
		"no-rewrite": {"true", "environment ARRAYRUN_NO_REWRITE"}, "cpu": {"generic", "flag --cpu"}, "progress": {"auto", "default"},
	} {
		if got := doc.Settings[name]; got.Value != want[0] || got.From != want[1] || got.Env != envName(name) {
			t.Errorf("%s: got %+v, want %v", name, got, want)
		}
	}
	if _, out, _ := arrayrun(t, "config"); !strings.Contains(out, "workers:     5") || !strings.Contains(out, file) {
		t.Errorf("config prints\n%s", out)
	}
}

func TestBadSettings(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.yaml")
	for name, c := range map[string]struct {
		file, env string
		args      []string
		want      string
	}{
		"unknown key":   {file: "memroy: 1GiB\n", want: `unknown key "memroy"`},
		"bad file":      {file: ":\n\t- x", want: "configuration file"},
		"bad size":      {env: "12x", want: "environment ARRAYRUN_MEMORY"},
		"bad choice":    {args: []string{"--cpu", "fast"}, want: "want one of auto, avx512, avx2, generic"},
		"bad count":     {args: []string{"--workers", "-1"}, want: "--workers (flag --workers)"},
		"unknown flag":  {args: []string{"--fast"}, want: "unknown flag: --fast"},
		"extra operand": {args: []string{"x"}, want: "config"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := os.WriteFile(file, []byte(c.file), 0o644); err != nil {
				t.Fatal(err)
			}
			t.Setenv("ARRAYRUN_CONFIG", file)
			t.Setenv("ARRAYRUN_MEMORY", c.env)
			code, out, errs := arrayrun(t, append([]string{"config"}, c.args...)...)
			if code != exitUsage || !strings.Contains(errs, c.want) || out != "" {
				t.Errorf("exit %d, stdout %q, stderr %q, want exit 2 and %q", code, out, errs, c.want)
			}
		})
	}
	t.Setenv("ARRAYRUN_CONFIG", filepath.Join(t.TempDir(), "absent.yaml"))
	if code, _, _ := arrayrun(t, "config"); code != exitUsage {
		t.Errorf("a named file that is absent: exit %d, want 2", code)
	}
}

func TestVersion(t *testing.T) {
	code, out, _ := arrayrun(t, "version", "--json")
	var doc struct {
		Version, Commit, Go, Executor string
		CPU                           []string
	}
	if err := json.Unmarshal([]byte(out), &doc); err != nil || code != 0 || doc.Version == "" || doc.Commit == "" || doc.Go == "" || doc.Executor == "" || doc.CPU == nil {
		t.Errorf("exit %d, %v: %s", code, err, out)
	}
	if code, out, _ := arrayrun(t, "version"); code != 0 || !strings.HasPrefix(out, "arrayrun ") {
		t.Errorf("exit %d: %s", code, out)
	}
}

func TestUsage(t *testing.T) {
	for _, c := range []struct {
		args []string
		code int
	}{
		{nil, 0}, {[]string{"--help"}, 0}, {[]string{"frobnicate"}, 2}, {[]string{"info"}, 2}, {[]string{"--nope"}, 2},
	} {
		if code, _, errs := arrayrun(t, c.args...); code != c.code {
			t.Errorf("arrayrun %v: exit %d (%s), want %d", c.args, code, errs, c.code)
		}
	}
}

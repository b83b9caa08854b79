// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestBench: every group gives its measurements, in text and JSON; wrong words are refused.
func TestBench(t *testing.T) {
	code, out, errs := arrayrun(t, "bench", "--json", "--size", "5000", "--runs", "2")
	var got struct {
		Executor string
		Elements int64
		Results  []speed
	}
	if err := json.Unmarshal([]byte(out), &got); err != nil || code != exitDone {
		t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
	}
	groups := map[string]int{}
	for _, r := range got.Results {
		groups[r.Group]++
		if r.Bytes <= 0 || r.Best <= 0 || r.Seconds < r.Best {
			t.Errorf("%+v: want bytes, and a median not below the best", r)
		}
		if r.Group == "codecs" && strings.Contains(r.Name, "z") && r.Ratio < 1.2 {
			t.Errorf("%s: ratio %.2f of smooth numbers, want more than 1.2", r.Name, r.Ratio)
		}
	}
	for _, g := range benchGroups {
		if groups[g] < 3 {
			t.Errorf("%s: %d measurements, want at least 3", g, groups[g])
		}
	}
	if got.Elements != 5000 || got.Executor == "" {
		t.Errorf("got %d elements on %q, want 5000 and a name", got.Elements, got.Executor)
	}
	code, out, _ = arrayrun(t, "bench", "reductions", "--size", "100", "--runs", "1", "--workers", "1")
	if code != exitDone || !strings.Contains(out, "% of read") || strings.Contains(out, "codecs") {
		t.Errorf("exit code %d, got %q, want shares of read and no codecs", code, out)
	}
	for _, bad := range [][]string{{"bench", "nosuch"}, {"bench", "--size", "0"}, {"bench", "--runs", "0"}, {"bench", "--workers", "x"}} {
		if code, _, errs := arrayrun(t, bad...); code != exitUsage || errs == "" {
			t.Errorf("%v: exit code %d, %q, want %d and why", bad, code, errs, exitUsage)
		}
	}
}

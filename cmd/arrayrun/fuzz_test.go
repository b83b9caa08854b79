// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/json"
	"math"
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/cf"
)

// FuzzArguments: what people write on the command line is taken or refused, and what is taken means something.
func FuzzArguments(f *testing.F) {
	for _, s := range []string{"time=100,lat=-1", "100,-1", "a.nc#g/t?raw", "s3://bucket/key.zarr", "https://host/a%20b#v", "file:///a/b", "256MiB", "1.5G", "time=2001-03:2001-05", "lat=-30:30", "lev=850,500", "x=@0:10:2", "t=@-1",
		`{"id": "a", "expr": "x+1", "inputs": {"x": {"uri": ["a", "b"], "chunks": [1]}}, "outputs": {"y": "o.nc"}}`, "zip://a.zip!/b", "\x00=\xff", "=", ":", "@", "#"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if byName, steps, err := parseLengths("chunks", s); err == nil {
			for _, n := range byName {
				steps = append(steps, n)
			}
			for _, n := range steps {
				if n == 0 || n < -1 {
					t.Errorf("%q is a length of %d", s, n)
				}
			}
		}
		if n, err := parseBytes(s); err == nil && n < 0 {
			t.Errorf("%q is %d bytes", s, n)
		}
		if path, variable := splitURI(s); !strings.HasPrefix(s, path) || !strings.Contains(s, variable) {
			t.Errorf("%q is the path %q and the variable %q", s, path, variable)
		}
		if x, err := ndarray.ParseSelection(s); err == nil {
			_ = x.String()
		}
		if _, err := all.Path(s); err == nil {
			all.Remote(s)
			all.Writable(s)
			_, _ = all.Target(s, "") // any answer is right
		}
		_, _ = all.Target("x", s) // any answer is right
		var job batchJob
		_ = json.Unmarshal([]byte(s), &job) // any answer is right
	})
}

// FuzzTimes: units of time, numbers in them and labels of periods.
func FuzzTimes(f *testing.F) {
	f.Add("days since 2001-01-01", "noleap", "2001-03", 30.5)
	f.Add("hours since 1582-10-15 00:00:0.5 +1:30", "", "1582-10-04T12", -1e9)
	f.Add("months since 0-1-1", "360_day", "0000-02-30", 1e300)
	f.Add("microseconds since -4713-11-24T12:00:00Z", "julian", "-4713", math.Inf(1))
	f.Fuzz(func(t *testing.T, units, calendar, label string, x float64) {
		u, err := cf.ParseUnits(units, calendar)
		if err != nil {
			return
		}
		if at, ok := u.Instant(x); ok {
			if u.Date(at).Month < 1 || u.Date(at).Month > 12 {
				t.Errorf("%v %s (%s) is %+v", x, units, calendar, u.Date(at))
			}
			if back := u.Number(at); math.IsNaN(back) {
				t.Errorf("%v %s (%s) comes back as %v", x, units, calendar, back)
			}
		}
		_, _ = u.ParsePeriod(label) // any answer is right
	})
}

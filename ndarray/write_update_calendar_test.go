// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"strings"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
)

// Times of the standard and the proleptic Gregorian calendar are the same moments since 1582-10-15, and are appended to each other; earlier ones, and other calendars, are refused.
func TestAppendCalendars(t *testing.T) {
	eng := newEngine(t)
	with := func(units, calendar string, first float64) ndarray.Variable {
		v := days(0, 2, 20, 0, 1, 2)
		return v.WithCoord(coordinate("time", []float64{first, first + 1}, "units", units, "calendar", calendar))
	}
	for _, c := range []struct {
		units, calendar string
		first           float64
		part            string
	}{
		{"hours since 2000-01-01", "proleptic_gregorian", 6, ""},
		{"hours since 2000-01-01 00:00", "gregorian", 8, ""},
		{"days since 0001-01-01", "proleptic_gregorian", 730119.5, ""}, // an epoch before the reform
		{"hours since 1582-10-14", "proleptic_gregorian", 0, "before 1582-10-15"},
		{"hours since 2000-01-01", "noleap", 12, "calendar"},
	} {
		path := packedStore(t, "zarr3", 6)
		err := store(t, eng, ndarray.To(path, with(c.units, c.calendar, c.first), ndarray.AppendTo("time")))
		if c.part != "" {
			if err == nil || !strings.Contains(err.Error(), c.part) {
				t.Errorf("%s, %s: %v, want %q", c.units, c.calendar, err, c.part)
			}
			continue
		}
		if strings.HasPrefix(c.units, "days") { // steps of a day from noon on
			if err != nil {
				t.Errorf("%s, %s: %v", c.units, c.calendar, err)
				continue
			}
			if got := floats(t, eng, open(t, path, ndarray.Raw()).Var("time").Array()); !equal(got, []float64{0, 1, 2, 3, 4, 5, 12, 36}) {
				t.Errorf("%s, %s: times %v", c.units, c.calendar, got)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s, %s: %v", c.units, c.calendar, err)
			continue
		}
		if got := floats(t, eng, open(t, path, ndarray.Raw()).Var("time").Array()); !equal(got, []float64{0, 1, 2, 3, 4, 5, c.first, c.first + 1}) {
			t.Errorf("%s, %s: times %v", c.units, c.calendar, got)
		}
	}
}

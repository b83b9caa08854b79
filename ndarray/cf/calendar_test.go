// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"encoding/json"
	"os"
	"testing"
)

// golden is what testdata/calendars.py wrote.
type golden struct {
	Cases      [][5]json.RawMessage
	References [][3]json.RawMessage
}

func readGolden(t *testing.T) golden {
	t.Helper()
	b, err := os.ReadFile("testdata/calendars.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(b, &g); err != nil {
		t.Fatal(err)
	}
	return g
}

func decode[T any](t *testing.T, m json.RawMessage) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(m, &v); err != nil {
		t.Fatalf("%s: %v", m, err)
	}
	return v
}

func TestDatesEqualCftime(t *testing.T) {
	g := readGolden(t)
	bad := 0
	for _, c := range g.Cases {
		cal, units, kind := decode[string](t, c[0]), decode[string](t, c[1]), decode[string](t, c[2])
		want := decode[[10]int64](t, c[4])
		u, err := ParseUnits(units, cal)
		if err != nil {
			t.Errorf("ParseUnits(%q, %q): %v", units, cal, err)
			continue
		}
		var at Instant
		var ok bool
		if kind == "i" {
			at, ok = u.InstantOf(decode[int64](t, c[3]))
		} else {
			at, ok = u.Instant(decode[float64](t, c[3]))
		}
		d := u.Date(at)
		got := [10]int64{d.Year, int64(d.Month), int64(d.Day), int64(d.Hour), int64(d.Minute), int64(d.Second), int64(d.Micro), int64(d.DayOfYear), int64(d.DayOfWeek), int64(d.DaysInMonth)}
		if want[8] < 0 {
			got[8] = -1
		}
		if !ok || got != want {
			if bad++; bad < 20 {
				t.Errorf("%s %s of %q = %v (%v), want %v", cal, c[3], units, got, ok, want)
			}
		}
	}
	t.Logf("%d dates", len(g.Cases))
}

func TestReferenceDatesEqualXarray(t *testing.T) {
	for _, c := range readGolden(t).References {
		text, cal := decode[string](t, c[0]), decode[string](t, c[1])
		u, err := ParseUnits("days since "+text, cal)
		if string(c[2]) == "null" {
			if err == nil {
				t.Errorf("ParseUnits(%q, %s) = %v, want an error", text, cal, u.Date(u.base))
			}
			continue
		}
		want := decode[[7]int64](t, c[2])
		if err != nil {
			t.Errorf("ParseUnits(%q, %s): %v", text, cal, err)
			continue
		}
		d := u.Date(u.base)
		got := [7]int64{d.Year, int64(d.Month), int64(d.Day), int64(d.Hour), int64(d.Minute), int64(d.Second), int64(d.Micro)}
		if got != want {
			t.Errorf("ParseUnits(%q, %s) starts at %v, want %v", text, cal, got, want)
		}
	}
}

// TestDayNumbers checks that DateOf inverts Days over a span of years in every calendar.
func TestDayNumbers(t *testing.T) {
	for c := Standard; c <= Day360; c++ {
		prev := int64(0)
		for y := int64(-4); y < 8; y++ {
			for _, base := range []int64{0, 1580, 2000, -10000} {
				for m := 1; m <= 12; m++ {
					for d := 1; d <= c.DaysInMonth(base+y, m); d++ {
						n, err := c.Days(base+y, m, d)
						if err != nil {
							if c == Standard && base+y == 1582 && m == 10 {
								continue
							}
							t.Fatal(err)
						}
						if gy, gm, gd := c.DateOf(n); gy != base+y || gm != m || gd != d {
							t.Fatalf("%v: DateOf(%d) = %d-%d-%d, want %d-%d-%d", c, n, gy, gm, gd, base+y, m, d)
						}
						if (d > 1 || m > 1) && n != prev+1 {
							t.Fatalf("%v: day %d-%d-%d has number %d after %d", c, base+y, m, d, n, prev)
						}
						prev = n
					}
				}
			}
		}
	}
}

// TestNumbers checks that Number inverts InstantOf.
func TestNumbers(t *testing.T) {
	for _, text := range []string{"days since 2000-01-01", "hours since 0001-01-01", "seconds since 1970-01-01 06:00", "nanoseconds since 2000-01-01", "common_years since 2000-01-01"} {
		u, err := ParseUnits(text, "noleap")
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range []int64{0, 1, -1, 1000, -123456, 9000000} {
			if u.den != 1 {
				v *= 1000
			}
			at, _ := u.InstantOf(v)
			if got := u.Number(at); got != float64(v) {
				t.Errorf("%s: Number(InstantOf(%d)) = %v", text, v, got)
			}
		}
	}
}

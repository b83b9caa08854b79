// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Units are time units with their calendar, ready to turn numbers into dates.
type Units struct {
	Text     string // as written in the file
	Unit     string // "days", "hours", ...
	Calendar Calendar
	YearZero bool  // a year 0 lies between -1 and 1
	num, den int64 // microseconds of one unit are num/den
	base     Instant
}

// timeUnit is a unit's plural and its length in microseconds, num/den.
type timeUnit struct {
	name     string
	num, den int64
}

// unitSpellings lists the units; the spellings are cftime's and nanoseconds.
var unitSpellings = []struct {
	unit      timeUnit
	spellings string
}{
	{timeUnit{"nanoseconds", 1, 1000}, "nanosecond nanoseconds nanosec nanosecs ns"},
	{timeUnit{"microseconds", 1, 1}, "microsecond microseconds microsec microsecs"},
	{timeUnit{"milliseconds", 1000, 1}, "millisecond milliseconds millisec millisecs msec msecs ms"},
	{timeUnit{"seconds", 1000000, 1}, "second seconds sec secs s"},
	{timeUnit{"minutes", 60000000, 1}, "minute minutes min mins"},
	{timeUnit{"hours", 3600000000, 1}, "hour hours hr hrs h"},
	{timeUnit{"days", dayMicros, 1}, "day days d"},
}

// findUnit returns the unit with a spelling.
func findUnit(s string) (timeUnit, bool) {
	for _, r := range unitSpellings {
		if slices.Contains(strings.Fields(r.spellings), s) {
			return r.unit, true
		}
	}
	return timeUnit{}, false
}

// sinceRE splits "days since 2000-01-01".
var sinceRE = regexp.MustCompile(`(?is)^\s*(\S+)\s+since\s+(.*\S)\s*$`)

// IsTimeUnits reports whether text has the form "UNIT since DATE".
func IsTimeUnits(text string) bool { return sinceRE.MatchString(text) }

// ParseUnits reads "UNIT since DATE" in a calendar's name ("" is standard). Dates are read as xarray
// reads them: ISO 8601 with any part missing from the right, one-digit parts, a fraction, a zone; and in
// the Gregorian calendars free forms such as "Jan 1, 2000" or "1-JAN-2000 06:00". Months are a
// unit of the 360_day calendar only, common_years of noleap only. A reference year 0 gives the
// standard and julian calendars a year 0.
func ParseUnits(text, calendar string) (*Units, error) {
	cal, err := ParseCalendar(calendar)
	if err != nil {
		return nil, err
	}
	m := sinceRE.FindStringSubmatch(text)
	if m == nil {
		return nil, fmt.Errorf("ndarray/cf: read time units: %q does not have the form \"UNIT since DATE\"", text)
	}
	u := &Units{Text: text, Calendar: cal, YearZero: calendars[cal].yearZero}
	name := strings.ToLower(m[1])
	switch row, ok := findUnit(name); {
	case ok:
		u.Unit, u.num, u.den = row.name, row.num, row.den
	case (name == "month" || name == "months") && cal == Day360:
		u.Unit, u.num, u.den = "months", 30*dayMicros, 1
	case (name == "common_year" || name == "common_years") && cal == NoLeap:
		u.Unit, u.num, u.den = "common_years", 365*dayMicros, 1
	default:
		return nil, fmt.Errorf("ndarray/cf: read time units %q: got unit %q in the %v calendar, want days, hours, minutes, seconds, milli-, micro- or nanoseconds (months in 360_day, common_years in noleap)", text, m[1], cal)
	}
	d, ok := parseReference(m[2], cal)
	if !ok {
		return nil, fmt.Errorf("ndarray/cf: read time units %q: %q is not a date", text, m[2])
	}
	if d.year == 0 {
		u.YearZero = true
	}
	y, err := u.astronomicalYear(d.year)
	if err != nil {
		return nil, err
	}
	day, err := cal.Days(y, d.month, d.day)
	if err != nil {
		return nil, fmt.Errorf("%w (time units %q)", err, text)
	}
	us := ((d.hour*60+d.minute-d.zone)*60+d.second)*1000000 + d.micro
	shift := floorDiv(us, dayMicros)
	u.base = Instant{day + shift, us - shift*dayMicros}
	return u, nil
}

// refDate is a reference date as written; zone is minutes east of Greenwich.
type refDate struct {
	year                              int64
	month, day                        int
	hour, minute, second, micro, zone int64
}

// isoRE is cftime's idea of an ISO date: it may have one-digit parts, and parts missing
// from the right.
var isoRE = regexp.MustCompile(`^([+-]?[0-9]+)(?:-([0-9]{1,2})(?:-([0-9]{1,2})` +
	`(?:(?:.([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]+))?)?)?` +
	`(?:.?(Z|(?:[-+][0-9]{2}(?::[0-9]{2}|[0-9]{2})?)))?)?)?)?`)

// lateYearRE finds four digits that do not begin the text: "1-1-2000".
var lateYearRE = regexp.MustCompile(`^[0-9]{1,2}[-/. ].*[0-9]{4}`)

func parseReference(s string, cal Calendar) (refDate, bool) {
	s = strings.TrimSpace(s)
	m := isoRE.FindStringSubmatch(s)
	gregorian := cal == Standard || cal == ProlepticGregorian
	whole := m != nil && len(m[0]) == len(s)
	if whole && len(s) == 8 && m[2] == "" {
		whole = false // 20000101
	}
	if gregorian {
		if whole && !lateYearRE.MatchString(s) {
			return isoDate(m)
		}
		if d, ok := freeDate(s); ok {
			return d, true
		}
	}
	if m != nil && m[3] != "" {
		return isoDate(m) // as cftime: what follows the date is not looked at
	}
	return refDate{}, false
}

func isoDate(m []string) (refDate, bool) {
	d := refDate{month: 1, day: 1}
	var err error
	if d.year, err = strconv.ParseInt(m[1], 10, 40); err != nil {
		return d, false
	}
	num := func(s string, def int64) int64 {
		if s == "" {
			return def
		}
		n, _ := strconv.ParseInt(s, 10, 64)
		return n
	}
	d.month, d.day = int(num(m[2], 1)), int(num(m[3], 1))
	d.hour, d.minute, d.second = num(m[4], 0), num(m[5], 0), num(m[6], 0)
	d.micro = fraction(m[7])
	d.zone = zoneMinutes(m[8])
	return d, d.hour < 24 && d.minute < 60 && d.second < 60
}

// fraction returns the microseconds of the digits after a decimal point.
func fraction(digits string) int64 {
	if digits == "" {
		return 0
	}
	n, _ := strconv.ParseInt((digits + "000000")[:6], 10, 64)
	return n
}

// zoneMinutes reads Z, +01, +0130, +01:30.
func zoneMinutes(s string) int64 {
	if s == "" || s == "Z" || s == "z" {
		return 0
	}
	h, _ := strconv.ParseInt(s[1:3], 10, 64)
	rest := strings.TrimPrefix(s[3:], ":")
	mn, _ := strconv.ParseInt("0"+rest, 10, 64)
	n := h*60 + mn
	if s[0] == '-' {
		return -n
	}
	return n
}

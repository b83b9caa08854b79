// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"fmt"
	"strings"
)

// Calendar is a rule that numbers days. The zero value is no calendar.
type Calendar uint8

// The calendars of the CF conventions.
const (
	Standard           Calendar = iota + 1 // Julian until 1582-10-04, then Gregorian from 1582-10-15
	ProlepticGregorian                     // Gregorian in all years
	Julian                                 // a leap year every four years
	NoLeap                                 // 365 days a year
	AllLeap                                // 366 days a year
	Day360                                 // twelve months of 30 days
)

// calendars holds each calendar's rules: the day number of a date and the date of a day
// number (years astronomical: 0 comes between -1 and 1), and whether the calendar has a year 0
// when nobody says so.
var calendars = [...]struct {
	name     string
	yearZero bool
	days     func(y int64, m, d int) int64
	date     func(day int64) (y int64, m, d int)
}{
	Standard:           {"standard", false, standardDays, standardDate},
	ProlepticGregorian: {"proleptic_gregorian", true, gregorianDays, gregorianDate},
	Julian:             {"julian", false, julianDays, julianDate},
	NoLeap:             {"noleap", true, noLeapDays, noLeapDate},
	AllLeap:            {"all_leap", true, allLeapDays, allLeapDate},
	Day360:             {"360_day", true, day360Days, day360Date},
}

// calendarNames maps the names of the conventions to calendars.
var calendarNames = map[string]Calendar{
	"": Standard, "standard": Standard, "gregorian": Standard,
	"proleptic_gregorian": ProlepticGregorian, "julian": Julian,
	"noleap": NoLeap, "365_day": NoLeap, "all_leap": AllLeap, "366_day": AllLeap, "360_day": Day360,
}

// ParseCalendar returns the calendar with a CF name, in any case; "" is standard.
func ParseCalendar(name string) (Calendar, error) {
	if c, ok := calendarNames[strings.ToLower(strings.TrimSpace(name))]; ok {
		return c, nil
	}
	return 0, fmt.Errorf("ndarray/cf: calendar %q is not known; the calendars are standard, proleptic_gregorian, julian, noleap, all_leap and 360_day", name)
}

// String returns the calendar's CF name.
func (c Calendar) String() string {
	if c == 0 || int(c) >= len(calendars) {
		return fmt.Sprintf("calendar(%d)", uint8(c))
	}
	return calendars[c].name
}

// Days returns the number of the day with a date, counted from a fixed day of the
// calendar's own. y is astronomical (year 0 exists). A date that the calendar lacks is an error.
func (c Calendar) Days(y int64, m, d int) (int64, error) {
	if m < 1 || m > 12 || d < 1 || d > c.DaysInMonth(y, m) {
		return 0, fmt.Errorf("ndarray/cf: %04d-%02d-%02d is not a date of the %v calendar", y, m, d, c)
	}
	if c == Standard && y == 1582 && m == 10 && d > 4 && d < 15 {
		return 0, fmt.Errorf("ndarray/cf: %04d-%02d-%02d is not a date of the standard calendar: 1582-10-15 followed 1582-10-04", y, m, d)
	}
	return calendars[c].days(y, m, d), nil
}

// DateOf returns the date of a day number; the year is astronomical.
func (c Calendar) DateOf(day int64) (y int64, m, d int) { return calendars[c].date(day) }

// IsLeap reports whether the astronomical year y has 366 days.
func (c Calendar) IsLeap(y int64) bool {
	switch c {
	case NoLeap, Day360:
		return false
	case AllLeap:
		return true
	case Julian:
		return y%4 == 0
	case Standard:
		if y < 1582 {
			return y%4 == 0
		}
	}
	return y%4 == 0 && (y%100 != 0 || y%400 == 0)
}

// DaysInMonth returns the last day number of month m of the astronomical year y
// (31 for October 1582 of the standard calendar, although ten of its days are absent).
func (c Calendar) DaysInMonth(y int64, m int) int {
	if c == Day360 {
		return 30
	}
	if m == 2 && c.IsLeap(y) {
		return 29
	}
	return monthDays[m-1]
}

var (
	monthDays = [12]int{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31}
	// cumulative[leap][m-1] is the number of days before month m.
	cumulative = [2][13]int64{
		{0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365},
		{0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366},
	}
)

// reform is the number of 1582-10-15, the first Gregorian day (Julian day 2299161).
const reform = 2299161

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// gregorianDays and gregorianDate number days as Julian day numbers (at noon) do. Years are counted from
// March, so that the leap day is the last; 400 years have 146097 days.
func gregorianDays(y int64, m, d int) int64 {
	y, doy := fromMarch(y, m, d)
	era := floorDiv(y, 400)
	yoe := y - era*400
	return era*146097 + yoe*365 + yoe/4 - yoe/100 + doy + 1721120
}

func gregorianDate(day int64) (int64, int, int) {
	z := day - 1721120
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	return toJanuary(yoe+era*400, doy)
}

func julianDays(y int64, m, d int) int64 {
	y, doy := fromMarch(y, m, d)
	return y*365 + floorDiv(y, 4) + doy + 1721118
}

func julianDate(day int64) (int64, int, int) {
	z := day - 1721118
	era := floorDiv(z, 1461)
	doe := z - era*1461
	yoe := (doe - doe/1460) / 365
	return toJanuary(yoe+era*4, doe-365*yoe)
}

// fromMarch returns the year that begins in March and the day in it, from 0.
func fromMarch(y int64, m, d int) (int64, int64) {
	if m <= 2 {
		y--
		m += 12
	}
	return y, int64(153*(m-3)+2)/5 + int64(d) - 1
}

// toJanuary is fromMarch's inverse.
func toJanuary(y, doy int64) (int64, int, int) {
	mp := (5*doy + 2) / 153
	d := int(doy - (153*mp+2)/5 + 1)
	m := int(mp) + 3
	if m > 12 {
		return y + 1, m - 12, d
	}
	return y, m, d
}

func standardDays(y int64, m, d int) int64 {
	if y > 1582 || y == 1582 && (m > 10 || m == 10 && d >= 15) {
		return gregorianDays(y, m, d)
	}
	return julianDays(y, m, d)
}

func standardDate(day int64) (int64, int, int) {
	if day >= reform {
		return gregorianDate(day)
	}
	return julianDate(day)
}

func fixedDays(y int64, m, d, leap int) int64 {
	return y*(365+int64(leap)) + cumulative[leap][m-1] + int64(d) - 1
}

func fixedDate(day int64, leap int) (int64, int, int) {
	n := 365 + int64(leap)
	y := floorDiv(day, n)
	doy := day - y*n
	m := 1
	for cumulative[leap][m] <= doy {
		m++
	}
	return y, m, int(doy-cumulative[leap][m-1]) + 1
}

func noLeapDays(y int64, m, d int) int64      { return fixedDays(y, m, d, 0) }
func noLeapDate(day int64) (int64, int, int)  { return fixedDate(day, 0) }
func allLeapDays(y int64, m, d int) int64     { return fixedDays(y, m, d, 1) }
func allLeapDate(day int64) (int64, int, int) { return fixedDate(day, 1) }
func day360Days(y int64, m, d int) int64      { return y*360 + int64(m-1)*30 + int64(d) - 1 }
func day360Date(day int64) (y int64, m int, d int) {
	y = floorDiv(day, 360)
	doy := int(day - y*360)
	return y, doy/30 + 1, doy%30 + 1
}

// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// Resolution is how fine a date or an axis is.
type Resolution uint8

// The resolutions, coarse to fine.
const (
	ByYear Resolution = iota + 1
	ByMonth
	ByDay
	ByHour
	ByMinute
	BySecond
	ByMicrosecond
)

// Period is the half-open range of instants that a date as coarse as "2001-03" covers.
type Period struct {
	Lo, Hi     Instant
	Resolution Resolution
}

// periodRE is an ISO 8601 date with parts missing from the right; the compact form 20010301T0630 too.
var periodRE = regexp.MustCompile(`^([+-]?[0-9]{1,9})(?:-([0-9]{1,2})(?:-([0-9]{1,2})(?:[T ]([0-9]{1,2})(?::([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?)?Z?)?)?)?$`)

var compactPeriodRE = regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})(?:T([0-9]{2})(?:([0-9]{2})(?:([0-9]{2}))?)?)?$`)

// ParsePeriod reads a label of a time axis in u's calendar: "2001", "2001-03", "2001-03-01",
// "2001-03-01T06", "2001-03-01 06:30", with seconds and a fraction.
func (u *Units) ParsePeriod(text string) (Period, error) {
	s := strings.TrimSpace(text)
	m := periodRE.FindStringSubmatch(s)
	if c := compactPeriodRE.FindStringSubmatch(s); c != nil {
		m = append(c, "")
	}
	if m == nil {
		return Period{}, fmt.Errorf("ndarray/cf: %q is not a date: want \"2001\", \"2001-03\", \"2001-03-01\" or \"2001-03-01T06:30\"", text)
	}
	res := ByYear
	var part [7]int64
	part[1], part[2] = 1, 1
	for i := range 6 {
		if m[i+1] == "" {
			break
		}
		v, err := strconv.ParseInt(m[i+1], 10, 64)
		if err != nil {
			return Period{}, fmt.Errorf("ndarray/cf: %q is not a date: %w", text, err)
		}
		part[i], res = v, Resolution(i+1)
	}
	if m[7] != "" {
		part[6], res = fraction(m[7]), ByMicrosecond
	}
	if part[3] > 23 || part[4] > 59 || part[5] > 59 {
		return Period{}, fmt.Errorf("ndarray/cf: %q is not a date: there is no such time of day", text)
	}
	y, err := u.astronomicalYear(part[0])
	if err != nil {
		return Period{}, err
	}
	day, err := u.Calendar.Days(y, int(part[1]), int(part[2]))
	if err != nil {
		return Period{}, err
	}
	us := ((part[3]*60+part[4])*60+part[5])*1000000 + part[6]
	p := Period{Lo: Instant{day, us}, Resolution: res}
	switch res {
	case ByYear:
		p.Hi.Day = calendars[u.Calendar].days(y+1, 1, 1)
	case ByMonth:
		m := int(part[1]) + 1
		if m > 12 {
			y, m = y+1, 1
		}
		p.Hi.Day = calendars[u.Calendar].days(y, m, 1)
	case ByDay:
		p.Hi.Day = day + 1
	default:
		step := [...]int64{ByHour: 3600000000, ByMinute: 60000000, BySecond: 1000000, ByMicrosecond: 1}[res]
		p.Hi = Instant{day, us + step}
		if p.Hi.Micro >= dayMicros {
			p.Hi = Instant{day + 1, p.Hi.Micro - dayMicros}
		}
	}
	return p, nil
}

// ResolutionOf returns the coarsest resolution that tells the instants: ByDay when all are
// at midnight, and so on.
func ResolutionOf(times []Instant) Resolution {
	res := ByDay
	for _, t := range times {
		switch {
		case t.Micro == 0: // also a missing time
		case t.Micro%3600000000 == 0:
			res = max(res, ByHour)
		case t.Micro%60000000 == 0:
			res = max(res, ByMinute)
		case t.Micro%1000000 == 0:
			res = max(res, BySecond)
		default:
			return ByMicrosecond
		}
	}
	return res
}

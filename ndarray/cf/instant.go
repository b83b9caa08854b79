// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"cmp"
	"fmt"
	"math"
	"math/bits"
)

// dayMicros is the number of microseconds of a day.
const dayMicros = 86400 * 1000000

// Instant is a moment of a calendar: a day number and microseconds since that day's
// midnight, 0 <= Micro < 86400e6. Instants of one calendar compare.
type Instant struct{ Day, Micro int64 }

// Compare returns -1, 0 or 1 as t is before, at or after o.
func (t Instant) Compare(o Instant) int {
	if c := cmp.Compare(t.Day, o.Day); c != 0 {
		return c
	}
	return cmp.Compare(t.Micro, o.Micro)
}

// Before reports whether t is earlier than o.
func (t Instant) Before(o Instant) bool { return t.Compare(o) < 0 }

// Date is an instant read in a calendar. Year follows the units' rule for year 0.
type Date struct {
	Year                 int64
	Month, Day           int
	Hour, Minute, Second int
	Micro                int
	DayOfYear, DayOfWeek int // DayOfYear from 1; DayOfWeek 0 is Monday
	DaysInMonth          int
}

// Season returns the meteorological season of a month: 0 for DJF, 1 MAM, 2 JJA, 3 SON.
func Season(month int) int { return month % 12 / 3 }

// SeasonNames holds the names of the seasons, indexed by Season.
var SeasonNames = [4]string{"DJF", "MAM", "JJA", "SON"}

// String prints the date as 2000-01-31T06:00:00, with a fraction when there is one.
func (d Date) String() string {
	s := fmt.Sprintf("%04d-%02d-%02dT%02d:%02d:%02d", d.Year, d.Month, d.Day, d.Hour, d.Minute, d.Second)
	if d.Micro != 0 {
		s += fmt.Sprintf(".%06d", d.Micro)
	}
	return s
}

// Date returns the date at an instant of u's calendar.
func (u *Units) Date(t Instant) Date {
	y, m, d := u.Calendar.DateOf(t.Day)
	leap := 0
	if u.Calendar.IsLeap(y) {
		leap = 1
	}
	doy := int(cumulative[leap][m-1]) + d // October 1582 counts its absent days, as cftime does
	if u.Calendar == Day360 {
		doy = (m-1)*30 + d
	}
	date := Date{
		Month: m, Day: d, DayOfYear: doy, DaysInMonth: u.Calendar.DaysInMonth(y, m),
		Micro:  int(t.Micro % 1000000),
		Second: int(t.Micro / 1000000 % 60),
		Minute: int(t.Micro / 60000000 % 60),
		Hour:   int(t.Micro / 3600000000),
	}
	date.DayOfWeek = u.Calendar.dayOfWeek(t.Day)
	date.Year = u.civilYear(y)
	return date
}

// dayOfWeek returns 0 for Monday: days count from one, as Julian day numbers do. For the calendars nobody
// lived by, the week is cftime's.
func (c Calendar) dayOfWeek(day int64) int { return int(day - floorDiv(day, 7)*7) }

// civilYear turns an astronomical year into the year people write.
func (u *Units) civilYear(y int64) int64 {
	if !u.YearZero && y <= 0 {
		return y - 1
	}
	return y
}

// astronomicalYear is civilYear's inverse; year 0 is an error where there is none.
func (u *Units) astronomicalYear(y int64) (int64, error) {
	if u.YearZero || y > 0 {
		return y, nil
	}
	if y == 0 {
		return 0, fmt.Errorf("ndarray/cf: there is no year 0 in the %v calendar of %q", u.Calendar, u.Text)
	}
	return y + 1, nil
}

// Instant returns the moment a number of u means, rounded to a microsecond as cftime
// rounds. ok is false for NaN, infinities and what lies beyond any day number.
func (u *Units) Instant(v float64) (Instant, bool) {
	if math.IsNaN(v) || math.IsInf(v, 0) {
		return Instant{}, false
	}
	f := float64(u.num)
	if u.den != 1 {
		v /= float64(u.den)
	}
	// The exact product is hi + lo.
	hi := v * f
	if math.Abs(hi) >= 1<<62 {
		day := math.Floor(hi / dayMicros)
		if math.Abs(day) >= 1<<52 {
			return Instant{}, false
		}
		rest := math.FMA(-day, dayMicros, hi)
		return u.add(int64(day), int64(rest)), true
	}
	lo := math.FMA(v, f, -hi)
	r := math.RoundToEven(hi)
	frac := (hi - r) + lo
	whole := math.RoundToEven(frac) // the product's own rounding may exceed 1
	us := int64(r) + int64(whole)
	frac -= whole
	// One microsecond beside a full second is the rounding of the number, cftime holds.
	if u.num > 1000 {
		switch m := us - floorDiv(us, 1000000)*1000000; {
		case m == 1 && frac < 0:
			us--
		case m == 999999 && frac > 0:
			us++
		}
	}
	day := floorDiv(us, dayMicros)
	return u.add(day, us-day*dayMicros), true
}

// InstantOf returns the moment an integer number of u means.
func (u *Units) InstantOf(v int64) (Instant, bool) {
	if u.den != 1 {
		// Nanoseconds: round half to even, as floats do.
		q := floorDiv(v, u.den)
		r := v - q*u.den
		if 2*r > u.den || 2*r == u.den && q&1 == 1 {
			q++
		}
		v = q
	}
	neg := v < 0
	a := uint64(v)
	if neg {
		a = -a
	}
	hi, lo := bits.Mul64(a, uint64(u.num))
	if hi >= dayMicros {
		return Instant{}, false
	}
	q, r := bits.Div64(hi, lo, dayMicros)
	if q >= 1<<60 {
		return Instant{}, false
	}
	day, us := int64(q), int64(r)
	if neg {
		day, us = -day, -us
		if us < 0 {
			day--
			us += dayMicros
		}
	}
	return u.add(day, us), true
}

// add returns the base plus days and microseconds (within a day).
func (u *Units) add(day, us int64) Instant {
	us += u.base.Micro
	day += u.base.Day
	if us >= dayMicros {
		us -= dayMicros
		day++
	}
	return Instant{day, us}
}

// Number returns the number of u that means t: exact where u's unit divides the distance
// from its base, else the nearest float64.
func (u *Units) Number(t Instant) float64 {
	days := t.Day - u.base.Day
	us := t.Micro - u.base.Micro
	if days > 1<<26 || days < -1<<26 { // microseconds would not fit
		return (float64(days)*dayMicros + float64(us)) * float64(u.den) / float64(u.num)
	}
	us += days * dayMicros
	whole := floorDiv(us, u.num)
	rest := float64(us - whole*u.num)
	n := float64(u.num)
	part := rest / n
	// The sum rounds once more: what both roundings lost is added, or a time of days and seconds is a nanosecond off.
	sum := float64(whole) + part
	lost := float64(whole) - sum + part + math.FMA(-part, n, rest)/n
	return float64(sum+lost) * float64(u.den)
}

// Rebase returns how numbers of u become numbers of to, units of one calendar: x*scale + offset.
func (u *Units) Rebase(to *Units) (scale, offset float64) {
	scale = float64(u.num) * float64(to.den) / (float64(u.den) * float64(to.num))
	return scale, to.Number(u.base)
}

// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Frequency is a period by which times are resampled, spelt as pandas 3 spells it: "MS", "QS-DEC", "YE", "W-MON", "10D", "6h".
// The zero value is none; ParseFrequency makes one.
type Frequency struct {
	text   string
	n      int64 // periods in a step
	months int64 // months of a period, 0 for others
	end    bool  // a period of months is named by its last day
	weekly bool
	anchor int64 // month, from 0, that a period of months is named by; day of the week, from Monday
	micros int64 // of a period of fixed length
}

// frequencyUnits are the letters of frequencies, without what may follow after "-".
var frequencyUnits = map[string]Frequency{
	"MS": {months: 1}, "ME": {months: 1, end: true},
	"QS": {months: 3}, "QE": {months: 3, end: true, anchor: 11},
	"YS": {months: 12}, "YE": {months: 12, end: true, anchor: 11},
	"W": {weekly: true, anchor: 6},
	"D": {micros: dayMicros}, "h": {micros: 3600000000}, "min": {micros: 60000000},
	"s": {micros: 1000000}, "ms": {micros: 1000}, "us": {micros: 1},
}

// oldFrequencies are the spellings that pandas 3 has given up, with what to write.
var oldFrequencies = map[string]string{
	"M": `"ME" (ends of months) or "MS" (starts of months)`, "Q": `"QE" or "QS"`, "Y": `"YE" or "YS"`, "A": `"YE" or "YS"`,
	"AS": `"YS"`, "H": `"h"`, "T": `"min"`, "S": `"s"`, "L": `"ms"`, "U": `"us"`, "d": `"D"`, "w": `"W"`,
}

var (
	frequencyRE = regexp.MustCompile(`^([0-9]*)([A-Za-z]+)(?:-([A-Za-z]+))?$`)
	monthAbbr   = strings.Fields("JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC")
	weekAbbr    = strings.Fields("MON TUE WED THU FRI SAT SUN")
)

const knownFrequencies = "want MS, ME, QS, QE, YS, YE, W, D, h, min or s, with a number before it (\"3h\"), a month or a day of the week after it (\"QS-DEC\", \"W-MON\")"

// ParseFrequency reads a frequency. A spelling that pandas 3 has given up (M, Y, H ...) is an error that names the new one.
func ParseFrequency(text string) (Frequency, error) {
	m := frequencyRE.FindStringSubmatch(text)
	if m == nil {
		return Frequency{}, fmt.Errorf("ndarray/cf: %q is not a frequency: %s", text, knownFrequencies)
	}
	f, ok := frequencyUnits[m[2]]
	if !ok {
		if now, old := oldFrequencies[m[2]]; old {
			return Frequency{}, fmt.Errorf("ndarray/cf: frequency %q: %q is spelt otherwise now: write %s", text, m[2], now)
		}
		return Frequency{}, fmt.Errorf("ndarray/cf: %q is not a frequency: %s", text, knownFrequencies)
	}
	f.text, f.n = text, 1
	if m[1] != "" {
		n, err := strconv.ParseInt(m[1], 10, 32)
		if err != nil || n < 1 {
			return Frequency{}, fmt.Errorf("ndarray/cf: frequency %q: got %s periods, want 1 to %d", text, m[1], 1<<31-1)
		}
		f.n = n
	}
	if f.micros > 0 {
		f.micros *= f.n
		if f.micros/f.n > dayMicros || f.micros > maxSpan*dayMicros {
			return Frequency{}, fmt.Errorf("ndarray/cf: frequency %q is longer than %d days", text, maxSpan)
		}
	}
	if m[3] != "" {
		names := monthAbbr
		if f.weekly {
			names = weekAbbr
		}
		k := slices.Index(names, m[3])
		if k < 0 || f.months == 1 || f.months == 0 && !f.weekly {
			return Frequency{}, fmt.Errorf("ndarray/cf: frequency %q: %q cannot follow %q: %s", text, m[3], m[2], knownFrequencies)
		}
		f.anchor = int64(k)
	}
	return f, nil
}

// maxSpan is the longest period of fixed length and the longest time axis of one, in days: microseconds stay within 63 bits.
const maxSpan = 50000000

// String returns the frequency as it was written.
func (f Frequency) String() string { return f.text }

// Micros returns the length of a period of fixed length in microseconds, 0 for months and weeks that are named by a day.
func (f Frequency) Micros() int64 { return f.n * f.micros }

// names reports whether periods are named by their last day, so that they are closed and labelled on the right unless said otherwise.
func (f Frequency) namedByEnd() bool { return f.end || f.weekly }

// before returns the number of the last day that names a period, at or before a day, and whether it is that day.
func (f Frequency) before(c Calendar, day int64) (k int64, on bool) {
	if f.weekly {
		k = floorDiv(day-f.anchor, 7)
		return k, k*7+f.anchor == day
	}
	y, m, _ := c.DateOf(day)
	k = floorDiv(y*12+int64(m)-1-f.anchor, f.months)
	if at := f.day(c, k); at > day {
		return k - 1, false
	} else {
		return k, at == day
	}
}

// day returns the day that names period k.
func (f Frequency) day(c Calendar, k int64) int64 {
	if f.weekly {
		return k*7 + f.anchor
	}
	month := k*f.months + f.anchor
	y := floorDiv(month, 12)
	m := int(month-y*12) + 1
	d := 1
	if f.end {
		d = c.DaysInMonth(y, m)
	}
	return calendars[c].days(y, m, d)
}

// BinOptions say how Bins cuts. The zero value is pandas' default.
type BinOptions struct {
	Closed string // "left" or "right": the side that belongs to a bin. "": right for ME, QE, YE and W, else left
	Label  string // "left" or "right": the side a bin is labelled by. "": as Closed
	Origin string // where bins of fixed length begin: "start_day" (the default), "start", "epoch", "end", "end_day" or a date
	Offset string // what is added to the origin: "6h"
}

// Bins are consecutive periods: bin i lies between Edges[i] and Edges[i+1] and is called Labels[i].
type Bins struct {
	Edges, Labels []Instant
	Right         bool // bins hold their right edge and not their left one, but the first holds both
}

// MaxBins is the largest number of bins that a frequency may make.
const MaxBins = 1 << 22

// Bins returns the bins of the frequency that hold every time from first to last, in u's calendar: those of pandas 3
// for Gregorian times, which are xarray's for all other calendars. Some may hold no time.
func (u *Units) Bins(f Frequency, first, last Instant, o BinOptions) (Bins, error) {
	side := map[bool]string{false: "left", true: "right"}[f.namedByEnd() || o.Origin == "end" || o.Origin == "end_day"]
	for _, s := range []struct {
		name string
		at   *string
	}{{"closed", &o.Closed}, {"label", &o.Label}} {
		switch *s.at {
		case "left", "right":
		case "":
			*s.at = side
		default:
			return Bins{}, fmt.Errorf("ndarray/cf: resample: %s: got %q, want \"left\" or \"right\"", s.name, *s.at)
		}
	}
	right := o.Closed == "right"
	var starts []Instant
	var err error
	if f.micros > 0 {
		starts, err = u.fixedEdges(f, first, last, right, o)
	} else if o.Origin != "" && o.Origin != "start_day" || o.Offset != "" {
		err = fmt.Errorf("ndarray/cf: resample: origin and offset move bins of fixed length (D, h, min, s); they have no effect on %q", f.text)
	} else {
		starts, err = f.namedEdges(u.Calendar, first, last, right)
	}
	if err != nil {
		return Bins{}, err
	}
	b := Bins{Edges: starts, Labels: starts[:len(starts)-1], Right: right}
	if o.Label == "right" {
		b.Labels = starts[1:]
	}
	if f.namedByEnd() {
		if right { // the whole last day belongs to its period
			b.Edges = make([]Instant, len(starts))
			for i, t := range starts {
				b.Edges[i] = Instant{t.Day, dayMicros - 1}
			}
		}
		if n := len(b.Edges); n > 2 && last.Before(b.Edges[n-2]) {
			b.Edges = b.Edges[:n-1]
			b.Labels = b.Labels[:n-2]
		}
	}
	if n := len(b.Edges); first.Before(b.Edges[0]) || b.Edges[n-1].Before(last) || !right && last == b.Edges[n-1] {
		return Bins{}, fmt.Errorf("ndarray/cf: resample: %v to %v is not inside the bins of %q closed on the %s, which go from %v to %v",
			u.Date(first), u.Date(last), f.text, o.Closed, u.Date(b.Edges[0]), u.Date(b.Edges[n-1]))
	}
	return b, nil
}

// namedEdges returns the days that begin and end bins of months or weeks.
func (f Frequency) namedEdges(c Calendar, first, last Instant, right bool) ([]Instant, error) {
	from, on := f.before(c, first.Day)
	if right {
		from -= f.n
		if !on {
			from++
		}
	}
	to, _ := f.before(c, last.Day)
	to += f.n
	n := (to-from)/f.n + 1
	if n > MaxBins {
		return nil, tooMany(f, n)
	}
	out := make([]Instant, n)
	for i := range out {
		out[i] = Instant{Day: f.day(c, from+int64(i)*f.n)}
	}
	return out, nil
}

func tooMany(f Frequency, n int64) error {
	return fmt.Errorf("ndarray/cf: resample: %q makes %d bins of this axis, want at most %d; choose a longer period", f.text, n-1, MaxBins)
}

// fixedEdges returns the edges of bins of one length.
func (u *Units) fixedEdges(f Frequency, first, last Instant, right bool, o BinOptions) ([]Instant, error) {
	if last.Day-first.Day > maxSpan {
		return nil, fmt.Errorf("ndarray/cf: resample: the axis is %d days long, want at most %d", last.Day-first.Day, maxSpan)
	}
	day := first.Day // all counting is in microseconds from its midnight
	lo, hi := first.Micro, (last.Day-day)*dayMicros+last.Micro
	step := f.micros
	origin := int64(0)
	switch o.Origin {
	case "", "start_day":
	case "start":
		origin = lo
	case "end", "end_day":
		end := hi
		if o.Origin == "end_day" && last.Micro > 0 {
			end += dayMicros - last.Micro
		}
		times := floorDiv(end-lo, step)
		if !right {
			times++
		}
		lo = end - times*step
		origin = lo
	default:
		text := o.Origin
		if text == "epoch" {
			text = "1970-01-01"
		}
		p, err := u.ParsePeriod(text)
		if err != nil {
			return nil, fmt.Errorf("ndarray/cf: resample: origin: %w; or one of start_day, start, epoch, end, end_day", err)
		}
		// A whole number of steps nearer, so that microseconds do not overflow.
		if d := p.Lo.Day - day; d < -maxSpan || d > maxSpan {
			return nil, fmt.Errorf("ndarray/cf: resample: origin %q is more than %d days from %v", o.Origin, maxSpan, u.Date(first))
		}
		origin = (p.Lo.Day-day)*dayMicros + p.Lo.Micro
	}
	if o.Offset != "" {
		sign, text := int64(1), o.Offset
		if rest, ok := strings.CutPrefix(text, "-"); ok {
			sign, text = -1, rest
		}
		by, err := ParseFrequency(text)
		if err != nil || by.micros == 0 {
			return nil, fmt.Errorf("ndarray/cf: resample: offset: got %q, want a time such as \"6h\" or \"-1D\"", o.Offset)
		}
		origin += sign * (by.micros % step)
	}
	mod := func(x int64) int64 { return x - floorDiv(x, step)*step }
	over, rest := mod(lo-origin), mod(hi-origin)
	from, to := lo-over, hi
	if right && over == 0 {
		from -= step
	}
	if rest > 0 || !right {
		to += step - rest
	}
	n := (to-from)/step + 1
	if n > MaxBins {
		return nil, tooMany(f, n)
	}
	out := make([]Instant, n)
	for i := range out {
		us := from + int64(i)*step
		d := floorDiv(us, dayMicros)
		out[i] = Instant{day + d, us - d*dayMicros}
	}
	return out, nil
}

// Find returns the bin of each time; times ascend and lie in the bins.
func (b Bins) Find(times []Instant) []int32 {
	out := make([]int32, len(times))
	k := int32(0)
	for i, t := range times {
		for edge := b.Edges[k+1]; edge.Before(t) || !b.Right && edge == t; edge = b.Edges[k+1] {
			k++
		}
		out[i] = k
	}
	return out
}

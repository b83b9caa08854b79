// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"regexp"
	"strconv"
	"strings"
)

// freeToken matches a piece of a date in free form: a time of day, a zone, a number or a word.
var freeToken = regexp.MustCompile(`(?i)^(?:` +
	`([0-9]{1,2}):([0-9]{1,2})(?::([0-9]{1,2})(?:\.([0-9]*))?)?` + // 1-4 time
	`|([+-][0-9]{2}:?(?:[0-9]{2})?)` + // 5 zone
	`|([0-9]+)` + // 6 number
	`|([a-z]+\.?)` + // 7 word
	`|([\s,/.\-]+))`) // 8 separators

var monthNames = [12]string{"january", "february", "march", "april", "may", "june",
	"july", "august", "september", "october", "november", "december"}

// freeWords are words that say nothing.
var freeWords = map[string]bool{"of": true, "at": true, "the": true, "on": true, "st": true, "nd": true, "rd": true, "th": true, "t": true,
	"mon": true, "monday": true, "tue": true, "tuesday": true, "wed": true, "wednesday": true, "thu": true, "thursday": true,
	"fri": true, "friday": true, "sat": true, "saturday": true, "sun": true, "sunday": true}

// freeDate reads a date with a four-digit year in any usual order, as pandas does: a month's name
// decides, else month before day unless the first number exceeds 12.
func freeDate(s string) (refDate, bool) {
	d := refDate{month: 1, day: 1}
	var nums []string
	month, hasTime, year := 0, false, false
	if m := compactRE.FindStringSubmatch(s); m != nil {
		s = m[1] + "-" + m[2] + "-" + m[3] + " "
		if m[4] != "" {
			s += m[4] + ":" + m[5] + ":" + m[6]
		}
	}
	for rest := s; rest != ""; {
		m := freeToken.FindStringSubmatch(rest)
		if m == nil {
			return d, false
		}
		before := rest
		rest = rest[len(m[0]):]
		switch {
		case m[1] != "":
			if hasTime {
				return d, false
			}
			hasTime = true
			d.hour, d.minute = atoi(m[1]), atoi(m[2])
			d.second, d.micro = atoi(m[3]), fraction(m[4])
		case m[5] != "" && hasTime:
			d.zone = zoneMinutes(m[5])
		case m[5] != "": // a sign that is a separator: 2000-01-01
			m = freeToken.FindStringSubmatch(before[1:])
			if m == nil || m[6] == "" || before[0] == '+' {
				return d, false
			}
			nums = append(nums, m[6])
			rest = before[1+len(m[0]):]
		case m[6] != "":
			nums = append(nums, m[6])
		case m[7] != "":
			w := strings.ToLower(strings.TrimSuffix(m[7], "."))
			switch {
			case freeWords[w], (w == "z" || w == "utc" || w == "gmt") && hasTime:
			case (w == "am" || w == "pm"):
				if !hasTime {
					if len(nums) == 0 {
						return d, false
					}
					d.hour, hasTime = atoi(nums[len(nums)-1]), true
					nums = nums[:len(nums)-1]
				}
				if d.hour > 12 {
					return d, false
				}
				d.hour %= 12
				if w == "pm" {
					d.hour += 12
				}
			default:
				k := monthNumber(w)
				if k == 0 || month != 0 {
					return d, false
				}
				month = k
			}
		}
	}
	var small []int
	for _, n := range nums {
		switch v := atoi(n); {
		case len(n) >= 4 && !year:
			d.year, year = v, true
		case len(n) <= 2 && v > 0 || len(n) <= 2 && hasLateHour(len(small), month):
			small = append(small, int(v))
		default:
			return d, false
		}
	}
	if !year {
		return d, false
	}
	// A number left over after the date is the hour: 2000-01-01 12.
	want := 2
	if month != 0 {
		want = 1
	}
	if len(small) == want+1 && !hasTime {
		d.hour = int64(small[want])
		small = small[:want]
	}
	if len(small) > want {
		return d, false
	}
	yearFirst := len(nums) > 0 && len(nums[0]) >= 4
	switch {
	case month != 0:
		d.month = month
		if len(small) == 1 {
			d.day = small[0]
		}
	case len(small) == 1:
		d.month = small[0]
	case len(small) == 2:
		d.month, d.day = small[0], small[1]
		if d.month > 12 && !yearFirst {
			d.month, d.day = d.day, d.month
		}
	}
	return d, d.hour < 24 && d.minute < 60 && d.second < 60
}

// hasLateHour reports whether a number after n others may be an hour (and so 0).
func hasLateHour(n, month int) bool { return n == 2 || n == 1 && month != 0 }

// compactRE matches 20000101 and 20000101T060000.
var compactRE = regexp.MustCompile(`^([0-9]{4})([0-9]{2})([0-9]{2})(?:[T ]?([0-9]{2})([0-9]{2})([0-9]{2}))?$`)

func atoi(s string) int64 {
	n, _ := strconv.ParseInt(s, 10, 64)
	return n
}

// monthNumber returns 1 to 12 for an English month's name or a prefix of three letters or more, else 0.
func monthNumber(w string) int {
	if len(w) < 3 {
		return 0
	}
	for i, n := range monthNames {
		if strings.HasPrefix(n, w) {
			return i + 1
		}
	}
	return 0
}

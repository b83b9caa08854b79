// SPDX-License-Identifier: BSD-3-Clause

// Package cf knows the Climate and Forecast conventions as far as values go: what a stored number
// means.
//
// # Nouns
//
// A Calendar counts days: standard (Julian until 1582-10-04, Gregorian from 1582-10-15),
// proleptic_gregorian, julian, noleap, all_leap and 360_day, in any year. Units are a
// parsed "days since 2000-01-01" with its calendar; they turn numbers into Instants and back. A Frequency ("QS-DEC", "10D") cuts
// Instants into Bins.
// A Coding says how a variable is packed: which stored values mean missing, the dtype it
// decodes to, its scale and offset. Decode puts those decisions on an array as ordinary
// graph nodes, so that the planner fuses them with whatever follows; nothing is computed here.
//
// # Example
//
//	u, err := cf.ParseUnits("days since 2000-01-01", "noleap")
//	t, ok := u.Instant(59.5)    // 2000-03-01 12:00
//	d := u.Date(t)              // d.Month == 3
//
// # What it must not know
//
// Names and dimensions (package ndarray), files (formats), devices. Calendars are plain Go on
// host values: coordinates are small, and what they say is needed while a graph is built.
//
// # Adding
//
// A calendar is one row of the table in calendar.go with its two functions; a coder is a decision
// in coding.go and its nodes in decode.go, with a row in the tests' decode table.
package cf

// SPDX-License-Identifier: BSD-3-Clause

package cf

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestNumberIsNearest compares with exact fractions: a number that is one rounding off reads back as a nanosecond beside
// the hour. Two of a thousand may be the other neighbour.
func TestNumberIsNearest(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 9))
	for _, text := range []string{"days since 2000-01-01", "hours since 1850-01-01 06:30", "minutes since 1970-01-01", "seconds since 1900-01-01", "days since 0001-01-01"} {
		u, err := ParseUnits(text, "proleptic_gregorian")
		if err != nil {
			t.Fatal(err)
		}
		off := 0
		for range 2000 {
			i := Instant{u.base.Day + r.Int64N(200000) - 100000, r.Int64N(86400) * 1000000}
			exact := big.NewRat((i.Day-u.base.Day)*dayMicros+i.Micro-u.base.Micro, u.num)
			want, _ := exact.Float64()
			if u.Number(i) != want {
				off++
			}
			scale, offset := u.Rebase(u)
			if scale != 1 || offset != 0 {
				t.Fatalf("%s rebased to itself: scale %v, offset %v", text, scale, offset)
			}
		}
		if off > 4 {
			t.Errorf("%s: %d of 2000 numbers are not the nearest", text, off)
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package kernels

import (
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

// TestTables compares the tables with what they are said to hold, and logPair's parts of an octave with what it needs of them: z/c - 1 is exact and small.
func TestTables(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	at := func(table int32, i uint64) float64 { return math.Float64frombits(tables[table][i]) }
	for i := range uint64(tableSize) {
		inv, log, rest := at(tableInverse, i), at(tableLog, i), at(tableLogRest, i)
		if want := -math.Log(inv); math.Abs(log-want) > 0x1p-43 || math.Abs(log+rest-want) > 0x1p-53 || log != math.RoundToEven(log*0x1p42)*0x1p-42 {
			t.Errorf("log of part %d: got %v + %v, want %v, the first of 42 places", i, log, rest, want)
		}
		if got, want := math.Float64frombits(tables[tablePower][i]+oneBits), math.Exp2(float64(i)/tableSize); math.Abs(got-want) > 0x1p-52 {
			t.Errorf("2^(%d/16): got %v, want %v", i, got, want)
		}
		for range 10_000 {
			u := uint64(oneBits) - 1<<47 + i<<48 + r.Uint64N(1<<48)
			z := math.Float64frombits(u)
			d := math.FMA(z, inv, -1)
			exact := new(big.Float).SetPrec(200).Mul(big.NewFloat(z), big.NewFloat(inv))
			exact.Sub(exact, big.NewFloat(1))
			if exact.Cmp(big.NewFloat(d)) != 0 || math.Abs(d) > 0.0342 {
				t.Fatalf("part %d: %v * %v - 1 = %v, want it exact and within 0.0342", i, z, inv, d)
			}
		}
	}
}

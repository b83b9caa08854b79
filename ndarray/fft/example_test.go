// SPDX-License-Identifier: BSD-3-Clause

package fft_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/fft"
	"github.com/arrayrun/arrayrun/sched"
)

// The strongest period of a series: two years of days with a yearly wave.
func ExampleRFFT() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	days := make([]float64, 730)
	for i := range days {
		days[i] = 280 + 10*math.Cos(2*math.Pi*float64(i)/365)
	}
	series := ndarray.FromSlice(days)
	power := fft.RFFT(series.Sub(series.Mean()), 0, 0, fft.Backward).Abs()
	strongest := power.Equal(power.Max()) // as lazy as the rest
	period := ndarray.Where(strongest, 1/730., 0.).Mul(ndarray.Arange(0, 366, 1, 0)).Sum()
	v, err := ndarray.Values[float64](context.Background(), eng, period)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.0f days\n", 1/v[0])
	// Output: 365 days
}

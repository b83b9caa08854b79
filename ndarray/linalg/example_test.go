// SPDX-License-Identifier: BSD-3-Clause

package linalg_test

import (
	"context"
	"fmt"
	"log"
	"math"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/linalg"
	"github.com/arrayrun/arrayrun/sched"
)

// The leading pattern of a field and its share of the variance: an EOF.
func ExampleSVD() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	field := make([]float64, 1000*4) // 1000 times, 4 places that swing together
	for i := range field {
		field[i] = math.Sin(float64(i/4)) * float64(1+i%4)
	}
	x := ndarray.FromSlice(field, 1000, 4)
	_, s, _ := linalg.SVD(x.Sub(x.Mean(0)), false)
	share := s.Square().Div(s.Square().Sum())
	v, err := ndarray.Values[float64](context.Background(), eng, share)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.3f\n", v[0])
	// Output: 1.000
}

// One system of equations.
func ExampleSolve() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	a := ndarray.FromSlice([]float64{2, 1, 1, 3}, 2, 2)
	x := linalg.Solve(a, ndarray.FromSlice([]float64{4, 7}))
	v, err := ndarray.Values[float64](context.Background(), eng, x)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(v)
	// Output: [1 2]
}

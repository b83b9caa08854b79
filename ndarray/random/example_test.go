// SPDX-License-Identifier: BSD-3-Clause

package random_test

import (
	"context"
	"fmt"
	"log"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/random"
	"github.com/arrayrun/arrayrun/sched"
)

// A field of noise of 30 GiB, of which one row is made: it is the row that the whole field has.
func ExampleGenerator() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		log.Fatal(err)
	}
	defer eng.Close()
	g := random.New(42)
	field := g.Random(chunk.Shape{3650, 721, 1440}, dtype.Float64)
	row, err := ndarray.Values[float64](context.Background(), eng, field.Index(ndarray.At(0), ndarray.At(0), ndarray.Span(0, 3)))
	if err != nil {
		log.Fatal(err)
	}
	dice, err := ndarray.Values[int8](context.Background(), eng, g.Integers(1, 7, chunk.Shape{10}, dtype.Int8))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%.4f\n", row)
	fmt.Println(len(dice), min(dice[0], dice[1]) >= 1, max(dice[0], dice[1]) <= 6)
	// Output:
	// [0.0861 0.1416 0.2701]
	// 10 true true
}

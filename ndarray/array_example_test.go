// SPDX-License-Identifier: BSD-3-Clause

package ndarray_test

import (
	"context"
	"fmt"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// stop ends an example that cannot go on.
func stop(err error) {
	if err != nil {
		panic(err)
	}
}

// Arrays are built without computing; an engine computes what is asked for.
func ExampleArray() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	stop(err)
	defer eng.Close()
	a := ndarray.FromSlice([]float32{1, 2, 3, 4, 5, 6}, 2, 3)
	b := a.Mul(2).Sub(a.Mean(0)) // rows against their mean
	fmt.Println(b)
	v, err := ndarray.Values[float32](context.Background(), eng, b)
	fmt.Println(v, err)
	// Output:
	// float32[2 3]
	// [-0.5 0.5 1.5 5.5 6.5 7.5] <nil>
}

// Errors travel in the value, with the line that made them.
func ExampleArray_Err() {
	a := ndarray.FromSlice(make([]int8, 6), 2, 3)
	b := a.Add(ndarray.FromSlice(make([]int8, 4))).Sum(0).Sqrt()
	fmt.Println(b.Err())
	// Output:
	// ndarray: add: shapes [2 3] and [4] do not broadcast: axis 1 is 3 and 4; slice or expand one of them (array_example_test.go:38)
}

// An index has one entry for each axis; lists select along their own axis.
func ExampleArray_Index() {
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	stop(err)
	defer eng.Close()
	a := ndarray.Arange(0, 12, 1, 0).Reshape(3, 4)
	b := a.Index(ndarray.Reversed(), ndarray.Take([]int64{3, 0})) // a[::-1, [3, 0]]
	v, err := ndarray.Values[int64](context.Background(), eng, b)
	fmt.Println(b, v, err)
	// Output:
	// int64[3 2] [11 8 7 4 3 0] <nil>
}

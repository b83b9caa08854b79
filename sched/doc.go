// SPDX-License-Identifier: BSD-3-Clause

// Package sched decides when and where: it runs plans inside a memory budget.
//
// The nouns: an Engine owns a pool of memory, a device and a budget; a Plan is
// what it decided to do for some outputs; a Job is a running plan; an Observer gets its Events.
//
//	eng, err := sched.New(sched.Options{Memory: 1 << 30})
//	defer eng.Close()
//	err = eng.Store(ctx, ndarray.To("mean.nc", ds.Var("t2m").Mean("time")))
//
// # The life of a task
//
// A stage of a plan is a loop cut into tiles; a task is one tile. It is
// admitted when its whole bill fits the budget beside everything that runs and is held,
// in the order of the tiles, so that what is begun is finished before more is read. It reads the
// regions its leaves need (read.go), runs one fused program over them, cell by cell where it
// folds (task.go, fold.go), writes whole chunks of outputs, and hands partials of folds to
// the merger of their kept tile, which joins them in the order of the fold and not of arrival
// (merge.go). Twice as many tasks are in flight as compute, so that reading and computing overlap.
//
// The first error wins: it cancels the tasks in flight, no further one begins, and it is returned with
// the stage's name in front. Nothing is left behind: blocks are released, goroutines have ended.
//
// What sched must not know: formats, labels, text. A new executor is a file here.
package sched

// SPDX-License-Identifier: BSD-3-Clause

// Package plan turns an array graph into stages of tasks that fit a memory budget.
//
// The nouns: a Stage is one sweep over a loop; its Body is everything fused into it, one
// kernels.Program with Leaves as inputs; an AxisMap says how a leaf follows the loop; a Fold
// sweeps Cells; a Part is computed inside a task; Tiles cut the loop into Tasks, which are numbered and never listed.
//
//	p, err := plan.Build(ctx, outs, plan.Options{Device: dev, Budget: 128 << 20, Workers: 2})
//	for _, s := range p.Stages {
//		for i := range s.Len() { s.Task(i, &task) }
//	}
//
// # How a graph is cut
//
// A fold ends a stage: its result is needed whole before anything is made of it. Folds and outputs
// that need the same folds before them stand on one level; those of a level that share a loop and an
// input become one stage, so that the input is read once. Everything between the loads and a stage's
// results is one program: selections, permutations and broadcasts become AxisMaps. What is not fused is computed
// into a buffer inside the task: joined arrays, Go functions, and operands that the loop repeats many times.
//
// # How tiles are chosen
//
// A tile holds whole fold cells and whole chunks of outputs; beyond that it follows the
// chunks of the inputs. It grows from the last axis on until a task's bill is a few MiB, and shrinks until
// twice as many tasks as workers fit. A tile that has to be large, because chunks of outputs are, is computed in
// Steps. A source that would be decoded more than once is kept, decoded, when it fits beside the rest; else tiles are
// widened to what costs the least decoding. Results of folds
// that do not fit beside what needs them are spilled, the largest first: written to disk part by part, as outputs are, and read
// as sources are. So is a stored array whose chunks would be decoded many times for parts of them. A stage whose smallest tile does not fit even so is refused with what would.
//
// Planning costs time and memory in the number of operations, never in the number of chunks.
// The package does not know files or how tasks are run.
package plan

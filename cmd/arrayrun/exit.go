// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/dtype"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/kernels"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// The exit codes; scripts rely on them.
const (
	exitDone        = 0
	exitFailed      = 1   // differences, failed checks, failed jobs of a batch
	exitUsage       = 2   // wrong usage or a wrong expression
	exitInput       = 3   // an input that is absent, damaged or of no known format
	exitBudget      = 4   // the plan does not fit the memory budget
	exitRunning     = 5   // a failure while running
	exitInterrupted = 130 // as a shell reports SIGINT
)

// errInterrupted is the cause of a context cancelled by a signal.
var errInterrupted = errors.New("interrupted")

// codedError carries the exit code of the step in which err came up. What err
// wraps may know better, see exitCode.
type codedError struct {
	code  int
	err   error
	final bool // whatever err wraps
}

func (e *codedError) Error() string { return e.err.Error() }
func (e *codedError) Unwrap() error { return e.err }

// quietError has been reported already; only its code counts.
type quietError struct{ code int }

func (e *quietError) Error() string { return fmt.Sprintf("exit code %d", e.code) }

func usagef(format string, args ...any) error {
	return &codedError{exitUsage, fmt.Errorf(format, args...), false}
}

// at marks err as having come up in a step whose failures have the code; nil stays nil.
func at(code int, err error) error {
	if err == nil {
		return nil
	}
	return &codedError{code, err, false}
}

// atOutput marks err as having come up while outputs were laid out or created:
// the system's refusals (no folder, no space, no permission) are failures, not bad
// inputs; everything else is what the user asked for, such as an ending no format has.
func atOutput(err error) error {
	if err == nil {
		return nil
	}
	var path *fs.PathError
	var link *os.LinkError
	if !errors.Is(err, formats.ErrExists) && (errors.As(err, &path) || errors.As(err, &link)) {
		return &codedError{exitRunning, err, true}
	}
	return &codedError{exitUsage, err, false}
}

// atWriting marks err as having come up while an output was completed, whatever it wraps: that a folder has gone
// is not an absent input.
func atWriting(err error) error {
	if err == nil {
		return nil
	}
	return &codedError{exitRunning, err, true}
}

// atExpression marks err as having come up while an expression was built: most are the user's, but an input whose
// damage shows only when a variable is used is an input that is wrong.
func atExpression(err error) error {
	if err == nil {
		return nil
	}
	for _, e := range []error{formats.ErrFormat, formats.ErrCorrupt, fs.ErrNotExist, fs.ErrPermission} {
		if errors.Is(err, e) {
			return &codedError{exitInput, err, true}
		}
	}
	var path *fs.PathError
	if errors.As(err, &path) {
		return &codedError{exitInput, err, true}
	}
	return &codedError{exitUsage, err, false}
}

// sentinels decide the code of an error that wraps one of them, wherever it came up.
var sentinels = []struct {
	err  error
	code int
}{
	{sched.ErrBudget, exitBudget},
	{ndarray.ErrLabels, exitBudget},
	{formats.ErrCorrupt, exitInput},
	{formats.ErrExists, exitUsage},
	{formats.ErrFormat, exitInput},
	{chunk.ErrShape, exitUsage},
	{dtype.ErrPromote, exitUsage},
	{kernels.ErrUnsupported, exitUsage},
	{fs.ErrNotExist, exitInput},
	{fs.ErrPermission, exitInput},
}

// exitCode returns the exit code for err. A usage error stays one whatever it
// wraps; other errors go by their sentinel, then by the step they came up in.
func exitCode(ctx context.Context, err error) int {
	if err == nil {
		return exitDone
	}
	if errors.Is(context.Cause(ctx), errInterrupted) {
		return exitInterrupted
	}
	var quiet *quietError
	if errors.As(err, &quiet) {
		return quiet.code
	}
	var coded *codedError
	has := errors.As(err, &coded)
	if has && coded.final {
		return coded.code
	}
	if has && coded.code == exitUsage && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, sched.ErrBudget) && !errors.Is(err, ndarray.ErrLabels) {
		return exitUsage
	}
	for _, s := range sentinels {
		if errors.Is(err, s.err) {
			return s.code
		}
	}
	if has {
		return coded.code
	}
	return exitRunning
}

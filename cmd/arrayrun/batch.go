// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/sched"
)

// batchJob is one line of a jobs file.
type batchJob struct {
	ID     string                `json:"id"`
	Expr   string                `json:"expr"`
	Inputs map[string]batchInput `json:"inputs"`
	// Outputs maps names to URIs. One output takes the expression's result whatever it is called.
	Outputs map[string]string `json:"outputs"`
}

type batchInput struct {
	URI    uriList `json:"uri"`
	Chunks []int64 `json:"chunks"`
	Raw    bool    `json:"raw"`
}

// uriList is a URI or a list of them.
type uriList []string

// UnmarshalJSON reads "a.nc" and ["a.nc", "b.nc"].
func (u *uriList) UnmarshalJSON(b []byte) error {
	if bytes.HasPrefix(bytes.TrimSpace(b), []byte("[")) {
		return json.Unmarshal(b, (*[]string)(u))
	}
	var one string
	if err := json.Unmarshal(b, &one); err != nil {
		return err
	}
	*u = uriList{one}
	return nil
}

// maxJobLine bounds one line of a jobs file.
const maxJobLine = 64 << 20

// batch runs every job of a file in one engine and prints a line for each. A
// failed job does not stop the others.
func (a *app) batch(ctx context.Context, path string, template evaluation) error {
	in := a.in
	dir := "."
	if path != "-" {
		f, err := os.Open(path)
		if err != nil {
			return at(exitInput, err)
		}
		defer f.Close()
		in, dir = f, filepath.Dir(path)
	}
	eng, err := a.engine()
	if err != nil {
		return at(exitUsage, err)
	}
	defer closeEngine(eng, a.err)
	failed := 0
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxJobLine)
	out := bufio.NewWriter(a.out)
	defer out.Flush()
	for n := 1; lines.Scan(); n++ {
		line := bytes.TrimSpace(lines.Bytes())
		if len(line) == 0 {
			continue
		}
		answer, ok := a.runJob(ctx, eng, line, n, dir, template)
		if context.Cause(ctx) != nil {
			return context.Cause(ctx)
		}
		if !ok {
			failed++
		}
		b, err := plainJSON(answer)
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(out, "%s\n", b); err != nil {
			return err
		}
		// Whoever drives a batch reads answers as they come.
		if err := out.Flush(); err != nil {
			return err
		}
	}
	if err := lines.Err(); err != nil {
		return at(exitInput, fmt.Errorf("%s: %w", path, err))
	}
	if err := a.writeStats(eng.Stats()); err != nil {
		return err
	}
	if failed > 0 {
		return &quietError{exitFailed}
	}
	return nil
}

// runJob runs one job and returns its answer.
func (a *app) runJob(ctx context.Context, eng *sched.Engine, line []byte, n int, dir string, template evaluation) (answer object, ok bool) {
	start := time.Now()
	var job batchJob
	e := template
	err := json.Unmarshal(line, &job)
	if err != nil {
		job.ID = fmt.Sprintf("line %d", n)
		err = usagef("line %d is not a job: %v", n, err)
	} else {
		e, err = job.evaluation(template, dir)
	}
	var r *evaluated
	if err == nil {
		r, err = a.guarded(ctx, eng, e)
	}
	seconds := number(time.Since(start).Seconds())
	if err != nil {
		return object{{"id", job.ID}, {"ok", false}, {"code", exitCode(ctx, err)}, {"error", err.Error()}, {"seconds", seconds}}, false
	}
	shape, dt := r.describe()
	answer = object{{"id", job.ID}, {"ok", true}, {"shape", intsJSON(shape)}, {"dtype", dt}, {"seconds", seconds}}
	if r.text != "" {
		answer.set("text", r.text)
	}
	return answer, true
}

// guarded is evaluate, with a broken invariant of ours turned into the failure
// of one job: the others still have their answers.
func (a *app) guarded(ctx context.Context, eng *sched.Engine, e evaluation) (r *evaluated, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = at(exitRunning, fmt.Errorf("internal error: %v; please report this expression", p))
			fmt.Fprintf(a.err, "arrayrun: internal error: %v\n%s", p, debug.Stack())
		}
	}()
	return a.evaluate(ctx, eng, e)
}

// evaluation turns a job into what eval does, its relative URIs relative to dir.
func (j batchJob) evaluation(e evaluation, dir string) (evaluation, error) {
	if strings.TrimSpace(j.Expr) == "" {
		return e, usagef("job %q has no expr", j.ID)
	}
	e.expr = j.Expr
	e.inputs, e.outputs = nil, nil
	for _, name := range sortedKeys(j.Inputs) {
		in := j.Inputs[name]
		if len(in.URI) == 0 {
			return e, usagef("job %q: input %q has no uri", j.ID, name)
		}
		x := input{name: name, chunks: in.Chunks, raw: in.Raw}
		for _, u := range in.URI {
			x.uris = append(x.uris, under(dir, u))
		}
		e.inputs = append(e.inputs, x)
	}
	for _, name := range sortedKeys(j.Outputs) {
		o := output{name: name, uri: under(dir, j.Outputs[name]), lone: len(j.Outputs) == 1}
		if parent := filepath.Dir(strings.TrimRight(o.uri, "/")); o.uri != "-" && !strings.Contains(o.uri, "://") {
			if err := os.MkdirAll(parent, 0o777); err != nil {
				return e, at(exitRunning, err)
			}
		}
		e.outputs = append(e.outputs, o)
	}
	return e, nil
}

// under makes a relative path relative to dir; URLs and "-" stay.
func under(dir, uri string) string {
	if uri == "-" || filepath.IsAbs(uri) || strings.Contains(uri, "://") {
		return uri
	}
	return filepath.Join(dir, uri)
}

func sortedKeys[T any](m map[string]T) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// closeEngine closes the engine; that blocks were left behind is a bug of ours, said on stderr.
func closeEngine(e *sched.Engine, w io.Writer) {
	if err := e.Close(); err != nil && !errors.Is(err, context.Canceled) {
		fmt.Fprintf(w, "arrayrun: %v\n", err)
	}
}

// describe returns the shape and dtype of the expression's result, for the answer of a job.
func (r *evaluated) describe() (chunk.Shape, string) {
	if len(r.results) == 0 {
		return nil, ""
	}
	return r.results[0].shape, r.results[0].dtype
}

// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/chunk/mem"
	"github.com/arrayrun/arrayrun/formats/codec"
	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/ndarray/expr"
	"github.com/arrayrun/arrayrun/sched"
)

func main() {
	codec.RefuseLibraries(os.Getenv("ARRAYRUN_CODECS") == "go")
	d := &driver{pool: mem.NewPool(), env: expr.Env{}}
	if err := d.limit(8<<30, runtime.GOMAXPROCS(0)); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
	if err := d.serve(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
		os.Exit(1)
	}
}

// driver holds what the lines before have made.
type driver struct {
	pool    *mem.Pool
	eng     *sched.Engine
	env     expr.Env
	held    []*chunk.Chunk // arrays that were loaded
	files   []*ndarray.Dataset
	outputs []ndarray.Output
}

// serve answers lines until the input ends.
func (d *driver) serve(in io.Reader, out io.Writer) error {
	defer d.close()
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		answer, err := d.do(context.Background(), strings.Split(lines.Text(), "\t"))
		if err != nil {
			answer = "error " + strings.ReplaceAll(err.Error(), "\n", " ")
		} else {
			answer = strings.TrimSuffix("ok "+answer, " ")
		}
		if _, err := fmt.Fprintln(out, answer); err != nil {
			return err
		}
	}
	return lines.Err()
}

// words says how many words follow each verb.
var words = map[string]int{"load": 2, "open": 2, "prepare": 1, "run": 0, "save": 2, "plan": 0, "drop": 0, "limit": 2}

func (d *driver) do(ctx context.Context, w []string) (string, error) {
	verb, args := w[0], w[1:]
	if n, ok := words[verb]; !ok || n != len(args) {
		return "", fmt.Errorf("got %q, want a verb of %v and its number of words", w, words)
	}
	switch verb {
	case "load":
		return d.load(ctx, args[0], args[1])
	case "open":
		return d.open(ctx, args[0], args[1])
	case "prepare":
		return d.prepare(args[0])
	case "run":
		start, cpu := time.Now(), processorSeconds()
		err := d.eng.Run(ctx, d.outputs)
		return fmt.Sprintf("%.9f %.6f", time.Since(start).Seconds(), processorSeconds()-cpu), err
	case "save":
		return d.save(args[0], args[1])
	case "plan":
		return d.plan(ctx)
	case "drop":
		d.drop()
		return "", nil
	}
	bytes, err := strconv.ParseInt(args[0], 10, 64)
	if err != nil {
		return "", err
	}
	workers, err := strconv.Atoi(args[1])
	if err != nil {
		return "", err
	}
	return "", d.limit(bytes, workers)
}

// limit makes the engine.
func (d *driver) limit(bytes int64, workers int) error {
	eng, err := sched.New(sched.Options{Memory: bytes, Workers: workers, CPU: os.Getenv("ARRAYRUN_CPU")})
	if err != nil {
		return err
	}
	if d.eng != nil {
		if err := d.eng.Close(); err != nil {
			return err
		}
	}
	d.eng = eng
	return nil
}

// load reads a file into a block of the pool, whose pages are as large as the system has them.
func (d *driver) load(ctx context.Context, name, path string) (string, error) {
	ds, err := ndarray.Open(ctx, path)
	if err != nil {
		return "", err
	}
	defer ds.Close()
	v, ok := ds.Main()
	if !ok {
		return "", fmt.Errorf("%s holds more than one array", path)
	}
	c, err := d.memory(v.Array())
	if err != nil {
		return "", err
	}
	d.held = append(d.held, c)
	if err := d.eng.Run(ctx, []ndarray.Output{{Array: v.Array(), Name: name, Into: c}}); err != nil {
		return "", err
	}
	a := ndarray.FromChunk(c, nil)
	d.env[name] = a
	return fmt.Sprintf("%s %v", a.DType(), a.Shape()), a.Err()
}

// open names the array of a file, which every run reads again.
func (d *driver) open(ctx context.Context, name, path string) (string, error) {
	ds, err := ndarray.Open(ctx, path)
	if err != nil {
		return "", err
	}
	d.files = append(d.files, ds)
	v, ok := ds.Main()
	if !ok {
		return "", fmt.Errorf("%s holds more than one array", path)
	}
	a := v.Array()
	d.env[name] = a
	return fmt.Sprintf("%s %v", a.DType(), a.Shape()), a.Err()
}

// memory returns room for the elements of a.
func (d *driver) memory(a ndarray.Array) (*chunk.Chunk, error) {
	if err := a.Err(); err != nil {
		return nil, err
	}
	return chunk.New(d.pool, a.DType(), a.Node().ItemBytes, a.Shape())
}

// prepare sets the outputs of an expression: what it names, or its value.
func (d *driver) prepare(text string) (string, error) {
	d.forget()
	values, err := expr.Eval(text, d.env)
	if err != nil {
		return "", err
	}
	list := values.Named
	if len(list) == 0 {
		list = []expr.Named{values.Last}
	}
	for _, v := range list {
		a, ok := v.Value.(ndarray.Array)
		if !ok {
			return "", fmt.Errorf("%s is a %T, want an array", v.Name, v.Value)
		}
		c, err := d.memory(a)
		if err != nil {
			return "", err
		}
		// Pages are there before the first run, as they are for arrays that live.
		clear(c.Block.Bytes())
		d.outputs = append(d.outputs, ndarray.Output{Array: a, Name: v.Name, Into: c})
	}
	return strconv.Itoa(len(d.outputs)), nil
}

// save writes the results.
func (d *driver) save(prefix, step string) (string, error) {
	n, err := strconv.ParseInt(step, 10, 64)
	if err != nil || n < 1 {
		return "", fmt.Errorf("got step %q, want a number above 0", step)
	}
	var types []string
	for i, o := range d.outputs {
		item := int64(o.Into.ItemBytes)
		b := o.Into.Block.Bytes()
		var part []byte
		for at := int64(0); at < int64(len(b)); at += n * item {
			part = append(part, b[at:at+item]...)
		}
		if err := os.WriteFile(fmt.Sprintf("%s.%d", prefix, i), part, 0o666); err != nil {
			return "", err
		}
		types = append(types, o.Into.DType.String())
	}
	return strings.Join(types, " "), nil
}

func (d *driver) plan(ctx context.Context) (string, error) {
	p, err := d.eng.PlanOutputs(ctx, d.outputs)
	if err != nil {
		return "", err
	}
	text, err := json.Marshal(p.Explain())
	return string(text), err
}

// forget releases the results.
func (d *driver) forget() {
	for _, o := range d.outputs {
		o.Into.Release()
	}
	d.outputs = nil
}

// drop releases everything and gives its pages back.
func (d *driver) drop() {
	d.forget()
	for _, c := range d.held {
		c.Release()
	}
	for _, ds := range d.files {
		if err := ds.Close(); err != nil {
			fmt.Fprintln(os.Stderr, "driver:", err)
		}
	}
	d.held, d.files, d.env = nil, nil, expr.Env{}
	d.pool.Trim(0)
}

func (d *driver) close() {
	d.drop()
	if err := d.eng.Close(); err != nil {
		fmt.Fprintln(os.Stderr, "driver:", err)
	}
	d.pool.Close()
}

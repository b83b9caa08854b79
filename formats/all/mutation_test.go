// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/arrayrun/arrayrun/chunk"
	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/all"
	"github.com/arrayrun/arrayrun/formats/formattest"
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/zarr"
)

const (
	mutableBytes = 256 << 10 // of the files that are damaged
	readBytes    = 4 << 20   // of a variable are read of a damaged file
	chunkBytes   = 64 << 20  // of the largest chunks that are read: one is decoded whole
	allocBytes   = 1 << 28   // may be allocated in sum while a damaged file is opened and read
)

// damage returns a copy of b with some bytes changed, runs overwritten, moved or cut off.
func damage(r *rand.Rand, b []byte) []byte {
	out := bytes.Clone(b)
	for range 1 + r.IntN(4) {
		if len(out) == 0 {
			return out
		}
		i := r.IntN(len(out))
		if r.IntN(2) == 0 {
			i = r.IntN(min(len(out), 512)) // headers
		}
		n := min(1+r.IntN(8), len(out)-i)
		switch r.IntN(7) {
		case 0:
			out[i] ^= 1 << r.IntN(8)
		case 1:
			out[i] = byte(r.Uint32())
		case 2:
			copy(out[i:i+n], []byte{255, 255, 255, 255, 255, 255, 255, 255})
		case 3:
			clear(out[i : i+n])
		case 4:
			copy(out[i:i+n], out[r.IntN(len(out)):])
		case 5:
			out[i] += byte(r.IntN(5) - 2) // lengths and counts that are a little wrong
		default:
			if r.IntN(3) == 0 {
				out = out[:i]
			} else if digit := bytes.IndexAny(out[i:], "0123456789"); digit >= 0 { // numbers of JSON
				out[i+digit] = byte('0' + r.IntN(10))
			}
		}
	}
	return out
}

// readSome reads a part of every variable, as long as what it reads to takes no more than own bytes.
func readSome(ctx context.Context, g *formats.Group, r *rand.Rand, own *int64) {
	for _, v := range g.Vars {
		if v.Err != nil || v.Source == nil {
			continue
		}
		m := v.Source.Meta()
		if m.Shape.Size() == 0 || m.ItemBytes <= 0 || m.Grid.MaxChunk().Size() > chunkBytes/int64(m.ItemBytes) {
			continue
		}
		at := m.Grid.Region(m.Grid.At(r.Int64N(max(m.Grid.Len(), 1)), nil))
		left := int64(readBytes / m.ItemBytes)
		for i := range at.Lo { // as much as is allowed of one chunk
			n := max(1, min(at.Hi[i]-at.Lo[i], left))
			at.Hi[i] = at.Lo[i] + n
			left /= n
		}
		size, err := at.Shape().Bytes(int64(m.ItemBytes))
		if err != nil || size > min(readBytes, *own) || at.Empty() {
			continue
		}
		*own -= size
		c := formattest.New(m.DType, m.ItemBytes, at.Shape())
		_, _ = formats.ReadRegion(ctx, v.Source, at, c) // an error, or other values: both are right
	}
	for _, s := range g.Groups {
		readSome(ctx, s.Group, r, own)
	}
}

// mutant is a damaged entry of the corpus that can be opened.
type mutant struct {
	name string
	make func(r *rand.Rand) (open func(context.Context) (*formats.Group, error), err error)
}

// mutants returns the entries that are small enough.
func mutants(t testing.TB) []mutant {
	dir := formattest.Corpus(t)
	var out []mutant
	tmp := t.TempDir()
	for _, name := range entries(t, dir) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if st.IsDir() {
			out = append(out, mutant{name, func(r *rand.Rand) (func(context.Context) (*formats.Group, error), error) {
				m, err := hierarchy(path, r)
				return func(ctx context.Context) (*formats.Group, error) { return zarr.OpenStore(ctx, m) }, err
			}})
			continue
		}
		if st.Size() > mutableBytes {
			continue
		}
		out = append(out, mutant{name, func(r *rand.Rand) (func(context.Context) (*formats.Group, error), error) {
			b, err := os.ReadFile(path)
			if err != nil {
				return nil, err
			}
			to := filepath.Join(tmp, filepath.Base(path))
			return func(ctx context.Context) (*formats.Group, error) { return all.Open(ctx, to) }, os.WriteFile(to, damage(r, b), 0o666)
		}})
	}
	return out
}

// hierarchy copies a directory into memory and damages one or two of its values, metadata rather than chunks.
func hierarchy(path string, r *rand.Rand) (*store.Memory, error) {
	m := new(store.Memory)
	ctx := context.Background()
	var documents, chunks []string
	err := filepath.WalkDir(path, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		key, err := filepath.Rel(path, p)
		if err != nil {
			return err
		}
		if key = filepath.ToSlash(key); strings.HasSuffix(key, "zarr.json") || strings.Contains(key, ".z") {
			documents = append(documents, key)
		} else {
			chunks = append(chunks, key)
		}
		return m.Put(ctx, key, b, store.PutOpt{})
	})
	if err != nil {
		return nil, err
	}
	for _, list := range [][]string{documents, chunks} {
		if len(list) == 0 || r.IntN(3) == 0 {
			continue
		}
		key := list[r.IntN(len(list))]
		b, err := m.Get(ctx, key, store.All, -1, nil)
		if err == nil {
			err = m.Put(ctx, key, damage(r, b), store.PutOpt{})
		}
		if err != nil {
			return nil, err
		}
	}
	return m, nil
}

// TestMutations damages the third-party files at random: opening and reading them gives values or errors, within bounds of memory; a panic or an endless
// loop ends the test. ARRAYRUN_MUTATIONS is how many times each file is damaged, ARRAYRUN_SEED repeats a run.
func TestMutations(t *testing.T) {
	rounds, seed := 2, uint64(time.Now().UnixNano())
	if n, err := strconv.Atoi(os.Getenv("ARRAYRUN_MUTATIONS")); err == nil {
		rounds = n
	}
	if n, err := strconv.ParseUint(os.Getenv("ARRAYRUN_SEED"), 10, 64); err == nil {
		seed = n
	}
	t.Logf("seed %d", seed)
	ctx := context.Background()
	done, opened, most, mostName := 0, 0, uint64(0), ""
	for round := range rounds {
		for i, m := range mutants(t) {
			r := rand.New(rand.NewPCG(seed+uint64(round), uint64(i)))
			open, err := m.make(r)
			if err != nil {
				t.Fatal(err)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			g, err := tried(m.name, seed, round, func() (*formats.Group, error) {
				g, err := open(ctx)
				if err == nil {
					own := int64(allocBytes / 2)
					readSome(ctx, g, r, &own)
				}
				return g, err
			})
			runtime.ReadMemStats(&after)
			if n := after.TotalAlloc - before.TotalAlloc; n > most {
				most, mostName = n, m.name
				if n > allocBytes {
					t.Errorf("%s, seed %d, round %d: %d MiB are allocated", m.name, seed, round, n>>20)
				}
			}
			done++
			switch {
			case err == nil:
				opened++
				if g.Close != nil {
					g.Close()
				}
			case !errors.Is(err, formats.ErrFormat) && !errors.Is(err, formats.ErrCorrupt) && !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, chunk.ErrShape):
				t.Errorf("%s, seed %d, round %d: %v wraps none of the errors of formats", m.name, seed, round, err)
			}
		}
	}
	t.Logf("%d damaged files, %d of them could be opened; at most %d MiB were allocated, for %s", done, opened, most>>20, mostName)
}

// tried runs f and says which file it was when f panics.
func tried(name string, seed uint64, round int, f func() (*formats.Group, error)) (g *formats.Group, err error) {
	defer func() {
		if p := recover(); p != nil {
			panic(fmt.Sprintf("%s, seed %d, round %d: %v", name, seed, round, p))
		}
	}()
	return f()
}

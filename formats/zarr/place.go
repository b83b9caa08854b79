// SPDX-License-Identifier: BSD-3-Clause

package zarr

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/internal/files"
	"github.com/arrayrun/arrayrun/formats/store"
)

// place is where an output is made and how it becomes visible.
type place struct {
	name   string
	start  func(ctx context.Context) (store.Store, error) // makes room, when everything else is known to be right
	late   bool                                           // the metadata are put when all chunks are: they make the output visible
	commit func(ctx context.Context, st store.Store) error
	abort  func(st store.Store) error
}

// folder is a directory, written under its partial name.
func folder(path string, overwrite bool) (place, error) {
	if err := files.Free(path, overwrite); err != nil {
		return place{}, err
	}
	if err := replaceable(path); err != nil {
		return place{}, err
	}
	partial := store.Partial(path)
	return place{
		name: path,
		start: func(context.Context) (store.Store, error) {
			if err := os.RemoveAll(partial); err != nil {
				return nil, err
			}
			return store.NewDir(partial), os.Mkdir(partial, 0o777)
		},
		commit: func(context.Context, store.Store) error { return files.Place(partial, path, overwrite) },
		abort:  func(store.Store) error { return os.RemoveAll(partial) },
	}, nil
}

// replaceable refuses to replace a folder that holds something else than a Zarr hierarchy: a slip
// in a path must not cost somebody's files.
func replaceable(path string) error {
	l, err := os.ReadDir(path)
	if err != nil || len(l) == 0 || detect(nil, path) {
		return nil
	}
	return fmt.Errorf("it is a folder that holds no Zarr hierarchy; remove it or choose another name: %w", formats.ErrExists)
}

// archive is a ZIP file.
func archive(path string, overwrite bool) (place, error) {
	if st, err := os.Lstat(path); err == nil && (st.IsDir() || !overwrite) {
		return place{}, fmt.Errorf("it is there; use --overwrite to replace a file: %w", formats.ErrExists)
	}
	return place{
		name:  path,
		start: func(context.Context) (store.Store, error) { return store.CreateZip(path) },
		commit: func(_ context.Context, st store.Store) error {
			err := st.(*store.ZipWriter).Commit(overwrite)
			if errors.Is(err, fs.ErrExist) {
				err = fmt.Errorf("it has appeared meanwhile: %w: %w", err, formats.ErrExists)
			}
			return err
		},
		abort: func(st store.Store) error { return st.(*store.ZipWriter).Abort() },
	}, nil
}

// partialMark is the key of a value that says that an output is being written: the remains of an interrupted one are found by it and swept
// by the next.
const partialMark = ".arrayrun-partial"

// root is the root of a store that moves nothing, such as a bucket.
func root(st store.Store, overwrite bool) place {
	return place{
		name: st.Name(),
		late: true,
		start: func(ctx context.Context) (store.Store, error) {
			n, err := (&tree{st: st}).node(ctx, "")
			if err != nil {
				return nil, err
			}
			l, err := st.List(ctx, "")
			if err != nil {
				return nil, err
			}
			remains := slices.ContainsFunc(l, func(i store.Info) bool { return i.Name == partialMark })
			switch {
			case n == nil && len(l) > 0 && !remains:
				return nil, fmt.Errorf("it holds something that is no Zarr hierarchy; remove it or choose another name: %w", formats.ErrExists)
			case n != nil && !overwrite:
				return nil, fmt.Errorf("it is there; use --overwrite to replace it: %w", formats.ErrExists)
			case n != nil: // the metadata first: what is half gone must not be read
				for _, d := range documents {
					if err := st.Delete(ctx, d); err != nil {
						return nil, err
					}
				}
			}
			if len(l) > 0 {
				if err := removeAll(ctx, st, ""); err != nil {
					return nil, err
				}
			}
			return st, st.Put(ctx, partialMark, nil, store.PutOpt{})
		},
		commit: func(ctx context.Context, st store.Store) error { return st.Delete(ctx, partialMark) },
		abort:  func(st store.Store) error { return removeAll(context.Background(), st, "") },
	}
}

// maxDeletes bounds the requests under way that delete.
const maxDeletes = 16

// removeAll deletes the values below prefix.
func removeAll(ctx context.Context, st store.Store, prefix string) error {
	keys := make(chan string)
	errs := make(chan error, maxDeletes)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	var wg sync.WaitGroup
	for range maxDeletes {
		wg.Go(func() {
			for k := range keys {
				if err := st.Delete(ctx, k); err != nil {
					errs <- err
					cancel()
					return
				}
			}
		})
	}
	var walk func(prefix string) error
	walk = func(prefix string) error {
		l, err := st.List(ctx, prefix)
		if err != nil {
			return err
		}
		for _, e := range l {
			key := join(prefix, e.Name)
			if e.Dir {
				if err := walk(key); err != nil {
					return err
				}
				continue
			}
			select {
			case keys <- key:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		return nil
	}
	err := walk(prefix)
	close(keys)
	wg.Wait()
	select {
	case first := <-errs:
		return first
	default:
		return err
	}
}

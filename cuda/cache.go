// SPDX-License-Identifier: BSD-3-Clause

package cuda

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// EnvCache names the folder of compiled kernels; without it they are in the user's cache folder.
const EnvCache = "ARRAYRUN_CACHE"

// cacheMagic begins every file of the cache: a change of the file's form or of the rules it was made by changes it.
const cacheMagic = "arrayrun kernel 1\n"

// cacheLimit is the size to which a cache is cut when a device is opened, the files used longest ago first.
const cacheLimit = 256 << 20

// maxImage bounds a compiled kernel that is read back.
const maxImage = 64 << 20

// diskCache keeps compiled kernels between runs. A folder that cannot be written or read is no cache, never an error.
type diskCache struct{ dir string }

// openCache returns the cache in a folder, by default the one that the environment names; a cache that keeps
// nothing where there is no place for one.
func openCache(dir string) *diskCache {
	if dir == "" {
		dir = os.Getenv(EnvCache)
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return &diskCache{}
		}
		dir = filepath.Join(user, "arrayrun")
	}
	c := &diskCache{filepath.Join(dir, "kernels")}
	c.trim(cacheLimit)
	return c
}

// cacheKey is the name of what was compiled from parts: everything that the result depends on.
func cacheKey(parts ...string) string {
	h := sha256.New()
	for _, p := range append([]string{cacheMagic}, parts...) {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))
}

func (c *diskCache) file(key string) string { return filepath.Join(c.dir, key+".bin") }

// get returns what put stored under a key. A file that is damaged is removed.
func (c *diskCache) get(key string) ([]byte, bool) {
	if c.dir == "" {
		return nil, false
	}
	f, err := os.Open(c.file(key))
	if err != nil {
		return nil, false
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxImage))
	if err != nil {
		return nil, false
	}
	head := len(cacheMagic) + sha256.Size
	if len(b) <= head || string(b[:len(cacheMagic)]) != cacheMagic {
		c.drop(key)
		return nil, false
	}
	sum := sha256.Sum256(b[head:])
	if !bytes.Equal(sum[:], b[len(cacheMagic):head]) {
		c.drop(key)
		return nil, false
	}
	now := time.Now()
	_ = os.Chtimes(c.file(key), now, now) // for trim; a read-only cache has no order
	return b[head:], true
}

// put stores an image; it is there whole or not at all.
func (c *diskCache) put(key string, image []byte) {
	if c.dir == "" || len(image) == 0 || os.MkdirAll(c.dir, 0o700) != nil {
		return
	}
	f, err := os.CreateTemp(c.dir, "new-*")
	if err != nil {
		return
	}
	sum := sha256.Sum256(image)
	_, err = f.Write(slices.Concat([]byte(cacheMagic), sum[:], image))
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), c.file(key))
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
}

// drop removes a file that turned out to be of no use.
func (c *diskCache) drop(key string) {
	if c.dir != "" {
		_ = os.Remove(c.file(key))
	}
}

// trim removes the files used longest ago until no more than limit bytes are left.
func (c *diskCache) trim(limit int64) {
	list, err := os.ReadDir(c.dir)
	if err != nil {
		return
	}
	var files []fs.FileInfo
	total := int64(0)
	for _, e := range list {
		if i, err := e.Info(); err == nil && i.Mode().IsRegular() && strings.HasSuffix(i.Name(), ".bin") {
			files = append(files, i)
			total += i.Size()
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return a.ModTime().Compare(b.ModTime()) })
	for _, f := range files {
		if total <= limit {
			return
		}
		if os.Remove(filepath.Join(c.dir, f.Name())) == nil {
			total -= f.Size()
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package cuda_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/cuda"
)

// damageCache changes a byte of every file of the cache.
func damageCache(t *testing.T) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(os.Getenv(cuda.EnvCache), "kernels", "*.bin"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files in the cache: %v", err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		b[len(b)-1] ^= 1
		if err := os.WriteFile(f, b, 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

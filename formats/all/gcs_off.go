// SPDX-License-Identifier: BSD-3-Clause

//go:build !gcs

package all

import (
	"fmt"

	"github.com/arrayrun/arrayrun/formats"
	"github.com/arrayrun/arrayrun/formats/store"
)

func openGCS(bucket string) (store.Store, error) {
	return nil, fmt.Errorf("gs://%s: this program is built without Google Cloud Storage; build it with -tags gcs: %w", bucket, formats.ErrFormat)
}

// SPDX-License-Identifier: BSD-3-Clause

//go:build gcs

package all

import (
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/gcs"
)

func openGCS(name string) (store.Store, error) { return gcs.New(name, gcs.Options{}) }

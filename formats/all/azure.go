// SPDX-License-Identifier: BSD-3-Clause

//go:build azure

package all

import (
	"github.com/arrayrun/arrayrun/formats/store"
	"github.com/arrayrun/arrayrun/formats/store/azure"
)

func openAzure(name string) (store.Store, error) { return azure.New(name, azure.Options{}) }

// SPDX-License-Identifier: BSD-3-Clause

package all_test

import (
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/arrayrun/arrayrun/ndarray"
	"github.com/arrayrun/arrayrun/sched"
)

// TestDatasets opens data sets the way users do, from a server over HTTP, from a bucket, and by references.
func TestDatasets(t *testing.T) {
	root := t.TempDir()
	dir := filepath.Join(root, "bucket", "some where")
	if err := os.MkdirAll(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for _, n := range []string{"a.nc", "b.nc", "joined.json"} {
		b, err := os.ReadFile("testdata/kerchunk/" + n)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, n), b, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	s := httptest.NewServer(http.FileServer(http.Dir(root))) // what a bucket answers to GET and HEAD is what a file server does
	defer s.Close()
	t.Setenv("AWS_ENDPOINT_URL", s.URL)
	t.Setenv("AWS_NO_SIGN_REQUEST", "yes")
	eng, err := sched.New(sched.Options{Memory: 64 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer eng.Close()
	for _, at := range []string{s.URL + "/bucket/some%20where/", "s3://bucket/some where/"} {
		for _, uris := range [][]string{{at + "a.nc", at + "b.nc"}, {at + "joined.json"}} {
			ds, err := ndarray.OpenMany(t.Context(), uris)
			if err != nil {
				t.Errorf("%s: %v", uris, err)
				continue
			}
			got, err := ndarray.Values[float64](t.Context(), eng, ds.Var("time").Array())
			if err != nil || len(got) != 8 || got[7] != 7 {
				t.Errorf("%s: times %v, %v, want 0 to 7", uris, got, err)
			}
			lat, err := ndarray.Values[float32](t.Context(), eng, ds.Var("lat").Array())
			if err != nil || len(lat) != 13 || lat[12] != 60 {
				t.Errorf("%s: latitudes %v, %v, want 13", uris, lat, err)
			}
			// kerchunk states the fill value that HDF5 has when nobody sets one, and xarray takes it for missing data
			if len(uris) == 1 && !math.IsNaN(float64(lat[6])) || len(uris) == 2 && lat[6] != 0 {
				t.Errorf("%s: latitude %v in the middle, want what xarray reads: 0, by references NaN", uris, lat[6])
			}
			if err := ds.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

// SPDX-License-Identifier: BSD-3-Clause

package s3

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/minio/minio-go/v7/pkg/credentials"
)

// found are the settings from the options, the environment and the profile, in this order.
type found struct {
	endpoint string
	region   string
	profile  string
	named    bool // somebody has asked for the profile
}

func settings(o Options) found {
	s := found{endpoint: o.Endpoint, region: o.Region, profile: o.Profile}
	if s.profile == "" {
		s.profile = environment("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
	}
	s.named = s.profile != ""
	if !s.named {
		s.profile = "default"
	}
	file := profile(s.profile)
	if s.endpoint == "" {
		if s.endpoint = environment("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL"); s.endpoint == "" {
			s.endpoint = file["endpoint_url"]
		}
	}
	s.endpoint = strings.TrimRight(s.endpoint, "/")
	if s.region == "" {
		if s.region = environment("AWS_REGION", "AWS_DEFAULT_REGION"); s.region == "" {
			s.region = file["region"]
		}
	}
	return s
}

// profile returns the plain settings of a profile of the config file; one that is not there has none.
func profile(name string) map[string]string {
	path := os.Getenv("AWS_CONFIG_FILE")
	if path == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return nil
		}
		path = filepath.Join(home, ".aws", "config")
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	defer f.Close()
	return readProfile(f, name)
}

// readProfile is profile for an open file, as far as its lines are shorter than 64 KiB.
func readProfile(r io.Reader, name string) map[string]string {
	out, in := map[string]string{}, false
	for s := bufio.NewScanner(r); s.Scan(); {
		line := s.Text()
		if head, ok := strings.CutPrefix(strings.TrimSpace(line), "["); ok {
			head, _, _ = strings.Cut(head, "]")
			in = strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(head), "profile ")) == name
			continue
		}
		// indented lines belong to another service's settings
		if k, v, ok := strings.Cut(line, "="); ok && in && !strings.HasPrefix(line, " ") && !strings.HasPrefix(line, "\t") {
			out[strings.TrimSpace(k)] = strings.TrimSpace(v)
		}
	}
	return out
}

// identity is who asks.
type identity struct {
	creds *credentials.Credentials // nil: nobody
	from  string                   // where the credentials are from, for messages
}

// String says who asks and what may help where that is refused.
func (i *identity) String() string {
	if i.creds == nil {
		return "asked without credentials: " + i.from
	}
	return "asked with the credentials of " + i.from + "; AWS_NO_SIGN_REQUEST=yes asks without"
}

func newIdentity(o Options, set found) (*identity, error) {
	if no := strings.ToLower(os.Getenv("AWS_NO_SIGN_REQUEST")); o.Anonymous || no == "yes" || no == "true" || no == "1" {
		return &identity{from: "as was wished"}, nil
	}
	env := credentials.New(&credentials.EnvAWS{})
	if v, err := env.GetWithContext(nil); o.Profile == "" && err == nil && v.AccessKeyID != "" {
		return &identity{env, "the environment"}, nil
	}
	file := credentials.New(&credentials.FileAWSCredentials{Profile: set.profile})
	v, err := file.GetWithContext(reached(context.Background()))
	switch {
	case err == nil && v.AccessKeyID != "":
		return &identity{file, "profile " + set.profile}, nil
	case set.named && err == nil:
		return nil, fmt.Errorf("profile %q has no credentials", set.profile)
	case set.named:
		return nil, fmt.Errorf("profile %q: %w", set.profile, err)
	}
	if role() {
		return &identity{credentials.New(&credentials.IAM{Region: set.region}), "the role of this machine"}, nil
	}
	return &identity{from: "there are none in the environment (AWS_ACCESS_KEY_ID) or the profile"}, nil
}

// role reports whether the machine says that it has one: asking an address that nobody answers would cost seconds elsewhere.
func role() bool {
	if environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_WEB_IDENTITY_TOKEN_FILE") != "" {
		return true
	}
	if strings.EqualFold(os.Getenv("AWS_EC2_METADATA_DISABLED"), "true") {
		return false
	}
	vendor, err := os.ReadFile("/sys/devices/virtual/dmi/id/sys_vendor")
	return err == nil && strings.HasPrefix(string(vendor), "Amazon EC2")
}

// reached is how those who give credentials are asked.
func reached(ctx context.Context) *credentials.CredContext {
	return &credentials.CredContext{Client: &http.Client{Timeout: 30 * time.Second}, Context: ctx}
}

// value returns the credentials, new ones when the old have expired.
func (i *identity) value(ctx context.Context) (credentials.Value, error) {
	if i.creds == nil {
		return credentials.Value{}, nil
	}
	v, err := i.creds.GetWithContext(reached(ctx))
	if err != nil {
		return v, fmt.Errorf("%s: %w", i.from, err)
	}
	return v, nil
}

// expire asks for new credentials and reports whether there may be other ones.
func (i *identity) expire() bool {
	if i.creds == nil || i.from == "the environment" {
		return false
	}
	i.creds.Expire()
	return true
}

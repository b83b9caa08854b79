// SPDX-License-Identifier: BSD-3-Clause

package azure

import (
	"context"
	"encoding/xml"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/arrayrun/arrayrun/formats/store"
)

// version of the REST interface.
const version = "2021-08-06"

// Options say where a container is and who asks. What is empty comes from the environment.
type Options struct {
	Account   string
	Endpoint  string // URL of the account where it is not ACCOUNT.blob.core.windows.net
	Anonymous bool   // without credentials, whatever there are

	HTTP store.HTTPOptions // patience; Name, Sign and Explain are this package's own
}

// Container is a store.Store in a container: keys are the names of blobs.
type Container struct {
	*store.HTTP
	who *identity
}

var _ store.Store = (*Container)(nil)

var (
	containerName = store.Pattern(`^(\$root|\$web|[a-z0-9][a-z0-9-]{1,61}[a-z0-9])$`)
	accountName   = store.Pattern(`^[a-z0-9]{3,24}$`)
)

// New returns the store in a container, which may be CONTAINER@HOST with the host of the account. Errors wrap fs.ErrInvalid for names
// that are none, or say why the credentials cannot be used. Nothing is asked of the server.
func New(container string, o Options) (*Container, error) {
	name, host, at := strings.Cut(container, "@")
	if at && o.Account == "" {
		o.Account, _, _ = strings.Cut(host, ".")
		if o.Endpoint == "" && strings.Contains(host, ".") {
			o.Endpoint = "https://" + strings.Replace(host, ".dfs.", ".blob.", 1) // the blobs of a hierarchical account
		}
	}
	if !containerName(name) {
		return nil, fmt.Errorf("store/azure: %q is no name of a container: %w", name, fs.ErrInvalid)
	}
	who, err := newIdentity(&o)
	if err != nil {
		return nil, fmt.Errorf("store/azure: container %s: %w", name, err)
	}
	if !accountName(o.Account) {
		return nil, fmt.Errorf("store/azure: container %s: %q is no name of an account; set AZURE_STORAGE_ACCOUNT or write CONTAINER@ACCOUNT.blob.core.windows.net: %w", name, o.Account, fs.ErrInvalid)
	}
	if o.Endpoint == "" {
		o.Endpoint = "https://" + o.Account + ".blob.core.windows.net"
	}
	c := &Container{who: who}
	base := strings.TrimRight(o.Endpoint, "/") + "/" + name
	if who.sas != "" {
		base += "?" + who.sas
	}
	h := o.HTTP
	h.Name, h.Sign, h.Explain = "az://"+name+"@"+o.Account, c.sign, c.explain
	if c.HTTP, err = store.NewHTTP(base, h); err != nil {
		return nil, fmt.Errorf("store/azure: container %s: endpoint of account %s: %w", name, o.Account, fs.ErrInvalid) // not the URL, which may have a secret
	}
	return c, nil
}

func (c *Container) sign(req *http.Request, _ []byte) error {
	req.Header.Set("X-Ms-Version", version)
	req.Header.Set("X-Ms-Date", time.Now().UTC().Format(http.TimeFormat))
	return c.who.sign(req)
}

// explain says what the code of an answer means where its status says less.
func (c *Container) explain(res *http.Response, _ []byte) error {
	code := res.Header.Get("X-Ms-Error-Code")
	err := fmt.Errorf("%s: %s", res.Status, code)
	switch code {
	case "ContainerNotFound", "ContainerBeingDeleted", "ResourceNotFound": // were it fs.ErrNotExist, every chunk would read as fill value
		return fmt.Errorf("the container does not exist (%s): %w", code, fs.ErrInvalid)
	case "BlobAlreadyExists":
		return fmt.Errorf("%w: %w", err, fs.ErrExist)
	case "OperationTimedOut", "ServerBusy", "InternalError":
		return store.Temporary(err, 0)
	}
	switch res.StatusCode {
	case http.StatusUnauthorized:
		if c.who.forget() {
			return store.Temporary(fmt.Errorf("%w (%s): %w", err, c.who.from, fs.ErrPermission), 0)
		}
		fallthrough
	case http.StatusForbidden:
		return fmt.Errorf("%w (credentials: %s): %w", err, c.who.from, fs.ErrPermission)
	case http.StatusConflict:
		if code == "PublicAccessNotPermitted" {
			return fmt.Errorf("%w (credentials: %s): %w", err, c.who.from, fs.ErrPermission)
		}
		return err
	case http.StatusBadRequest:
		return err
	}
	return nil
}

// List implements store.Store.
func (c *Container) List(ctx context.Context, prefix string) ([]store.Info, error) {
	return c.ListPages(ctx, prefix, func(dir, token string) (url.Values, func(io.Reader) (store.Page, error)) {
		q := url.Values{"restype": {"container"}, "comp": {"list"}, "delimiter": {"/"}}
		if dir != "" {
			q.Set("prefix", dir)
		}
		if token != "" {
			q.Set("marker", token)
		}
		return q, page
	})
}

// blobName is a name with a mark where XML cannot hold it.
type blobName struct {
	Encoded bool   `xml:",attr"`
	Text    string `xml:",chardata"`
}

func (n blobName) String() string {
	if n.Encoded {
		if s, err := url.PathUnescape(n.Text); err == nil {
			return s
		}
	}
	return n.Text
}

func page(r io.Reader) (store.Page, error) {
	var doc struct {
		XMLName xml.Name `xml:"EnumerationResults"`
		Blobs   []struct {
			Name blobName
			Size int64 `xml:"Properties>Content-Length"`
		} `xml:"Blobs>Blob"`
		Prefixes []struct{ Name blobName } `xml:"Blobs>BlobPrefix"`
		Next     string                    `xml:"NextMarker"`
	}
	if err := xml.NewDecoder(r).Decode(&doc); err != nil {
		return store.Page{}, err
	}
	p := store.Page{Next: doc.Next}
	for _, b := range doc.Blobs {
		p.Values = append(p.Values, store.Info{Name: b.Name.String(), Size: b.Size})
	}
	for _, b := range doc.Prefixes {
		p.Dirs = append(p.Dirs, b.Name.String())
	}
	return p, nil
}

// Put implements store.Store: a blob appears whole or not at all.
func (c *Container) Put(ctx context.Context, key string, v []byte, opt store.PutOpt) error {
	header := http.Header{"Content-Type": {"application/octet-stream"}, "X-Ms-Blob-Type": {"BlockBlob"}}
	if opt.IfNoneMatch {
		header.Set("If-None-Match", "*")
	}
	return c.Upload(ctx, key, v, header, opt.IfNoneMatch)
}

// Delete implements store.Store.
func (c *Container) Delete(ctx context.Context, key string) error { return c.Remove(ctx, key) }

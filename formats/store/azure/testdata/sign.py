"""Prints signatures of the official library, azure-storage-blob 12.31.1, for azure_test.go."""
import json
from types import SimpleNamespace as N
from urllib.parse import parse_qsl, urlparse

from azure.storage.blob._shared.authentication import SharedKeyCredentialPolicy

key = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
always = {"x-ms-version": "2021-08-06", "x-ms-date": "Sat, 28 Nov 2026 22:44:36 GMT"}
out = []
for method, url, headers in [
    ("GET", "https://climate.blob.core.windows.net/era5/daily/t2m.zarr/zarr.json", {}),
    ("HEAD", "https://climate.blob.core.windows.net/era5/a%20b/c%2Bd%26e", {}),
    ("PUT", "https://climate.blob.core.windows.net/era5/k", {"content-type": "application/octet-stream", "content-length": "10", "if-none-match": "*", "x-ms-blob-type": "BlockBlob"}),
    ("PUT", "https://climate.blob.core.windows.net/era5/empty", {"content-type": "application/octet-stream", "content-length": "0", "x-ms-blob-type": "BlockBlob"}),
    ("GET", "https://climate.blob.core.windows.net/era5?restype=container&comp=list&delimiter=%2F&prefix=a%20b%2F&marker=2%21x", {}),
    ("DELETE", "http://127.0.0.1:10000/climate/era5/k", {}),
]:
    h = {**always, **headers}
    req = N(method=method, url=url, headers=h, query=dict(parse_qsl(urlparse(url).query)))
    SharedKeyCredentialPolicy("climate", key).on_request(N(http_request=req, context=N(transport=None)))
    out.append({"method": method, "url": url, "headers": headers, "authorization": h["Authorization"]})
print(json.dumps({"key": key, "always": always, "requests": out}, indent=1))

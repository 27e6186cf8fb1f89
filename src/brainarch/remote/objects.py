"""Objects under an address such as ``s3://bucket/prefix``, or files under a folder.

fsspec does the work, which Zarr's own remote stores stand on as well. Credentials and endpoint
come from the environment, as every program that speaks S3 reads them. s3fs tries again what may
pass (a cut line, a busy server), and botocore checks the checksums that a server sends.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from brainarch.errors import InputError
from brainarch.volume.kinds import is_url

#: Options of a file system by the protocol of its address.
OPTIONS: dict[str, dict[str, Any]] = {
    # parts of one object are not read at once: s3fs tries again only what it reads whole
    "s3": {"max_concurrency": 1},
    "file": {"auto_mkdir": True},
}
#: Objects, and bytes of them, that are read or written side by side.
BATCH, BATCH_BYTES = 64, 64_000_000
#: Libraries whose errors are the server's or the network's.
LIBRARIES = ("aiobotocore", "aiohttp", "botocore")
#: Characters of their words that a line repeats.
QUOTED = 160
CREDENTIALS = (
    "credentials come from the environment (AWS_PROFILE, or AWS_ACCESS_KEY_ID and "
    "AWS_SECRET_ACCESS_KEY); say FSSPEC_S3_ANON=true for a public bucket"
)


class Listed(NamedTuple):
    """An object as its store lists it: bytes, and what changes when it is written again."""

    size: int
    tag: str


class ObjectStore:
    """What lies under an address; keys are relative to it.

    Parameters
    ----------
    url : str
        ``s3://bucket/prefix``, another address that fsspec knows, or a folder.

    Raises
    ------
    InputError
        If nothing here can read such addresses.
    """

    def __init__(self, url: str) -> None:
        import fsspec  # noqa: PLC0415  # an extra

        self.url = url.rstrip("/")
        protocol = url.partition("://")[0] if is_url(url) else "file"
        try:
            self._files, self._root = fsspec.core.url_to_fs(
                self.url,
                skip_instance_cache=True,
                use_listings_cache=False,
                **OPTIONS.get(protocol, {}),
            )
        except ImportError:
            raise InputError(
                f"{url}: needs a library that is not installed; pip install 'brainarch[s3]'"
            ) from None
        except ValueError as error:
            raise InputError(f"{url}: no address of an object store ({error})") from None
        self._remote = protocol != "file"

    def listing(self) -> dict[str, Listed]:
        """Return every object by its key, sorted."""
        with self._told(self.url):
            found = self._files.find(self._root, detail=True)
        start = len(self._root) + 1
        return {
            path[start:]: Listed(int(entry["size"]), _tag(entry))
            for path, entry in sorted(found.items())
        }

    def get(self, keys: Sequence[str]) -> Iterator[tuple[str, bytes]]:
        """Yield keys and content of some objects, which are read side by side.

        Raises
        ------
        InputError
            If one is not there or cannot be read; it is named, after all others came.
        """
        paths = {self._path(key): key for key in keys}
        with self._told(self.url):
            found = self._files.cat(list(paths), on_error="return") if paths else {}
        yield from ((key, found[p]) for p, key in paths.items() if isinstance(found[p], bytes))
        for path, key in paths.items():
            with self._told(f"{self.url}/{key}"):
                if isinstance(found[path], Exception):
                    raise found[path]

    def put(self, contents: Mapping[str, bytes]) -> None:
        """Write some objects, side by side; in an object store each is whole or is not there."""
        with self._told(self.url):
            self._files.pipe({self._path(key): content for key, content in contents.items()})

    def remove(self, key: str) -> None:
        """Remove an object that is there."""
        with self._told(f"{self.url}/{key}"):
            self._files.rm_file(self._path(key))

    def _path(self, key: str) -> str:
        return f"{self._root}/{key}"

    @contextmanager
    def _told(self, what: str) -> Iterator[None]:
        """Say in one line what a store refuses, or why it is not reached."""
        try:
            yield
        except FileNotFoundError as error:
            raise InputError(f"{what}: not there ({_said(error)}); check the address") from None
        except PermissionError as error:
            if not self._remote:
                raise
            raise InputError(f"{what}: not allowed ({_said(error)}); {CREDENTIALS}") from None
        except Exception as error:
            # what the machine's own files say is explained elsewhere
            ours = type(error).__module__.partition(".")[0] not in LIBRARIES
            if not self._remote or (ours and not isinstance(error, OSError)):
                raise
            advice = "check the network and AWS_ENDPOINT_URL, and run the same command again"
            if "credentials" in str(error).lower():
                advice = CREDENTIALS
            raise InputError(f"{what}: {_said(error)}; {advice}") from None


def batches(keys: Iterable[str], size: Callable[[str], int]) -> Iterator[list[str]]:
    """Yield keys in their order, as many together as are read or written side by side.

    Parameters
    ----------
    keys : iterable of str
    size : function of str
        The bytes of each.
    """
    batch: list[str] = []
    total = 0
    for key in keys:
        if batch and (len(batch) == BATCH or total + size(key) > BATCH_BYTES):
            yield batch
            batch, total = [], 0
        batch.append(key)
        total += size(key)
    if batch:
        yield batch


def _tag(entry: Mapping[str, Any]) -> str:
    return str(next((entry[key] for key in ("ETag", "mtime", "created") if key in entry), ""))


def _said(error: Exception) -> str:
    """Return an error's words on one line."""
    return " ".join(str(error).split())[:QUOTED] or type(error).__name__

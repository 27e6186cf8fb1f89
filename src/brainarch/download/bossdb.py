"""Asking BossDB for parts of a channel, one request a call, over its public v1 interface.

A client of our own instead of the ``intern`` package (1.4.2), which by default waits without a
timeout, starts a process pool inside a call, does not tell faults that heal from those that do
not, and needs a second Blosc library, all to send two plain GET requests.
"""

from __future__ import annotations

import json
import re
import struct
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import requests
from numcodecs import Blosc
from numpy.typing import NDArray
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    NameResolutionError,
    NewConnectionError,
    ProxyError,
    ReadTimeoutError,
)

from brainarch import __version__
from brainarch.errors import InputError

#: Slices in one of BossDB's stored blocks (512 x 512 x 16); whole ones are read once for many.
CUBOID_DEPTH = 16
#: What every request carries: ``public`` reads public data without an account (D).
TOKEN = "public"
#: Seconds to wait for a connection.
CONNECT_S = 10.0
#: Seconds without a byte after which a request has failed (ours).
TIMEOUT_S = 120.0
#: Bytes a second below which a whole answer has failed, once those seconds are over (ours).
SLOWEST = 50_000
#: Most bytes of an answer that is no data: a description, an error.
WORDS_BYTES = 1_000_000
#: Bytes that are read at a time.
READ_BYTES = 1 << 20
#: Bytes that Blosc adds to values that it cannot make smaller, with a little to spare.
BLOSC_SPARE = 4096
#: Answers that another try may heal: too busy, throttled, or broken at the moment.
PASSING_STATUS = (408, 425, 429, 500, 502, 503, 504)
#: Types that a BossDB channel may have.
CHANNEL_DTYPES = ("uint8", "uint16", "uint64")
#: Blosc's header: two versions, flags, item size, then three sizes, little-endian.
BLOSC_HEADER = struct.Struct("<4B3I")
#: What a collection, an experiment or a channel may be called.
NAME = re.compile(r"[A-Za-z0-9_-]+")
#: Characters of a server's own words that an error line repeats.
QUOTED = 120


@dataclass(frozen=True)
class Answer:
    """What a server answered, read as far as was asked for.

    Attributes
    ----------
    status : int
        Status of HTTP.
    reason : str
        Its words.
    headers : mapping
    body : bytes
    """

    status: int
    reason: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def kind(self) -> str:
        """Type of the body."""
        return self.headers.get("Content-Type", "something unnamed")

    def field(self, name: str) -> str:
        """Return a field of a body that is a JSON object.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is something else.
        """
        return str(json.loads(self.body)[name])


class PassingError(Exception):
    """A request failed in a way that another try may heal.

    Attributes
    ----------
    reached : bool
        Whether the server answered at all.
    wait_s : float or None
        Seconds that the server asks to wait.
    """

    def __init__(self, reason: str, *, reached: bool, wait_s: float | None = None) -> None:
        super().__init__(reason)
        self.reached = reached
        self.wait_s = wait_s


@dataclass(frozen=True)
class Channel:
    """A channel of BossDB: an image or label volume inside an experiment of a collection."""

    collection: str
    experiment: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Channel:
        """Return the channel that ``collection/experiment/channel`` names.

        Raises
        ------
        InputError
            If the text is of another form.
        """
        parts = text.split("/")
        if len(parts) != 3 or not all(NAME.fullmatch(part) for part in parts):
            raise InputError(
                f"channel {text!r}: wanted collection/experiment/channel, such as "
                "prasad/prasad2020/image"
            )
        return cls(*parts)

    def __str__(self) -> str:
        return f"{self.collection}/{self.experiment}/{self.name}"


class Client:
    """A connection to one BossDB server.

    Parameters
    ----------
    host : str
        Protocol and name, such as ``https://api.bossdb.io``.
    """

    def __init__(self, host: str) -> None:
        self.host = host.rstrip("/")
        self._session = requests.Session()
        self._session.auth = _authorise
        self._session.headers["User-Agent"] = f"brainarch/{__version__}"

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._session.close()

    def dtype(self, channel: Channel) -> np.dtype[Any]:
        """Return the type of a channel's values.

        Raises
        ------
        PassingError
            If another try may heal what went wrong.
        InputError
            If there is no such channel, or it may not be read.
        """
        url = (
            f"{self.host}/v1/collection/{channel.collection}/experiment/{channel.experiment}"
            f"/channel/{channel.name}"
        )
        answer = self._get(url, "application/json", channel, WORDS_BYTES)
        try:
            name = answer.field("datatype")
        except (ValueError, KeyError, TypeError, RecursionError):
            raise PassingError(_not_data(answer), reached=True) from None
        if name not in CHANNEL_DTYPES:
            raise InputError(f"channel {channel}: its values are {name}; wanted unsigned integers")
        return np.dtype(name)

    def cutout(
        self,
        channel: Channel,
        dtype: np.dtype[Any],
        slices: tuple[int, int],
        size: tuple[int, int],
    ) -> NDArray[np.unsignedinteger[Any]]:
        """Return whole slices of a channel at its native resolution.

        Parameters
        ----------
        channel : Channel
        dtype : numpy.dtype
            Type of the channel's values.
        slices : tuple of int
            First and one past the last slice.
        size : tuple of int
            Rows and columns of a slice, which begin at 0.

        Returns
        -------
        ndarray, shape (slices, rows, columns)

        Raises
        ------
        PassingError
            If another try may heal what went wrong: no answer, a cut connection, a short or
            damaged body, a busy server.
        InputError
            If the server refuses for good.
        """
        rows, columns = size
        url = (
            f"{self.host}/v1/cutout/{channel}/0/0:{columns}/0:{rows}/{slices[0]}:{slices[1]}/"
            "?access-mode=no-cache"
        )
        shape = (slices[1] - slices[0], rows, columns)
        most = int(np.prod(shape)) * dtype.itemsize + BLOSC_SPARE
        answer = self._get(url, "application/blosc", channel, most)
        try:
            return decode(answer.body, dtype, shape)
        except ValueError as error:
            if not answer.kind.startswith("application/blosc"):
                raise PassingError(_not_data(answer), reached=True) from None
            raise PassingError(str(error), reached=True) from None

    def _get(self, url: str, kind: str, channel: Channel, most: int) -> Answer:
        """Send one request; return a good answer of so many bytes at most."""
        try:
            with self._session.get(
                url,
                # packed bodies could be of any size once they are unpacked
                headers={"Accept": kind, "Content-Type": kind, "Accept-Encoding": "identity"},
                timeout=(CONNECT_S, TIMEOUT_S),
                stream=True,
            ) as response:
                good = response.status_code == 200
                body = _read_body(response, most if good else WORDS_BYTES)
            answer = Answer(
                response.status_code, response.reason or "", dict(response.headers), body
            )
        except (HTTPError, TimeoutError) as error:  # in the middle of the body
            raise PassingError(_reason(error), reached=True) from None
        except (requests.exceptions.SSLError, requests.exceptions.InvalidURL) as error:
            raise InputError(f"{self.host}: {_reason(error)}; check download.host") from None
        except (requests.exceptions.InvalidSchema, requests.exceptions.MissingSchema):
            raise InputError(f"{self.host}: begin with https://; check download.host") from None
        except requests.RequestException as error:
            raise PassingError(_reason(error), reached=not _never_connected(error)) from None
        if answer.status in PASSING_STATUS:
            raise PassingError(_said(answer), reached=True, wait_s=_retry_after(answer.headers))
        if answer.status in (401, 403):
            raise InputError(
                f"channel {channel}: {self.host} does not let us read it "
                f"({_said(answer)}); only public channels can be fetched"
            )
        if answer.status == 404:
            raise InputError(
                f"channel {channel}: {self.host} does not have it ({_said(answer)}); check its "
                "name in the config under download"
            )
        if answer.status != 200:
            raise InputError(f"channel {channel}: {self.host} refuses ({_said(answer)})")
        return answer


def _read_body(response: requests.Response, most: int) -> bytes:
    """Return the body of an answer, refused once it is longer or slower than it may be."""
    encoding = response.headers.get("Content-Encoding", "identity")
    if encoding != "identity":
        raise PassingError(f"the answer is packed as {encoding}, unasked", reached=True)
    allowed = TIMEOUT_S + most / SLOWEST
    last = time.monotonic() + allowed
    body = bytearray()
    # read1 gives what has come; waiting for a whole part would let a byte a minute go on for ever
    while part := response.raw.read1(min(READ_BYTES, most + 1 - len(body))):
        body += part
        if len(body) > most:
            raise PassingError(f"more than the {most} bytes came that were asked for", reached=True)
        if time.monotonic() > last:
            raise PassingError(f"the answer was not whole within {allowed:.0f} s", reached=True)
    announced = response.headers.get("Content-Length", "")
    if announced.isdecimal() and len(body) < int(announced):
        raise PassingError("the connection was cut", reached=True)
    return bytes(body)


def _authorise(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Put the token into a request, as the session's auth, so that no ~/.netrc replaces it."""
    request.headers["Authorization"] = f"Token {TOKEN}"
    return request


def decode(
    body: bytes, dtype: np.dtype[Any], shape: tuple[int, ...]
) -> NDArray[np.unsignedinteger[Any]]:
    """Return the values of a Blosc body whose size is known beforehand.

    Raises
    ------
    ValueError
        If the body is cut short, damaged, or holds another number of values.
    """
    if len(body) < BLOSC_HEADER.size:
        raise ValueError(f"a body of {len(body)} bytes holds no data")
    unpacked, _, packed = BLOSC_HEADER.unpack_from(body)[4:]
    wanted = int(np.prod(shape)) * dtype.itemsize
    if packed != len(body):
        raise ValueError(f"a body of {len(body)} bytes came, {packed} were announced in it")
    if unpacked != wanted:
        raise ValueError(
            f"{unpacked} bytes of values came, {wanted} were asked for "
            f"({' x '.join(map(str, shape))} {dtype})"
        )
    try:
        values = Blosc().decode(body)
    except RuntimeError:
        raise ValueError("the body is damaged") from None
    array = np.frombuffer(values, dtype=dtype.newbyteorder("<")).reshape(shape)
    return array.astype(dtype, copy=False)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and everything that requests and urllib3 wrapped into it."""
    seen: list[BaseException] = []
    waiting = [error]
    while waiting:
        current = waiting.pop()
        if current in seen:
            continue
        seen.append(current)
        yield current
        inner = (current.__cause__, getattr(current, "reason", None), *current.args)
        waiting += [part for part in inner if isinstance(part, BaseException)]


def _never_connected(error: requests.RequestException) -> bool:
    """Return whether not even a connection came about."""
    kinds = (NewConnectionError, ConnectTimeoutError, ProxyError)
    return any(isinstance(part, kinds) for part in _chain(error))


def _reason(error: Exception) -> str:
    """Return in a few words what went wrong on the way."""
    reasons: tuple[tuple[type[BaseException], str], ...] = (
        (requests.exceptions.SSLError, "its certificate is not trusted here"),
        (requests.exceptions.InvalidURL, "not a valid address"),
        (NameResolutionError, "its name is not known here"),
        (ProxyError, "the proxy does not let it through"),
        (ConnectionRefusedError, "connection refused"),
        (ConnectTimeoutError, f"no connection within {CONNECT_S:.0f} s"),
        (requests.exceptions.Timeout, "no more bytes came in time"),
        (ReadTimeoutError, "no more bytes came in time"),
        (HTTPError, "the connection was cut"),
        (OSError, "the connection was cut"),
    )
    parts = list(_chain(error))
    for kind, reason in reasons:
        if any(isinstance(part, kind) for part in parts):
            return reason
    return " ".join(str(error).split())[:QUOTED]


def _said(answer: Answer) -> str:
    """Return the status and, where the server explains itself, its words on one line."""
    try:
        message = answer.field("message")
    except (ValueError, KeyError, TypeError, RecursionError):
        message = answer.reason
    return f"HTTP {answer.status} {' '.join(message.split())[:QUOTED]}".strip()


def _not_data(answer: Answer) -> str:
    return f"the answer is {answer.kind} instead of data"


def _retry_after(headers: Any) -> float | None:
    """Return the seconds that a busy server asks to wait, if it says a number."""
    text = str(headers.get("Retry-After", ""))
    return float(text) if text.isdecimal() else None

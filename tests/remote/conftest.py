"""A bucket on this machine; without the extra and moto, the tests that need it are skipped."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from s3_server import BUCKET, Line, line_to


@pytest.fixture(scope="session")
def server() -> Iterator[tuple[str, int]]:
    pytest.importorskip("s3fs", reason="needs brainarch[s3]; make test-s3 installs it")
    moto = pytest.importorskip("moto.server", reason="needs moto; make test-s3 installs it")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    running = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    yield running.get_host_and_port()
    running.stop()


@pytest.fixture(scope="session")
def files(server: tuple[str, int]) -> Any:
    """Return the file system of the server, for what a test does there by itself."""
    import s3fs

    return s3fs.S3FileSystem(
        key="owner",
        secret="secret",
        endpoint_url="http://{}:{}".format(*server),
        use_listings_cache=False,
    )


@pytest.fixture
def line(
    server: tuple[str, int], files: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Iterator[Line]:
    """Return the line to an empty bucket, which the environment names."""
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "somebody")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "2")
    with line_to(server) as line:
        monkeypatch.setenv("AWS_ENDPOINT_URL", line.address)
        if files.exists(BUCKET):
            files.rm(BUCKET, recursive=True)
        files.mkdir(BUCKET)
        yield line

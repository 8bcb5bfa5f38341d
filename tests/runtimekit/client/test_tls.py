"""Is a region trusted by its certificate only, and does the client show its own where it is asked for?"""

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from mlplatform_cdk.runtimekit.client import CallFailed, RegionClient, Unsigned
from tests.runtimekit.client.servers import Server


def certificate(path: Path, host: str) -> Path:
    """A key and a certificate of its own signature for ``host``."""
    key, now = ec.generate_private_key(ec.SECP256R1()), dt.datetime.now(dt.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def region(tmp_path: Path) -> Iterator[Server]:
    """A region that takes connections only of who shows the client's certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path / "server.pem", "localhost"))
    context.load_verify_locations(certificate(tmp_path / "client.pem", "client"))
    context.verify_mode = ssl.CERT_REQUIRED
    server = Server("a", tls=context)
    yield server
    server.kill()


def trusting(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "server.pem"))


def test_who_trusts_the_region_and_shows_a_certificate_is_answered_over_one_connection(
    region: Server, tmp_path: Path
) -> None:
    tls = trusting(tmp_path)
    tls.load_cert_chain(tmp_path / "client.pem")

    with RegionClient({"a": region.url}, authorization=Unsigned(), tls=tls) as client:
        answers = [client.invoke("x") for _ in range(5)]

    assert [len(answer.attempts) for answer in answers] == [1] * 5
    assert len(region.connections) == 1


def test_a_region_that_nobody_vouches_for_gets_nothing(region: Server) -> None:
    with (
        RegionClient({"a": region.url}, authorization=Unsigned()) as client,
        pytest.raises(CallFailed, match="a could not be trusted: self-signed certificate"),
    ):
        client.invoke("x")

    assert region.requests == []


def test_who_shows_no_certificate_is_told_so_or_that_the_region_closed_the_connection(
    region: Server, tmp_path: Path
) -> None:
    with (
        RegionClient({"a": region.url}, authorization=Unsigned(), tls=trusting(tmp_path)) as client,
        pytest.raises(
            CallFailed, match=r"a (ended TLS: .*CERTIFICATE_REQUIRED|closed the connection without an answer)"
        ),
    ):
        client.invoke("x")

    assert region.requests == []

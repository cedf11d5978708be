"""Who may ask, and over what."""

import hmac
import ssl
from dataclasses import dataclass, field
from pathlib import Path

from unitools.core.checks import fail


@dataclass(frozen=True)
class Security:
    """An API key, and TLS.

    Args:
        api_key: What clients must send as `X-API-Key` or `Authorization: Bearer`, at least 16 characters. Questions
            about health need none. Default None: everybody may ask.
        certificate: PEM file with the certificate, and its chain. Default None: no TLS.
        private_key: PEM file with the certificate's key. Needed with `certificate`.

    Raises:
        ValueError: The key is short, a file is missing, or the two files do not belong together.

    Example:
    >>> from unitools.serving import Security
    >>> Security(api_key="0123456789abcdef").allows("wrong")
    False
    """

    api_key: str | None = field(default=None, repr=False)
    certificate: Path | None = None
    private_key: Path | None = None

    def __post_init__(self):
        if self.api_key is not None and (len(self.api_key) < 16 or not self.api_key.isascii()):
            fail("api_key", "(hidden)", "of at least 16 ASCII characters", "Make one: openssl rand -hex 32.")
        if (self.certificate is None) != (self.private_key is None):
            fail("private_key", self.private_key, "given together with `certificate`")
        if self.certificate is not None:
            try:
                ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(self.certificate, self.private_key)
            except (OSError, ssl.SSLError) as error:
                fail("certificate", str(self.certificate), f"a PEM file that fits `private_key` ({error})")

    def allows(self, given: str | None) -> bool:
        """Return whether a client with this key may ask; compared in constant time.

        Args:
            given: What the client sent, or None.
        """
        if self.api_key is None:
            return True
        return given is not None and hmac.compare_digest(given.encode(), self.api_key.encode())

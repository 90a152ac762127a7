"""Persons who may certify a release: `config/signers.yml`, as the manifest holds it."""

import base64
import binascii
from collections.abc import Mapping
from typing import Annotated, Any

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key
from pydantic import Field, StringConstraints, ValidationError, field_validator, model_validator

from chotso.characters import is_known
from chotso.errors import ChotsoError
from chotso.registers import Name
from chotso.strict_models import StrictModel, faults_of
from chotso.verifier.verify import SIGNER, is_public_key
from chotso.yaml_reader import NotYamlError, read_yaml

REGISTER = "config/signers.yml"


class Signer(StrictModel):
    """One person. `public_key` is always 64 hex digits, in whichever form the register has it."""

    id: Annotated[str, StringConstraints(pattern=f"^{SIGNER.pattern}$")]
    name: Name
    public_key: str

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if not is_known(name):
            raise ValueError("holds a character that Unicode 14.0 does not know")
        return name

    @field_validator("public_key")
    @classmethod
    def _is_an_ed25519_key(cls, text: str) -> str:
        key = _key_bytes(text.strip())
        if key is None or not is_public_key(key):
            raise ValueError("is no Ed25519 public key (64 hex digits, base64 or PEM)")
        return key.hex()


class SignerRegister(StrictModel):
    """`config/signers.yml`: distinct persons with distinct keys."""

    signers: list[Signer] = Field(default_factory=list)

    @model_validator(mode="after")
    def _are_distinct(self) -> "SignerRegister":
        for field in ("id", "public_key"):
            if len({getattr(each, field) for each in self.signers}) < len(self.signers):
                raise ValueError(f"two signers have the same {field}")
        return self


def signers_of(configuration: Mapping[str, bytes]) -> list[dict[str, Any]]:
    """The signers ordered by id, as the manifest lists them; none without a register.

    Args:
        configuration: Bytes by project path.

    Raises:
        ChotsoError: The register is not well-formed.
    """
    if REGISTER not in configuration:
        return []
    try:
        register = SignerRegister.of_content(read_yaml(configuration[REGISTER]))
    except (ValidationError, NotYamlError) as error:
        raise ChotsoError(
            f"{REGISTER} is not well-formed: {'; '.join(faults_of(error))}.",
            kept="nothing was sealed.",
            next_step=f"mend {REGISTER}, then run the command again.",
        ) from error
    return sorted((each.model_dump() for each in register.signers), key=lambda each: each["id"])


def _key_bytes(text: str) -> bytes | None:
    if text.startswith("-----BEGIN"):
        try:
            key = load_pem_public_key(text.encode())
        except (ValueError, UnsupportedAlgorithm):
            return None
        return key.public_bytes_raw() if isinstance(key, Ed25519PublicKey) else None
    for decode in (bytes.fromhex, lambda each: base64.b64decode(each, validate=True)):
        try:
            found = decode(text)
        except (ValueError, binascii.Error):
            continue
        if len(found) == 32:
            return found
    return None

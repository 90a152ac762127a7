"""Random numbers by purpose: the numbers of one part never depend on those of another part."""

import hashlib

import numpy as np


def stream(seed: int, purpose: str) -> np.random.Generator:
    """A generator that depends only on the seed and the purpose's name."""
    digest = hashlib.sha256(purpose.encode()).digest()
    words = [int.from_bytes(digest[i : i + 4], "big") for i in range(0, 16, 4)]
    return np.random.Generator(np.random.PCG64(np.random.SeedSequence([seed, *words])))


def choice_by_name(name: str, ways: int) -> int:
    """A number below `ways` that depends only on the name; for the format of files."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") % ways

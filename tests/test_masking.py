"""What leaves in an error: no secret, and no value that a server quotes."""

import pytest

from chotso.masking import first_line_without_values

NUMBER = "0123456789"
NAME = "Nguyễn O'Brien"


@pytest.mark.parametrize(
    "said",
    [
        f'invalid input syntax for type date: "{NUMBER}"',
        f'invalid input syntax for type date: "{NUMBER}\n{NAME}"',
        f'invalid input syntax for type date: "{NUMBER}\nDETAIL: {NAME}"',
        f"the name '{NAME} {NUMBER}' is not known",
        f"the names '{NAME}' and '{NUMBER}' are not known",
        f'duplicate key value violates "k"\nDETAIL:  Key (so)=({NUMBER}) "{NAME}" exists.',
        f"(psycopg.Error) bad value \"{NUMBER}\"\n[SQL: select '{NAME}']",
        f"cut off: «{NUMBER}",
        f'cut off: "{NUMBER}',
    ],
)
def test_no_value_is_left(said: str) -> None:
    told = first_line_without_values(ValueError(said))
    assert told.strip()
    assert "\n" not in told
    for value in (NUMBER, "Nguyễn", "Brien"):
        assert value not in told


def test_what_quotes_nothing_stays() -> None:
    said = "could not connect: the host can't be reached"
    assert first_line_without_values(OSError(said)) == said
    assert first_line_without_values(OSError()) == "OSError"

"""Names of feeds and rules, by the contracts and the rule register that a release is sealed with.

Both registers are in the manifest by hash. A code that they do not have stays as it is.
"""

from functools import cache

from chotso.contracts import contracts
from chotso.ingest.rules import register
from chotso.reports.words import shown


def feed_name(code: str) -> str:
    """A feed's Vietnamese name."""
    contract = contracts().get(code)
    return contract.title.split(" — ", 1)[0] if contract else shown(code, 60)


def rule_sentence(rule_id: str) -> str:
    """What a rule demands, in Vietnamese."""
    return _sentences().get(rule_id, shown(rule_id, 80))


@cache
def _sentences() -> dict[str, str]:
    return {rule.id: rule.sentence_vi for rule in register()}

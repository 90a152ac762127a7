"""The registers of `config/`: periods, measures dated by month, and metrics, as typed data.

Exemptions from rules are a register, too, and are stored and hashed with these. Only the loader
reads it (see `chotso.ingest.exemptions`). Configurations from before it or the labels existed stay
valid.

A build records the content of these files (all of `config/*.yml`, not `config/feeds/`) by its
sha256, so that a past night can be rebuilt with the configuration of its time.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)

from chotso import PROJECT_ROOT
from chotso.errors import ChotsoError
from chotso.label_register import LabelRegister
from chotso.paper_register import PaperRegister
from chotso.strict_models import StrictModel, faults_of, refuse_twice
from chotso.yaml_reader import NotYamlError, read_yaml

CONFIG_DIR = PROJECT_ROOT / "config"
REGISTERS = ("periods", "measures", "metrics")

Configuration = dict[str, Any]  # file name without suffix → its content, JSON types only

Code = Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
Name = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Month = Annotated[str, StringConstraints(pattern=r"^\d{4}-(0[1-9]|1[0-2])$")]
_Register = TypeVar("_Register", bound=StrictModel)
Weight = Annotated[Decimal, Field(ge=0)]
RankingObstacle = Literal["gate_failed", "no_plan", "plan_zero", "no_figure"]
OBSTACLES: tuple[RankingObstacle, ...] = ("gate_failed", "no_plan", "plan_zero", "no_figure")
Variant = Literal[
    "total_receivable", "total_plan", "interest_bearing_receivable", "interest_bearing_plan"
]


class Metric(StrictModel):
    """One metric: its names, how it is measured, and when its plan is met."""

    code: Code
    name_vi: Name
    name_en: Name
    unit: Literal["person", "vnd", "fraction"]
    kind: Literal["stock", "flow", "ratio"]
    direction: Literal["at_least", "below"]
    additivity: Literal["agencies_and_months", "none"]
    plan_code: Code
    scheme: Literal["si_compulsory", "si_voluntary", "ui", "hi"] | None = None
    funds: list[Code] = Field(default_factory=list)
    group: Literal["si", "ui", "hi", "total"] | None = None
    denominator: Code | None = None

    @model_validator(mode="after")
    def _has_what_its_kind_needs(self) -> Self:
        needed: dict[str, dict[str, object]] = {
            "stock": {"scheme": self.scheme},
            "flow": {"funds": self.funds},
            "ratio": {"group": self.group, "denominator": self.denominator},
        }
        missing = [name for name, value in needed[self.kind].items() if not value]
        if missing:
            raise ValueError(f"metric {self.code} of kind {self.kind} lacks {', '.join(missing)}")
        return self


class Fund(StrictModel):
    """One fund, and its group in the employers' accounts, if any."""

    code: Code
    name_vi: Name
    name_en: Name
    group: Literal["si", "ui", "hi"] | None


class MetricRegister(StrictModel):
    """`config/metrics.yml`."""

    metrics: list[Metric] = Field(min_length=1)
    funds: list[Fund] = Field(min_length=1)

    @model_validator(mode="after")
    def _refers_to_itself(self) -> Self:
        refuse_twice("metric", [metric.code for metric in self.metrics])
        refuse_twice("plan_code", [metric.plan_code for metric in self.metrics])
        refuse_twice("fund", [fund.code for fund in self.funds])
        funds = {fund.code for fund in self.funds}
        flows = {metric.code for metric in self.metrics if metric.kind == "flow"}
        for metric in self.metrics:
            if unknown := sorted(set(metric.funds) - funds):
                raise ValueError(f"metric {metric.code} names unknown funds {unknown}")
            if metric.denominator is not None and metric.denominator not in flows:
                raise ValueError(
                    f"metric {metric.code}: {metric.denominator} is no collection metric"
                )
        return self


class _Dated(StrictModel):
    from_month: Month = Field(alias="from")


class DatedVariant(_Dated):
    """The official variant of arrears, from a month on."""

    value: Variant


class DatedFlag(_Dated):
    """A yes or no, from a month on."""

    value: bool


class DebtClass(StrictModel):
    """A class of debt: at least so many months, and less than the next class."""

    code: Code
    name_vi: Name
    name_en: Name
    from_months: int = Field(ge=0)


class DatedDebtClasses(_Dated):
    """The classes of debt, from a month on."""

    classes: list[DebtClass] = Field(min_length=1)
    hard_to_collect_statuses: list[Code]


class DatedInterestRates(_Dated):
    """Per cent per month on interest-bearing arrears; null means unknown."""

    si_percent_per_month: Decimal | None
    hi_percent_per_month: Decimal | None


class DatedPace(_Dated):
    """What is due of the year's plan in each month; None is linear by day."""

    monthly_shares: list[Annotated[Decimal, Field(ge=0)]] | None = None

    @model_validator(mode="after")
    def _is_a_year(self) -> Self:
        shares = self.monthly_shares
        if shares is not None and (len(shares) != 12 or sum(shares) != 1):
            raise ValueError("monthly_shares must be twelve shares that add up to 1")
        return self


class MeasureRegister(StrictModel):
    """`config/measures.yml`: each list is ordered by month; an entry is valid until the next."""

    first_year: int = Field(ge=1995, le=2100)
    official_arrears_variant: list[DatedVariant] = Field(min_length=1)
    is_interest_collected: list[DatedFlag] = Field(min_length=1)
    debt_classes: list[DatedDebtClasses] = Field(min_length=1)
    interest_rates: list[DatedInterestRates] = Field(min_length=1)
    # configurations from before it existed stay valid: they are linear by day
    pace: list[DatedPace] = Field(default_factory=list)

    @model_validator(mode="after")
    def _covers_every_month(self) -> Self:
        for name in (
            "official_arrears_variant",
            "is_interest_collected",
            "debt_classes",
            "interest_rates",
        ):
            months = [entry.from_month for entry in getattr(self, name)]
            if months != sorted(set(months)):
                raise ValueError(f"{name}: entries must be ordered by month, each month once")
            if months[0] > f"{self.first_year}-01":
                raise ValueError(f"{name}: nothing is said from {self.first_year}-01")
        paces = [entry.from_month for entry in self.pace]
        if paces != sorted(set(paces)):
            raise ValueError("pace: entries must be ordered by month, each month once")
        return self


class PointsFormula(StrictModel):
    """How points are given: a share of the weight for the plan met, the rest for exceeding it."""

    share_at_target: Decimal = Field(default=Decimal("0.5"), ge=0, le=1)
    excess: Literal["share_of_target", "amount"] = "share_of_target"


class Period(StrictModel):
    """One emulation period; only events before `cutoff_at` (an instant, exclusive) count.

    Fields of the ranking have defaults, so configurations from before the ranking stay valid.
    """

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,46}$")]
    name_vi: Name
    name_en: Name
    starts_on: date
    cutoff_at: AwareDatetime
    time_zone: str
    gates: list[Code]
    weights: dict[Code, Weight]
    officer_weights: dict[Code, Weight] | None = None
    points: PointsFormula = PointsFormula()
    decimals: int = Field(default=4, ge=0, le=9)
    ties: list[Code] = Field(default_factory=list)
    not_considered_when: list[RankingObstacle] = Field(default_factory=lambda: list(OBSTACLES))
    limits: dict[str, Decimal]
    withheld_employer_groups: list[Code] = Field(default_factory=list)

    @property
    def metric_codes(self) -> set[str]:
        """Every metric that the period names."""
        named = (self.gates, self.weights, self.officer_weights or {}, self.ties)
        return {code for codes in named for code in codes}

    @field_validator("time_zone")
    @classmethod
    def _is_a_zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise ValueError(f"{name!r} is no time zone") from error
        return name

    @field_validator("id")
    @classmethod
    def _is_no_corrigendum(cls, value: str) -> str:
        # releases are named by the period, corrigenda by the period with -c1, -c2, …
        if re.search(r"-c\d+$", value):
            raise ValueError("an id ending in -c and a number would read as a corrigendum")
        if value == "rehearsal" or value.startswith("rehearsal-"):
            raise ValueError("an id that begins with rehearsal would read as a rehearsal")
        return value

    @model_validator(mode="after")
    def _starts_before_it_ends(self) -> Self:
        local = self.cutoff_at.astimezone(ZoneInfo(self.time_zone))
        if self.starts_on > local.date():
            raise ValueError(f"period {self.id} starts after its cutoff")
        if local.utcoffset() != self.cutoff_at.utcoffset():
            raise ValueError(f"period {self.id}: the cutoff's offset is not that of its time zone")
        return self

    @model_validator(mode="after")
    def _names_each_once(self) -> Self:
        refuse_twice("gate", self.gates)
        refuse_twice("tie", self.ties)
        refuse_twice("not_considered_when", list(self.not_considered_when))
        return self


class PeriodRegister(StrictModel):
    """`config/periods.yml`."""

    periods: list[Period] = Field(min_length=1)

    @model_validator(mode="after")
    def _has_each_once(self) -> Self:
        refuse_twice("period", [period.id for period in self.periods])
        return self


class Registers(BaseModel):
    """All registers, and the content that they were read from."""

    model_config = ConfigDict(frozen=True)

    periods: tuple[Period, ...]
    measures: MeasureRegister
    metrics: MetricRegister
    labels: LabelRegister
    papers: PaperRegister
    configuration: Configuration

    @cached_property
    def sha256(self) -> str:
        """The hash of the configuration's canonical JSON (sorted keys, no blanks, UTF-8)."""
        return configuration_sha256(self.configuration)

    def period(self, period_id: str) -> Period:
        """The period with this id.

        Raises:
            ChotsoError: The register has no such period.
        """
        for period in self.periods:
            if period.id == period_id:
                return period
        known = ", ".join(period.id for period in self.periods)
        raise ChotsoError(
            f"There is no period {period_id!r} in config/periods.yml.",
            next_step=f"name one of: {known}.",
        )


def load_registers(config_dir: Path = CONFIG_DIR) -> Registers:
    """The current registers in `config_dir`.

    Raises:
        ChotsoError: A file is missing or wrong; the text names the place.
    """
    return parse_registers(read_configuration(config_dir), source=str(config_dir))


def read_configuration(config_dir: Path = CONFIG_DIR) -> Configuration:
    """Content of every `*.yml` of the folder by name; dates and decimals stay text, as written."""
    content: Configuration = {}
    for path in sorted(config_dir.glob("*.yml")):
        try:
            content[path.stem] = read_yaml(path.read_bytes())
        except NotYamlError as error:
            raise _wrong(path.name, str(error)) from error
    return content


def parse_registers(configuration: Mapping[str, Any], *, source: str = "config") -> Registers:
    """Registers from content read earlier (`ops.build.config`) or just now.

    Raises:
        ChotsoError: A register is missing or wrong; the text names the place.
    """
    for name in REGISTERS:
        if name not in configuration:
            raise ChotsoError(
                f"{name}.yml is missing in {source}.", next_step=f"restore {name}.yml there."
            )
    periods = parse_register(PeriodRegister, configuration, "periods").periods
    metrics = parse_register(MetricRegister, configuration, "metrics")
    codes = {metric.code for metric in metrics.metrics}
    for period in periods:
        if unknown := sorted(period.metric_codes - codes):
            raise _wrong("periods.yml", f"period {period.id} names unknown metrics {unknown}")
    # configurations from before these registers have none
    papers = parse_register(PaperRegister, {"papers": {}, **configuration}, "papers")
    labels = parse_register(LabelRegister, {"labels": {}, **configuration}, "labels")
    return Registers(
        periods=tuple(periods),
        measures=parse_register(MeasureRegister, configuration, "measures"),
        metrics=metrics,
        labels=labels,
        papers=papers,
        configuration=dict(configuration),
    )


def configuration_sha256(configuration: Mapping[str, Any]) -> str:
    """Hex sha256 of the configuration's canonical JSON."""
    text = json.dumps(
        configuration, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )
    return hashlib.sha256(text.encode()).hexdigest()


def parse_register(
    model: type[_Register], configuration: Mapping[str, Any], name: str
) -> _Register:
    """One register, from content that `read_configuration` returned.

    Raises:
        ChotsoError: The content is wrong; the text names the place.
    """
    try:
        return model.of_content(configuration[name])
    except ValidationError as error:
        raise _wrong(f"{name}.yml", "; ".join(faults_of(error))) from error


def _wrong(file: str, why: str) -> ChotsoError:
    return ChotsoError(
        f"config/{file} is wrong: {why}.",
        kept="nothing was published or built by this; readers see what they saw.",
        next_step=f"mend config/{file} and run this again.",
    )

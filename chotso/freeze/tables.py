"""The data files of a release and their columns.

`attainment` and `arrears_ratio` are the facts whole, each row with its own copy of the names and
parents that were in force in its month: codes outlive the units that bear them.
"""

from chotso.freeze.canonical import table

ATTAINMENT = table(
    "attainment",
    "agency_code month metric_code",
    """
    agency_code text
    agency_name text
    parent_agency_code text
    parent_agency_name text
    month date
    metric_code text
    metric_name_vi text
    metric_name_en text
    unit_code text
    kind_code text
    direction_code text
    actual_month figure
    actual_to_date figure
    numerator integer
    denominator integer
    plan_original figure
    plan_in_force figure
    attainment_ratio ratio
    is_met boolean
    quarantined_money integer
    known_at instant
    agency_key text
    plan_final figure
    plan_status_code text
    """,
)
ARREARS_RATIO = table(
    "arrears_ratio",
    "agency_code month group_code variant_code",
    """
    agency_code text
    agency_name text
    parent_agency_code text
    parent_agency_name text
    month date
    group_code text
    variant_code text
    numerator integer
    denominator integer
    ratio ratio
    is_met boolean
    is_official boolean
    agency_key text
    has_differing_verdicts boolean
    """,
)
AGENCIES = table(
    "agencies",
    "agency_key",
    """
    agency_key text
    agency_code text
    agency_name text
    parent_agency_code text
    level_number integer
    district_code text
    valid_from_date date
    valid_to_date date
    """,
)
METRICS = table(
    "metrics",
    "metric_code",
    """
    metric_code text
    metric_name_vi text
    metric_name_en text
    unit_code text
    kind_code text
    direction_code text
    additivity_code text
    """,
)
PLANS = table(
    "plans",
    "object_type_code object_code plan_year metric_code effective_from_date signed_date "
    "decision_code",
    """
    object_type_code text
    object_code text
    plan_year integer
    metric_code text
    effective_from_date date
    signed_date date
    decision_code text
    assigner_name text
    unit_code text
    kind_code text
    plan_value figure
    """,
)

TABLES = (AGENCIES, ARREARS_RATIO, ATTAINMENT, METRICS, PLANS)
FROZEN = (ATTAINMENT, ARREARS_RATIO)
"""Those that are also tables of the schema `frozen`, with the release's id before their columns."""

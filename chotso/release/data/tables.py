"""The data files of a release and their columns; `sql/<name>.sql` reads each from a build.

Rows have copies of the names and parents that were in force in their month, because codes are used
longer than the units exist. `attainment` and `arrears_ratio` have all columns of their marts.
"""

from chotso.release.data.canonical import table

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
    plan_original plan
    plan_in_force plan
    attainment_ratio ratio
    is_met boolean
    quarantined_money integer
    known_at instant
    agency_key text
    plan_final plan
    plan_status_code text
    quarantined_to_date integer
    is_province boolean
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
    is_province boolean
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
    plan_value plan
    """,
)

EMPLOYER_ARREARS = table(
    "employer_arrears",
    "employer_code month",
    """
    employer_code text
    employer_name text
    is_name_withheld boolean
    agency_code text
    agency_name text
    parent_agency_code text
    parent_agency_name text
    month date
    stated_at instant
    arrears_si_vnd integer
    arrears_ui_vnd integer
    arrears_hi_vnd integer
    arrears_vnd integer
    interest_bearing_arrears_vnd integer
    surplus_vnd integer
    interest_closing_vnd integer
    months_owed_count ratio
    debt_class_code text
    employer_status_code text
    """,
)
OFFICER_ATTAINMENT = table(
    "officer_attainment",
    "agency_code officer_code month metric_code",
    """
    agency_code text
    agency_name text
    parent_agency_code text
    parent_agency_name text
    officer_code text
    officer_name text
    is_own_agency boolean
    month date
    metric_code text
    unit_code text
    kind_code text
    direction_code text
    actual_month figure
    actual_to_date figure
    numerator integer
    denominator integer
    plan_original plan
    plan_in_force plan
    plan_final plan
    plan_status_code text
    attainment_ratio ratio
    is_met boolean
    """,
)
RANKING = table(
    "ranking",
    "participant_type participant_code",
    """
    participant_type text
    participant_code text
    participant_name text
    agency_code text
    agency_name text
    province_code text
    measured_month date
    is_at_cutoff boolean
    is_considered boolean
    not_considered_code text
    not_considered_reason_vi text
    not_considered_reason_en text
    total_points ratio
    full_points ratio
    rank_number integer
    tie_broken_by text
    is_rank_shared boolean
    explanation_vi text
    explanation_en text
    """,
)
RANKING_POINTS = table(
    "ranking_points",
    "participant_type participant_code metric_code",
    """
    participant_type text
    participant_code text
    metric_code text
    metric_name_vi text
    kind_code text
    measured_month date
    actual_to_date figure
    plan_in_force plan
    attainment_ratio ratio
    weight_points ratio
    is_gate boolean
    result_code text
    excess_ratio ratio
    leader_codes text
    leader_excess_ratio ratio
    points ratio
    explanation_vi text
    explanation_en text
    """,
)
RECONCILIATION = table(
    "reconciliation",
    "agency_code month group_code category_code",
    """
    agency_code text
    agency_name text
    month date
    group_code text
    category_code text
    category_name_vi text
    row_count integer
    allocated_vnd integer
    paid_vnd integer
    difference_vnd integer
    """,
)
QUARANTINE = table(
    "quarantine",
    "feed_code rule_id",
    """
    feed_code text
    rule_id text
    row_count integer
    money_vnd integer
    first_seen_at instant
    last_seen_at instant
    """,
)
MONEY_AT_STAKE = table(
    "money_at_stake",
    "agency_code kind_code",
    """
    agency_code text
    agency_name text
    month date
    kind_code text
    at_stake_vnd integer
    """,
)
KNOWN_ISSUES = table(
    "known_issues",
    "issue_code subject_code",
    """
    issue_code text
    subject_code text
    sentence_vi text
    sentence_en text
    """,
)
CHECKS = table(
    "checks",
    "check_code",
    """
    check_code text
    name_vi text
    name_en text
    is_met boolean
    observed text
    wanted text
    is_overridden boolean
    override_reason text
    overridden_by text
    """,
)

CHANGES = table(
    "changes",
    "table_name row_key column_name",
    """
    table_name text
    row_key text
    column_name text
    change_code text
    value_before text
    value_after text
    """,
)

LATE_CHANGES = table(
    "late_changes",
    "feed item_key reason_code agency_code metric_code month",
    """
    feed text
    item_key text
    reason_code text
    agency_code text
    metric_code text
    month date
    last_month date
    unit_code text
    amount plan
    base_amount integer
    known_at instant
    delivery_name text
    input_sha256 text
    """,
)

TABLES = (
    AGENCIES,
    ARREARS_RATIO,
    ATTAINMENT,
    CHECKS,
    EMPLOYER_ARREARS,
    KNOWN_ISSUES,
    METRICS,
    MONEY_AT_STAKE,
    OFFICER_ATTAINMENT,
    PLANS,
    QUARANTINE,
    RANKING,
    RANKING_POINTS,
    RECONCILIATION,
)
CORRECTION = (CHANGES, LATE_CHANGES)
"""What a corrigendum has besides."""

COMPARED = tuple(
    data_file
    for data_file in TABLES
    if data_file not in (CHECKS, KNOWN_ISSUES, MONEY_AT_STAKE, QUARANTINE)
)
"""What a corrigendum is compared in; the others say how things stood when a release was made."""
NOT_COMPARED_COLUMNS = frozenset({"known_at", "stated_at"})
"""When a figure became known, which differs from release to release and is no figure."""

FROZEN = (ATTAINMENT, ARREARS_RATIO, EMPLOYER_ARREARS, OFFICER_ATTAINMENT, RANKING)
"""Those that are also tables of the schema `frozen`, with the release's id before their columns."""

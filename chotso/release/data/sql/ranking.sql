select
    ranking.participant_type,
    ranking.participant_code,
    ranking.participant_name,
    ranking.agency_code,
    agency.agency_name,
    ranking.province_code,
    ranking.measured_month,
    ranking.is_at_cutoff,
    ranking.is_considered,
    ranking.not_considered_code,
    ranking.not_considered_reason_vi,
    ranking.not_considered_reason_en,
    ranking.total_points,
    ranking.full_points,
    ranking.rank_number,
    ranking.tie_broken_by,
    ranking.is_rank_shared,
    ranking.explanation_vi,
    ranking.explanation_en
from {schema}.rpt_emulation_ranking as ranking
left join {schema}.dim_agency as agency on ranking.agency_key = agency.agency_key
where ranking.period_id = {period_id}

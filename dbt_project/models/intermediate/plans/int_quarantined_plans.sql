-- Đồng of plans set aside that could belong to an agency, per agency × month. Per object it is the
-- largest total or sum of parts in the year's lines, because one decision replaces another. A
-- province's plan, its agencies' plans and their officers' plans are the same đồng, so only the
-- largest of the three counts.
with named as (
    select
        plans.plan_year,
        case plans.object_type_code
            when 'agency' then agencies.agency_code
            when 'officer' then officers.agency_code
        end as agency_code,
        plans.object_type_code,
        coalesce(plans.object_code, 'row ' || plans.quarantine_id) as object_code,
        plans.plan_code,
        plans.metric_code = 'collection_total' as is_total,
        abs(plans.plan_value) as plan_vnd
    from {{ ref('stg_quarantined_plans') }} as plans
    left join {{ ref('stg_agencies') }} as agencies on plans.object_code = agencies.agency_code
    left join {{ ref('stg_officers') }} as officers on plans.object_code = officers.officer_code
    left join {{ ref('int_metrics') }} as metrics on plans.metric_code = metrics.metric_code
    -- an unreadable measure may be money
    where metrics.kind_code is null or metrics.kind_code = 'flow'
),

lines as (
    select
        plan_year,
        agency_code,
        object_type_code,
        object_code,
        plan_code,
        is_total,
        max(plan_vnd) as plan_vnd
    from named
    group by plan_year, agency_code, object_type_code, object_code, plan_code, is_total
),

objects as (
    select
        plan_year,
        agency_code,
        object_type_code,
        greatest(
            coalesce(sum(plan_vnd) filter (where is_total), 0),
            coalesce(sum(plan_vnd) filter (where is_total is not true), 0)
        ) as plan_vnd
    from lines
    group by plan_year, agency_code, object_type_code, object_code
),

placed as (
    select
        universe.agency_code,
        universe.month,
        case
            when objects.agency_code is null then 'unknown'
            when objects.object_type_code = 'officer' then 'officers'
            when objects.agency_code = universe.agency_code then 'own'
            else 'members'
        end as level_code,
        objects.plan_vnd
    from {{ ref('int_agency_months') }} as universe
    inner join objects on objects.plan_year is null or universe.plan_year = objects.plan_year
    left join {{ ref('int_agency_members') }} as members
        on
            universe.agency_code = members.agency_code
            and objects.agency_code = members.member_agency_code
    where objects.agency_code is null or members.agency_code is not null
),

levels as (
    select
        agency_code,
        month,
        level_code,
        sum(plan_vnd) as plan_vnd
    from placed
    group by agency_code, month, level_code
),

final as (
    select
        agency_code,
        month,
        coalesce(max(plan_vnd) filter (where level_code <> 'unknown'), 0)
        + coalesce(max(plan_vnd) filter (where level_code = 'unknown'), 0) as plan_vnd
    from levels
    group by agency_code, month
)

select * from final

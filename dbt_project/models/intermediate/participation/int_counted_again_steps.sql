-- Persons who are counted again are found by where each is active, not computed as a difference.
{%- set keys = ['agency_code', 'scheme_code', 'month'] %}
with islands as (
    select
        members.agency_code,
        islands.scheme_code,
        islands.person_id,
        islands.from_month,
        islands.to_month,
        islands.sign
    from {{ ref('int_participation_islands') }} as islands
    inner join {{ ref('int_agency_members') }} as members
        on islands.agency_code = members.member_agency_code
    where
        islands.place_type = 'filed'
        and islands.health_group_number is null
        and islands.person_id is not null
),

place_changes as (
    select
        agency_code,
        scheme_code,
        person_id,
        sign,
        from_month as month,
        1 as place_change_count
    from islands
    union all
    select
        agency_code,
        scheme_code,
        person_id,
        sign,
        (to_month + interval '1 month')::date as month,
        -1 as place_change_count
    from islands
),

person_steps as (
    select
        agency_code,
        scheme_code,
        person_id,
        sign,
        month,
        sum(place_change_count) as place_change_count
    from place_changes
    group by agency_code, scheme_code, person_id, sign, month
),

person_places as (
    select
        *,
        sum(place_change_count) over (
            partition by sign, agency_code, scheme_code, person_id order by month
        ) as place_count
    from person_steps
),

changes as (
    select
        agency_code,
        scheme_code,
        month,
        sum(
            sign
            * (greatest(place_count - 1, 0) - greatest(place_count - place_change_count - 1, 0))
        ) as again_change_count
    from person_places
    group by agency_code, scheme_code, month
),

final as (
    {{ added_to_kept('changes', keys, ['again_change_count'], 'int_counted_again_steps') }}
)

select * from final

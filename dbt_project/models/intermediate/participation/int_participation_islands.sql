-- Islands: months without a gap in which a person is active at a place. A place is a code under
-- which spells are filed, or a province with all its members. Rows without a group are for the
-- whole scheme; health insurance also has rows per group. A move inside a place is neither leaving
-- nor joining.
with members as (
    select * from {{ ref('int_agency_members') }}
),

places as (
    select
        'filed' as place_type,
        agency_code,
        member_agency_code
    from members
    where agency_code = member_agency_code
    union all
    select
        'province' as place_type,
        members.agency_code,
        members.member_agency_code
    from members
    inner join {{ ref('stg_agencies') }} as agencies
        on members.agency_code = agencies.agency_code
    where agencies.is_province
),

spells as (
    select
        agency_code,
        scheme_code,
        null::smallint as health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        person_count
    from {{ ref('int_participation_spells') }}
    union all
    select
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        person_count
    from {{ ref('int_participation_spells') }}
    where scheme_code = 'hi' and health_group_number is not null
),

placed as (
    select
        places.place_type,
        places.agency_code,
        spells.scheme_code,
        spells.health_group_number,
        spells.person_id,
        spells.from_month,
        spells.to_month,
        spells.sign,
        spells.person_count
    from spells
    inner join places on spells.agency_code = places.member_agency_code
),

reached as (
    select
        *,
        max(to_month) over (
            partition by sign, place_type, agency_code, scheme_code, health_group_number, person_id
            order by from_month, to_month
            rows between unbounded preceding and 1 preceding
        ) as reached_month
    from placed
    where person_id is not null
),

numbered as (
    select
        *,
        count(*) filter (
            where reached_month is null or reached_month + interval '1 month' < from_month
        ) over (
            partition by sign, place_type, agency_code, scheme_code, health_group_number, person_id
            order by from_month, to_month
            rows unbounded preceding
        ) as island_number
    from reached
),

joined as (
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        sign,
        min(from_month) as from_month,
        max(to_month) as to_month
    from numbered
    group by
        place_type, agency_code, scheme_code, health_group_number, person_id, sign, island_number
),

-- Islands of each agency and of its provinces, in the order of months. The province's newest island
-- contains the agency's. If it is longer, the person was elsewhere in the province before or after.
-- (For a join by person, the planner would have to guess the number of rows.)
side_by_side as (
    select
        agency_code as province_code,
        null::text as agency_code,
        scheme_code,
        person_id,
        sign,
        from_month,
        to_month
    from joined
    where place_type = 'province' and health_group_number is null
    union all
    select
        members.agency_code as province_code,
        joined.agency_code,
        joined.scheme_code,
        joined.person_id,
        joined.sign,
        joined.from_month,
        joined.to_month
    from joined
    inner join members
        on
            joined.agency_code = members.member_agency_code
            and joined.agency_code <> members.agency_code
    where joined.place_type = 'filed' and joined.health_group_number is null
),

around as (
    select
        *,
        max(from_month) filter (where agency_code is null) over by_month as around_from_month,
        max(to_month) filter (where agency_code is null) over by_month as around_to_month
    from side_by_side
    window
        by_month as (
            partition by sign, province_code, scheme_code, person_id
            order by from_month, agency_code nulls first
            rows unbounded preceding
        )
),

linked as (
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        false as is_transferred_in,
        false as is_transferred_out
    from joined
    union all
    select
        'filed' as place_type,
        agency_code,
        scheme_code,
        null::smallint as health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        around_from_month < from_month as is_transferred_in,
        around_to_month > to_month as is_transferred_out
    from around
    where agency_code is not null
),

final as (
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        person_count,
        false as is_transferred_in,
        false as is_transferred_out
    from placed
    where person_id is null
    union all
    select
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign,
        1 as person_count,
        bool_or(is_transferred_in) as is_transferred_in,
        bool_or(is_transferred_out) as is_transferred_out
    from linked
    group by
        place_type,
        agency_code,
        scheme_code,
        health_group_number,
        person_id,
        from_month,
        to_month,
        sign
)

select * from final

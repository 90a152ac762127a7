-- Months without a gap that a person is active at a place: a code under which spells are filed, or
-- a province with all its members. Beside the whole scheme (no group), health insurance has its
-- groups. Who moves inside one place neither leaves nor joins it.
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
        spells.person_count
    from spells
    inner join places on spells.agency_code = places.member_agency_code
),

reached as (
    select
        *,
        max(to_month) over (
            partition by place_type, agency_code, scheme_code, health_group_number, person_id
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
            partition by place_type, agency_code, scheme_code, health_group_number, person_id
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
        min(from_month) as from_month,
        max(to_month) as to_month
    from numbered
    group by
        place_type, agency_code, scheme_code, health_group_number, person_id, island_number
),

-- the province's island around an agency's own: where it is longer, the person was or stayed there
moved as (
    select
        filed.agency_code,
        filed.scheme_code,
        filed.person_id,
        filed.from_month,
        bool_or(around.from_month < filed.from_month) as is_transferred_in,
        bool_or(around.to_month > filed.to_month) as is_transferred_out
    from joined as filed
    inner join members
        on
            filed.agency_code = members.member_agency_code
            and filed.agency_code <> members.agency_code
    inner join joined as around
        on
            around.place_type = 'province'
            and members.agency_code = around.agency_code
            and filed.scheme_code = around.scheme_code
            and filed.person_id = around.person_id
            and filed.from_month >= around.from_month
            and filed.to_month <= around.to_month
    where
        filed.place_type = 'filed'
        and filed.health_group_number is null
        and around.health_group_number is null
    group by filed.agency_code, filed.scheme_code, filed.person_id, filed.from_month
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
        person_count,
        false as is_transferred_in,
        false as is_transferred_out
    from placed
    where person_id is null
    union all
    select
        joined.place_type,
        joined.agency_code,
        joined.scheme_code,
        joined.health_group_number,
        joined.person_id,
        joined.from_month,
        joined.to_month,
        1 as person_count,
        coalesce(moved.is_transferred_in, false) as is_transferred_in,
        coalesce(moved.is_transferred_out, false) as is_transferred_out
    from joined
    left join moved
        on
            joined.place_type = 'filed'
            and joined.health_group_number is null
            and joined.agency_code = moved.agency_code
            and joined.scheme_code = moved.scheme_code
            and joined.person_id = moved.person_id
            and joined.from_month = moved.from_month
)

select * from final

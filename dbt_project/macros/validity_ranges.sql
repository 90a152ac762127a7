{# The versions of a register's members: one row per version, with the days on which it is valid.

   The first version is valid from the beginning. A later one is valid from `starts_on` if the
   register dates its changes, otherwise from the local day on which the change became known. If a
   later version is valid from the same day or before, the earlier version is left out. #}

{% macro validity_ranges(versions, code, key, attributes, starts_on) -%}
    compared as (
        select
            {{ code }},
            {%- for attribute in attributes %}
            {{ attribute }},
            {%- endfor %}
            known_at,
            {{ starts_on }} as dated_from_date,
            lag({{ starts_on }}) over by_time as earlier_dated_from_date,
            jsonb_build_array({{ attributes | join(', ') }}) as described,
            lag(jsonb_build_array({{ attributes | join(', ') }})) over by_time as described_before
        from {{ versions }}
        window by_time as (partition by {{ code }} order by known_at)
    ),

    dated as (
        select
            compared.*,
            case
                when described_before is null then date '-infinity'
                when
                    dated_from_date > coalesce(earlier_dated_from_date, date '-infinity')
                    then dated_from_date
                else {{ local_date('known_at') }}
            end as from_date
        from compared
        where described_before is null or described <> described_before
    ),

    followed as (
        select
            dated.*,
            min(from_date) over (
                partition by {{ code }} order by known_at desc
                rows between unbounded preceding and 1 preceding
            ) as next_from_date
        from dated
    ),

    final as (
        select
            {{ code }} || '|' || case
                when from_date = date '-infinity' then 'first'
                else to_char(from_date, 'YYYY-MM-DD')
            end as {{ key }},
            {{ code }},
            {%- for attribute in attributes %}
            {{ attribute }},
            {%- endfor %}
            dated_from_date,
            nullif(from_date, date '-infinity') as valid_from_date,
            next_from_date - 1 as valid_to_date,
            from_date as joined_from_date,
            coalesce(next_from_date - 1, date 'infinity') as joined_to_date,
            next_from_date is null as is_current
        from followed
        where next_from_date is null or from_date < next_from_date
    )
{%- endmacro %}

{# The key of the version on a day; a member that is in no register has only one key. #}
{% macro member_key(version, key, code) -%}
    coalesce({{ version }}.{{ key }}, {{ code }} || '|first')
{%- endmacro %}

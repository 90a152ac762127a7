{# What is kept of the last build for readers, so that a night counts changed persons alone: sums over
   all persons as that build counted them (`chotso/build/kept.py`). A build that keeps nothing, as
   every build of a past state or with a cutoff, counts all persons; it is the definition. #}

{# Whether sums are kept: then only changed persons are read, as they are and as they were. #}
{% macro has_kept() -%}
    {{ return(var('kept_as_known_at') is not none) }}
{%- endmacro %}

{# The copy of a model that the last build for readers left. #}
{% macro kept(model) -%}
    {{ target.schema }}.kept_{{ model }}
{%- endmacro %}

{# The instant of what is kept; never, without it. #}
{% macro kept_as_known_at() -%}
    timestamptz '{{ var("kept_as_known_at") or "-infinity" }}'
{%- endmacro %}

{% macro was_known() -%}
    known_from <= {{ kept_as_known_at() }}
    and (known_to is null or known_to > {{ kept_as_known_at() }})
{%- endmacro %}

{# Sums of the persons that were read, added to those that are kept of all. A sum over nobody is no
   row, as it is none where all persons are counted. #}
{% macro added_to_kept(relation, keys, counts, model) -%}
    select
        {{ keys | join(', ') }},
        {%- for count in counts %}
        sum({{ count }})::bigint as {{ count }}{{ ',' if not loop.last }}
        {%- endfor %}
    from (
        select {{ (keys + counts) | join(', ') }} from {{ relation }}
        {%- if has_kept() %}
        union all
        select {{ (keys + counts) | join(', ') }} from {{ kept(model) }}
        {%- endif %}
    ) as parts
    group by {{ keys | join(', ') }}
    having {% for count in counts %}sum({{ count }}) <> 0{{ ' or ' if not loop.last }}{% endfor %}
{%- endmacro %}

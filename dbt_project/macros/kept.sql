{# What is kept of the last build for readers, so that a night counts changed persons alone: sums over
   all persons as that build counted them (`chotso/build/kept.py`). A build that keeps nothing, as
   every build of a past state or with a cutoff, counts all persons; it is the definition. #}

{# The copy of a model that the last build for readers left; only such a build reads it. #}
{% macro kept(model) -%}
    marts_build.kept_{{ model }}
{%- endmacro %}

{# A model as the kept sums have it; without them, as it is. #}
{% macro as_it_was(model) -%}
    {% if var('kept_as_known_at') %}{{ kept(model) }}{% else %}{{ ref(model) }}{% endif %}
{%- endmacro %}

{# The instant of what is kept; never, without it. #}
{% macro kept_as_known_at() -%}
    timestamptz '{{ var("kept_as_known_at") or "-infinity" }}'
{%- endmacro %}

{% macro was_known() -%}
    known_from <= {{ kept_as_known_at() }}
    and (known_to is null or known_to > {{ kept_as_known_at() }})
{%- endmacro %}

{# Versions of rows that began or ended after what is kept; none, if nothing is. #}
{% macro changed_since_kept() -%}
    {%- if var('kept_as_known_at') -%}
        greatest(known_from, known_to) > {{ kept_as_known_at() }}
        and known_from <= {{ as_known_at() }}
    {%- else -%}
        false
    {%- endif -%}
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
        {%- if var('kept_as_known_at') %}
        union all
        select {{ (keys + counts) | join(', ') }} from {{ kept(model) }}
        {%- endif %}
    ) as parts
    group by {{ keys | join(', ') }}
    having {% for count in counts %}sum({{ count }}) <> 0{{ ' or ' if not loop.last }}{% endfor %}
{%- endmacro %}

{# Sums over all persons, kept from the last build for readers (`chotso/build/kept.py`). With them, a
   night counts only the persons who changed. Without them a build counts all persons: that is the
   definition. Builds of a past state, or with a cutoff, never use them. #}

{# The copy of a model kept by the last build for readers. Only builds for readers use it. #}
{% macro kept(model) -%}
    marts_build.kept_{{ model }}
{%- endmacro %}

{# The copy kept by the last build; the model itself if nothing was kept. #}
{% macro as_it_was(model) -%}
    {% if var('kept_as_known_at') %}{{ kept(model) }}{% else %}{{ ref(model) }}{% endif %}
{%- endmacro %}

{# When the kept sums were computed; -infinity if there are none. #}
{% macro kept_as_known_at() -%}
    timestamptz '{{ var("kept_as_known_at") or "-infinity" }}'
{%- endmacro %}

{% macro was_known() -%}
    known_from <= {{ kept_as_known_at() }}
    and (known_to is null or known_to > {{ kept_as_known_at() }})
{%- endmacro %}

{# Whether a row version began or ended after the sums were kept; false if there are none. #}
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

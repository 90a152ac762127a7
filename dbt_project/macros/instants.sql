{# The two instants that determine a build, and local time. #}

{% macro as_known_at() -%}
    {%- if execute and not var('as_known_at') -%}
        {{ exceptions.raise_compiler_error("the variable as_known_at is not set") }}
    {%- endif -%}
    timestamptz '{{ var("as_known_at") or "infinity" }}'
{%- endmacro %}

{# Without a cutoff it is infinity: all events are before it, and no query needs a special case. #}
{% macro event_cutoff() -%}
    timestamptz '{{ var("event_cutoff") or "infinity" }}'
{%- endmacro %}

{% macro is_known() -%}
    known_from <= {{ as_known_at() }} and (known_to is null or known_to > {{ as_known_at() }})
{%- endmacro %}

{# A row of quarantine.row that was set aside and neither replayed nor waived yet. #}
{% macro was_set_aside() -%}
    first_seen <= {{ as_known_at() }}
    and (resolved_at is null or resolved_at > {{ as_known_at() }})
{%- endmacro %}

{% macro local_timestamp(instant) -%}
    ({{ instant }} at time zone 'Asia/Ho_Chi_Minh')
{%- endmacro %}

{% macro local_date(instant) -%}
    {{ local_timestamp(instant) }}::date
{%- endmacro %}

{% macro local_month(instant) -%}
    date_trunc('month', {{ local_timestamp(instant) }})::date
{%- endmacro %}

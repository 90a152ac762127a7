{# Reads values of rows set aside, which are arbitrary text. An unreadable value must not stop a
   build, and PostgreSQL 15 has no cast that returns null, so each value is matched before it is
   cast. #}

{# Whole đồng; 0 if unreadable. #}
{% macro readable_amount(value) -%}
    case when {{ value }} ~ '^[+-]?[0-9]{1,18}([.]0+)?$' then ({{ value }})::numeric else 0 end
{%- endmacro %}

{# A code without surrounding blanks; null if empty. #}
{% macro readable_code(value) -%}
    nullif(btrim({{ value }}), '')
{%- endmacro %}

{# First day of the month of an ISO date; null if unreadable. #}
{% macro readable_month(value) -%}
    case
        when {{ value }} ~ '^[1-9][0-9]{3}-(0[1-9]|1[0-2])-[0-3][0-9]'
            then make_date(substr({{ value }}, 1, 4)::int, substr({{ value }}, 6, 2)::int, 1)
    end
{%- endmacro %}

{# An ISO instant with its offset; null if unreadable, e.g. on the 31st of a shorter month. #}
{% macro readable_instant(value) -%}
    case
        when {{ value }} !~ (
            '^[1-9][0-9]{3}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])'
            || '[T ]([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]([.][0-9]+)?'
            || ' ?(Z|[+-](0[0-9]|1[0-4])(:?[0-5][0-9])?)$'
        ) then null
        when substr({{ value }}, 9, 2)::int > extract(
            day from make_date(substr({{ value }}, 1, 4)::int, substr({{ value }}, 6, 2)::int, 1)
            + interval '1 month' - interval '1 day'
        ) then null
        else ({{ value }})::timestamptz
    end
{%- endmacro %}

{# A key of several columns: no nulls, no duplicates. Returns counts only, so no value is stored. #}
{% test unique_key(model, columns) %}

    select count(*) as failures_count
    from {{ model }}
    group by {{ columns | join(', ') }}
    having
        count(*) > 1
        {% for column in columns %}
            or {{ column }} is null
        {% endfor %}

{% endtest %}

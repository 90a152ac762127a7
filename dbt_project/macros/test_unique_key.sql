{# A key of several columns: none null, no two rows alike. Counts only, so that no value is kept. #}
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

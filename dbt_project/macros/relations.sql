{# SQL texts of a materialization; they are sent together, in one round trip to the server. #}

{# Drops the relation of the previous build. #}
{% macro drop_old_relation() -%}
    {%- set old = load_cached_relation(this) -%}
    {%- if old is not none %}
    drop {{ old.type }} if exists {{ old }} cascade;
    {%- endif -%}
{%- endmacro %}

{# Creates the indexes, and statistics for the models that join the relation. #}
{% macro index_and_analyze(relation) -%}
    {%- for index in config.get('indexes', default=[]) %}
    {{ get_create_index_sql(relation, index) }};
    {%- endfor %}
    analyze {{ relation }};
{%- endmacro %}

{# Comments on a relation and its columns; fails if a described column does not exist. #}
{% macro describe_relation(relation) -%}
    {%- if config.persist_relation_docs() and model.description %}
    {{ postgres__alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- for column in (model.columns.values() if config.persist_column_docs() else []) %}
    comment on column {{ relation }}.{{ column.name }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor -%}
{%- endmacro %}

{# What a materialization says to the server, as text: one statement for all of it costs one way. #}

{# The relation of the build before, dropped. #}
{% macro drop_old_relation() -%}
    {%- set old = load_cached_relation(this) -%}
    {%- if old is not none %}
    drop {{ old.type }} if exists {{ old }} cascade;
    {%- endif -%}
{%- endmacro %}

{# Indexes, and statistics for the models that join it. #}
{% macro index_and_analyze(relation) -%}
    {%- for index in config.get('indexes', default=[]) %}
    {{ get_create_index_sql(relation, index) }};
    {%- endfor %}
    analyze {{ relation }};
{%- endmacro %}

{# The descriptions of a relation and of its columns; a described column that is not there fails. #}
{% macro describe_relation(relation) -%}
    {%- if config.persist_relation_docs() and model.description %}
    {{ postgres__alter_relation_comment(relation, model.description) }}
    {%- endif -%}
    {%- for column in (model.columns.values() if config.persist_column_docs() else []) %}
    comment on column {{ relation }}.{{ column.name }} is {{ postgres_escape_comment(column.description) }};
    {%- endfor -%}
{%- endmacro %}

{# A view made under its own name, as a table is (table.sql). #}
{% materialization view, adapter='postgres', supported_languages=['sql'] %}
    {%- set target_relation = this.incorporate(type='view') -%}

    {{ run_hooks(pre_hooks, inside_transaction=False) }}
    {{ run_hooks(pre_hooks, inside_transaction=True) }}

    {% call statement('main') -%}
        {{ drop_old_relation() }}
        {{ get_create_view_as_sql(target_relation, sql) }}
        {{ describe_relation(target_relation) }}
    {%- endcall %}

    {{ run_hooks(post_hooks, inside_transaction=True) }}
    {{ adapter.commit() }}
    {{ run_hooks(post_hooks, inside_transaction=False) }}

    {{ return({'relations': [target_relation]}) }}
{% endmaterialization %}

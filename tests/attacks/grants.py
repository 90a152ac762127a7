"""Every right that the warehouse gives to a group role or to everybody, as grants.csv.

`python -m tests.attacks.grants` writes it anew. Read what changed before you commit it.
"""

import csv
import io
import sys
from pathlib import Path

import psycopg

from tests.attacks.sealed_world import sealed_world

PAGE = Path(__file__).with_name("grants.csv")
# The loader's own schemas (`landing`, `marts*`, builds) are left out: it owns them, and none of
# them holds a frozen figure.
_QUERY = """
with given (kind, object, acl, owner) as (
    select 'database', 'the warehouse', coalesce(datacl, acldefault('d', datdba)), datdba
    from pg_database where datname = current_database()
    union all
    select 'schema', nspname::text, coalesce(nspacl, acldefault('n', nspowner)), nspowner
    from pg_namespace where nspname !~ '^pg_(toast|temp)'
    union all
    select 'relation', format('%I.%I', nspname, relname),
        coalesce(relacl, acldefault(case relkind when 'S' then 's' else 'r' end::"char", relowner)),
        relowner
    from pg_class inner join pg_namespace as schema on schema.oid = relnamespace
    where relkind in ('r', 'p', 'v', 'm', 'f', 'S')
    union all
    select 'column', format('%I.%I.%I', nspname, relname, attname), attacl, relowner
    from pg_attribute inner join pg_class as class on class.oid = attrelid
    inner join pg_namespace as schema on schema.oid = relnamespace
    where attacl is not null
    union all
    select 'function', proc.oid::regprocedure::text, coalesce(proacl, acldefault('f', proowner)),
        proowner
    from pg_proc as proc inner join pg_namespace as schema on schema.oid = pronamespace
    union all
    select 'default', coalesce(nspname, 'everywhere') || ' ' || defaclobjtype::text, defaclacl,
        defaclrole
    from pg_default_acl left join pg_namespace as schema on schema.oid = defaclnamespace
)

select coalesce(role.rolname, 'everybody') as role, kind, object,
    string_agg(lower(privilege_type), ' ' order by privilege_type)
from given
cross join lateral aclexplode(acl) as item
left join pg_roles as role on role.oid = grantee
where grantee <> owner
    and (
        role.rolname ~ '^chotso_' and role.rolname !~ '^chotso_reader_' and not role.rolcanlogin
        or grantee = 0
    )
    and object !~ '^(pg_catalog|information_schema)' and object !~ '^(landing|attack)'
    -- PostgreSQL's own functions are shown without their schema; its locks are the loader's
    and not (kind = 'function' and object !~ '\\.' and object !~ 'advisory')
group by role.rolname, kind, object
union all
select member.rolname, 'membership', granted.rolname, ''
from pg_auth_members as held
inner join pg_roles as granted on granted.oid = held.roleid
inner join pg_roles as member on member.oid = held.member
where granted.rolname ~ '^(chotso|pg)_' and member.rolname ~ '^chotso_' and not member.rolcanlogin
    -- the groups of the agencies' readers come with the register: one stands for all
    and (member.rolname !~ '^chotso_reader_' or member.rolname = 'chotso_reader_07201')
order by role, kind, object
"""


def written(admin: psycopg.Connection) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["role", "kind", "object", "rights"])
    writer.writerows(admin.execute(_QUERY).fetchall())
    admin.rollback()
    return text.getvalue()


if __name__ == "__main__":
    with sealed_world() as world:
        PAGE.write_text(written(world.admin), encoding="utf-8")
    sys.stdout.write(f"{PAGE}\n")

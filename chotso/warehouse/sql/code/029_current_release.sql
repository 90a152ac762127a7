-- The releases in force. guard.limit_readers() makes the other views of `frozen`.
create or replace view frozen.current_release with (security_invoker = true) as
select
    release_id,
    period_id,
    kind,
    corrects,
    is_current,
    cutoff_at,
    as_known_at,
    root_sha256,
    previous_root,
    data_root,
    sealed_at,
    code_version,
    status,
    correction_reason,
    correction_author
from frozen.release
where is_current;
alter view frozen.current_release owner to chotso_owner;
comment on view frozen.current_release is
'Các bản chốt đang có hiệu lực — the current release of each period';
-- as the table describes them
do $$
declare
    described record;
begin
    for described in
        select field.attname, col_description(field.attrelid, field.attnum) as text
        from pg_attribute as field
        where field.attrelid = 'frozen.release'::regclass and field.attnum > 0
            and not field.attisdropped
    loop
        execute format(
            'comment on column frozen.current_release.%I is %L', described.attname, described.text
        );
    end loop;
end
$$;

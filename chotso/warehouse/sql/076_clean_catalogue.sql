-- A reader is shown what is meant for readers, and nothing behind it. Views of `marts` read with
-- their owner's rights, so a reader needs no right on `marts_store` or on the pointer in `ops`.
revoke usage on schema marts_store from chotso_reader, chotso_auditor;
revoke select on ops.exposed from chotso_reader;
revoke usage on schema ops from chotso_reader;
-- the files of a bundle and the runs of the late register are an auditor's
revoke select on frozen.bundle_file, frozen.late_run from chotso_reader;

-- The one view of `frozen` that guard.show_rows() does not make; that describes the others.
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

-- Which build took a batch in first: a night is built when that build, or a later one, is shown.
alter table ops.batch add column first_build_id bigint references ops.build;
comment on column ops.batch.first_build_id is
'Bản dựng đầu tiên có tính lô này — the first build for readers that counts it; null: none yet';

-- Batches from before there was the column: the first build that was begun with their knowledge.
update ops.batch
set
    first_build_id = (
        select min(build.build_id)
        from ops.build as build
        where build.target_schema = 'marts_build' and build.as_known_at >= batch.known_at
    )
where status = 'published';

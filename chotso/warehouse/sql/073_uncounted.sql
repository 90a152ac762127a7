-- What a build accepted and could count at no province, for whoever looks at the night.
alter table ops.build add column uncounted jsonb;
comment on column ops.build.uncounted is
'Số liệu không thuộc tỉnh nào — per agency, accepted facts and đồng that count at no province; '
'null until the build is done';
